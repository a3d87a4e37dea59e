"""Windows of series, each with what has to be forecast from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Array
from pyheta.pipeline.channels import Channel


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of what a net sees and gives.

    It sees `channels` series, `lookback` rows each, and gives `horizon` rows of each target. The
    first `targets` channels are what is forecast; the others are exogenous.
    """

    channels: int
    lookback: int
    horizon: int
    targets: int = 1


@dataclass(frozen=True, slots=True)
class Windows:
    """n windows and their targets."""

    inputs: Array  # (n, channels, lookback): what is known of rows t - lookback … t - 1
    targets: Array  # (n, targets, horizon): rows t … t + horizon - 1 of what is forecast
    rows: NDArray[np.intp]  # (n,): t, the row of each window's first target

    def __len__(self) -> int:
        return len(self.rows)


def cut(
    channels: Sequence[Channel], targets: tuple[int, int], shape: Shape, stride: int = 1
) -> Windows:
    """Every window whose targets lie wholly inside the rows [start, stop), and are all observed.

    With a stride, of these only those whose first target is `start`, `start` + stride, … So windows
    of different lengths have the same targets.

    A window may begin before `start` but not before a channel's first value, so there are `stop -
    horizon + 1 - max(start, lookback)` windows of series that are known throughout. A channel that
    is seen ahead is so by at most `horizon` rows: no window reaches beyond its own targets. Raises
    StepError if there is none.
    """
    start, stop = targets
    if stop > (length := len(channels[0].values)):
        raise StepError(f"rows {start} to {stop - 1} of a series of {length} rows")
    seen = [channel.as_seen() for channel in channels]
    first = max(start, *(channel.ready(shape.lookback) for channel in seen))
    last = stop - shape.horizon  # of the first targets, inclusive
    if first > last:
        what = (
            f"rows {start} to {stop - 1} have no room for a window of {shape.lookback} rows "
            f"and {shape.horizon} targets"
        )
        raise StepError(what, cure="use a shorter window or a larger part of the split")
    rows = _observed(channels[: shape.targets], np.arange(first, last + 1), shape.horizon)
    rows = _thinned(rows, start, stride)
    # Writeable, because torch wraps only writeable memory without complaint; nobody writes to it.
    forecast = np.stack([channel.values for channel in channels[: shape.targets]])
    blocks = sliding_window_view(forecast, shape.horizon, axis=1, writeable=True)
    ahead = _taken(blocks, rows).swapaxes(0, 1)
    return Windows(_inputs(seen, rows, shape.lookback), ahead, rows)


def _observed(targets: Sequence[Channel], rows: NDArray[np.intp], horizon: int) -> NDArray[np.intp]:
    """Those of the first targets whose horizon holds no value that is carried on."""
    masks = [target.observed for target in targets if target.observed is not None]
    if not masks:
        return rows
    observed = sliding_window_view(np.all(masks, axis=0), horizon)[rows].all(axis=1)
    if not observed.any():
        what = f"rows {rows[0]} to {rows[-1] + horizon - 1} have no {horizon} targets in a row"
        raise StepError(what, cure="use a shorter horizon, or fill the target's gaps")
    return rows[observed]


def _thinned(rows: NDArray[np.intp], start: int, stride: int) -> NDArray[np.intp]:
    """Those of the first targets that lie a multiple of `stride` rows after `start`."""
    thinned: NDArray[np.intp] = rows[(rows - start) % stride == 0]
    if not len(thinned):
        what = f"no window begins every {stride} rows from row {start} to {rows[-1]}"
        raise StepError(what, where="window.stride", cure="use a smaller stride")
    return thinned


def _inputs(channels: Sequence[Channel], rows: NDArray[np.intp], lookback: int) -> Array:
    """(n, channels, lookback): where possible views, not copies of thousands of windows."""
    if any(channel.tails is not None for channel in channels):
        return np.stack([channel.windows(rows, lookback) for channel in channels], axis=1)
    series = np.stack([channel.values for channel in channels])
    views = sliding_window_view(series, lookback, axis=1, writeable=True)
    return _taken(views, rows - lookback).swapaxes(0, 1)


def _taken(views: Array, rows: NDArray[np.intp]) -> Array:
    """(series, n, length): the views that begin at these rows; a view itself if none is left out"""
    if rows[-1] - rows[0] + 1 == len(rows):
        return views[:, rows[0] : rows[-1] + 1]
    return views[:, rows]
