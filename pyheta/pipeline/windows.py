"""Windows of a series as strided views: thousands of overlapping windows, no copy of the data."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pyheta.errors import StepError

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a net sees (`channels` series, `lookback` rows each) and gives (`horizon` rows)."""

    channels: int
    lookback: int
    horizon: int


@dataclass(frozen=True, slots=True)
class Windows:
    """n windows and their targets; both are views of one array of shape (channels, rows)."""

    inputs: Array  # (n, channels, lookback): rows t - lookback … t - 1
    targets: Array  # (n, horizon): rows t … t + horizon - 1 of channel 0
    rows: NDArray[np.intp]  # (n,): t, the row of each window's first target

    def __len__(self) -> int:
        return len(self.rows)


def cut(series: Array, targets: tuple[int, int], shape: Shape) -> Windows:
    """Every window whose targets lie wholly inside the rows [start, stop).

    series: (channels, rows), C-contiguous; channel 0 is the target. A window may begin before
    `start` but not before row 0, so there are `stop - horizon + 1 - max(start, lookback)` windows.
    Raises StepError if there is none.
    """
    start, stop = targets
    first, last = (
        max(start, shape.lookback),
        stop - shape.horizon,
    )  # of the first targets, inclusive
    if first > last:
        what = (
            f"rows {start} to {stop - 1} have no room for a window of {shape.lookback} rows "
            f"and {shape.horizon} targets"
        )
        raise StepError(what, cure="use a shorter window or a larger part of the split")
    # Writeable, because torch wraps only writeable memory without complaint; nobody writes to it.
    inputs = sliding_window_view(series, shape.lookback, axis=1, writeable=True)
    blocks = sliding_window_view(series[0], shape.horizon, writeable=True)
    return Windows(
        inputs=inputs[:, first - shape.lookback : last - shape.lookback + 1].swapaxes(0, 1),
        targets=blocks[first : last + 1],
        rows=np.arange(first, last + 1),
    )
