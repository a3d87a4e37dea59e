"""What each decomposition method declares of itself.

Sweeps read it, so it imports nothing heavy: what computes is loaded where a step runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:  # numpy takes longer to import than most commands that only look
    import numpy as np
    from numpy.typing import NDArray

    from pyheta.pipeline.arrays import Floats
    from pyheta.task import Progress

#: Where components' last values go, (components, n), and their tails: see `Computation.roll`.
Tails: TypeAlias = "NDArray[np.float32]"  # (components, n, keep)
Out: TypeAlias = "tuple[Floats, Tails]"

#: Options of a `decompose` section by name, those of the method at least.
Options = Mapping[str, Any]

#: A mode has at least one maximum and one minimum, and a sift needs three extrema to begin.
LEAST_EXTREMA = 3


class Computation(Protocol):
    """How a method computes. Values (n,) are finite and not constant; components add up to them."""

    def whole(self, values: Floats, options: Options, progress: Progress) -> Floats:
        """(components, n): the components of the series; those that it lacks are zero."""

    def roll(
        self, values: Floats, options: Options, first: int, out: Out, progress: Progress
    ) -> None:
        """Decompose the window that ends in each row, from row `first` >= window - 1 on.

        Fills out[0] (components, n) with the last values of the components, and out[1] (components,
        n, keep) with how far their last `keep` values lie from those. A row is the same to the last
        bit whatever `first` is and whatever comes after it.
        """


def _one_row(_options: Options) -> int:
    return 1


def _anything_fits(_rows: int, _options: Options) -> None:
    return


@dataclass(frozen=True, slots=True)
class Method:
    """Everything that is particular to one decomposition method."""

    name: str
    components: Callable[[Options], tuple[str, ...]]  # their names, in their order
    load: Callable[[], Computation]
    #: The options it reads; `mode`, `window`, `grow` and `nets` belong to all methods.
    options: tuple[str, ...] = ()
    #: What an option is where the sweep leaves it open, if that depends on the method.
    defaults: Mapping[str, Any] = field(default_factory=dict)
    least_extrema: int = 0  # maxima and minima that a series needs
    least_rows: Callable[[Options], int] = _one_row
    #: Raises StepError where the options do not fit so many rows, or fit no series at all.
    refuse_unfit: Callable[[int, Options], None] = _anything_fits
    package: str = ""  # that has to be installed beside PyHeta
