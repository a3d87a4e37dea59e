"""Statistics of a column's last rows, the row itself among them: `OT mean 24`, `OT std 24`."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from pyheta.errors import DataError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.features.feature import Given, Made

BLOCK = 1 << 22  # values of windows that are held in memory at a time

STATISTICS: Mapping[str, Callable[..., Floats]] = {
    "mean": np.mean,
    "std": np.std,
    "min": np.min,
    "max": np.max,
    "sum": np.sum,
    "median": np.median,
}


def rolling(wanted: Sequence[tuple[str, int, Sequence[str]]], given: Given) -> Iterator[Made]:
    """Of (column, window, statistics); where no column is named, of each."""
    for name, window, how in wanted:
        if window > given.rows:
            what = f"rolling over {window:,} rows, and there are {given.rows:,}"
            raise DataError(
                what, where=f"{given.draft.name}: features", cure="use a shorter window"
            )
        for column in (name,) if name else given.columns:
            values, known = given.values(column), given.known(column)
            for each in how:
                yield Made(f"{column} {each} {window}", rolled(values, window, each), known=known)


def rolled(values: Floats, window: int, how: str) -> Floats:
    """(rows,): NaN until a whole window is known."""
    views = sliding_window_view(values, window)
    block = max(1, BLOCK // window)
    parts = [
        STATISTICS[how](views[start : start + block], axis=1)
        for start in range(0, len(views), block)
    ]
    return np.concatenate([np.full(window - 1, np.nan), *parts])
