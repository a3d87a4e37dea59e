"""A target and an exogenous column, or a component of both: what `relevance` and `shape` read."""

from dataclasses import dataclass

import numpy as np

from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.channels import Source, read_channels
from pyheta.pipeline.seen import Seen


@dataclass(frozen=True, slots=True)
class Pair:
    """Both series, (rows,); NaN before a causal decomposition's first window."""

    target: Floats
    column: Floats

    @property
    def first(self) -> int:
        """The first row where both are known."""
        return int((np.isfinite(self.target) & np.isfinite(self.column)).argmax())


def read_pair(target: str, column: str, component: str, seen: Seen) -> Pair:
    """The target and the column, or this component of both."""
    sources = [Source(name, component) for name in (target, column)]
    channels = read_channels(sources, seen, lookback=1)
    return Pair(*(channel.values.astype(np.float64) for channel in channels))
