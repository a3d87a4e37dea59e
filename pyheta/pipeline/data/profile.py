"""One column in numbers: its range, what is missing, what a value says of a later one."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pyheta.pipeline.arrays import Floats


@dataclass(frozen=True, slots=True)
class Profile:
    """Rows are counted. Without a finite value, `least`, `mean` and `most` are None."""

    rows: int
    missing: int
    longest_missing: int  # rows in one stretch
    least: float | None
    mean: float | None
    most: float | None
    zeros: int
    longest_constant: int  # rows in one stretch of equal values
    autocorrelation: dict[int, float] = field(default_factory=dict)  # lag in rows -> -1 to 1


def profile(values: Floats, lags: Sequence[int]) -> Profile:
    """The profile of a column (rows,), NaN where a value is missing."""
    missing = ~np.isfinite(values)
    known = values[~missing]
    return Profile(
        rows=len(values),
        missing=int(missing.sum()),
        longest_missing=longest(missing),
        least=float(known.min()) if known.size else None,
        mean=float(known.mean()) if known.size else None,
        most=float(known.max()) if known.size else None,
        zeros=int((known == 0).sum()),
        longest_constant=longest(np.diff(values) == 0) + 1 if known.size else 0,
        autocorrelation={lag: r for lag in lags if (r := autocorrelation(values, lag)) is not None},
    )


def autocorrelation(values: Floats, lag: int) -> float | None:
    """The correlation of a column with itself `lag` rows later, over pairs of known values.

    None where that is not defined: a constant column, or no pair that far apart.
    """
    apart = values - np.nanmean(values) if np.isfinite(values).any() else values
    scale = np.abs(apart[np.isfinite(apart)]).max(initial=0.0)
    if not 0 < lag < len(values) or scale == 0:
        return None
    apart = apart / scale  # squares of huge values would overflow
    return float(np.nansum(apart[lag:] * apart[:-lag]) / np.nansum(apart * apart))


def longest(mask: NDArray[np.bool_]) -> int:
    """The length of the longest stretch in which it is true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.view(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))
