"""No decomposition: the series is its own, only component."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.pipeline.decomposition.method import Computation, Method, Options

if TYPE_CHECKING:
    from pyheta.pipeline.arrays import Floats


def _components(_options: Options) -> tuple[str, ...]:
    return (WHOLE,)


def _load() -> Computation:
    from pyheta.pipeline.decomposition.linear import Linear

    return Linear(_as_it_is)


def _as_it_is(values: Floats, _options: Options) -> Floats:
    return values[None]


NONE = Method("none", _components, _load)
