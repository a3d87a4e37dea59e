"""Decomposing a whole series, or what was known at each of its rows, by any method.

Components come in the order of `component_names` and always add up to the series. `options` are
those of a `decompose` section: method, what the method reads, and for `causal` window, in rows, and
grow.
"""

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.decomposition.emd import usable
from pyheta.pipeline.decomposition.method import Computation, Options, Tails
from pyheta.pipeline.decomposition.methods import METHODS, component_names
from pyheta.task import Progress


@dataclass(frozen=True, slots=True)
class Causal:
    """Row t of everything comes from values[: t + 1] alone. Rows before the first window are NaN.

    `values` are the components' last values, (components, n). `tails` say how far the last `keep`
    values lie from the last one, which comes last and is 0: (components, n, keep). Differences are
    small where a series is large, so float32 is enough for them.
    """

    values: Floats
    tails: Tails


def whole(values: Floats, options: Options, progress: Progress) -> Floats:
    """(components, n): the components of the series; missing IMFs are zero.

    Raises StepError for a series that is constant, a mere trend, too short or not finite.
    """
    values = usable(values)
    return _computation(options, len(values)).whole(values, options, progress)


def causal(
    values: Floats,
    options: Options,
    *,
    keep: int,
    progress: Progress,
    known: Causal | None = None,
) -> Causal:
    """Decompose what was known at each row t: values[t - window + 1 … t], or [0 … t] if `grow`.

    Modes that a window does not have are zero there: the residue of a constant window is the
    constant. The noise of an ensemble is the same in all windows; a growing one begins with that of
    the one before. So the first rows are those of any series that begins with the same values:
    `known` has them, where they have been computed before, and only the others are computed. The
    result is the same to the last bit.

    Raises StepError for a series that is constant or not finite, and for a window that does not
    fit.
    """
    values, window = usable(values), options["window"]
    _check_window(len(values), window, keep)
    shape = (len(component_names(options)), len(values))
    out = np.full(shape, np.nan), np.full((*shape, keep), np.nan, np.float32)
    first = window - 1
    if known is not None:
        rows = known.values.shape[1]
        out[0][:, :rows], out[1][:, :rows] = known.values, known.tails
        first = max(first, rows)
    _computation(options, window).roll(values, options, first, out, progress)
    return Causal(*out)


def _computation(options: Options, rows: int) -> Computation:
    """What decomposes so many rows at a time.

    Raises StepError for options that do not fit them, or where a package is not installed.
    """
    method = METHODS[options["method"]]
    method.refuse_unfit(rows, options)
    if method.package and find_spec(method.package) is None:
        what = f"the method {method.name} needs {method.package}"
        raise StepError(what, cure=f"pip install {method.package}")
    return method.load()


def _check_window(rows: int, window: int, keep: int) -> None:
    if window > rows:
        cure = f"set decompose.window to {rows} or less"
        raise StepError(f"a window of {window} rows does not fit into {rows} rows", cure=cure)
    if not 0 < keep <= window:
        what = f"{keep} rows cannot be kept of a window of {window}"
        raise StepError(what, cure=f"set decompose.window to {keep} or more")
