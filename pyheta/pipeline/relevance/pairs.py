"""A target and an exogenous column, or a component of both: what `relevance` and `shape` read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyheta.arrays import Floats
from pyheta.pipeline.channels import Source, read_channels
from pyheta.task import Task


@dataclass(frozen=True, slots=True)
class Pair:
    """Both series, (rows,); NaN before a causal decomposition's first window."""

    target: Floats
    column: Floats

    @property
    def first(self) -> int:
        """The first row where both are known."""
        return int((np.isfinite(self.target) & np.isfinite(self.column)).argmax())


def read_pair(task: Task) -> Pair:
    """The pair that the parameters target, column and component name."""
    channels = read_channels(sources(task.params), task.inputs, lookback=1)
    return Pair(*(channel.values.astype(np.float64) for channel in channels))


def sources(params: Mapping[str, Any]) -> tuple[Source, Source]:
    """Where the two series come from."""
    component = params["component"]
    return Source(params["target"], component), Source(params["column"], component)
