"""How much an exogenous column tells of the target some rows later, by mutual information.

At each lag both series are cut into K bins of equally many values, by rank; equal values share a
bin. With p the shares of the n pairs (column[t - lag], target[t]) that fall into a bin or a pair of
bins,

    I = sum p(a, b) log(p(a, b) / (p(a) p(b))),    in nats (Shannon 1948; Cover & Thomas, eq. 2.28).

It is at least 0, sees any relation, monotonic or not, and does not change with monotonic
transformations of either series. Two errors pull on it. Counting few pairs makes it too large, by
about (B - A - C + 1) / 2n with B, A and C the occupied cells, rows and columns (Miller 1955;
Roulston 1999, Physica D 125), so by (K - 1)² / 2n for unrelated series; binning makes it too small,
the more the fewer bins. K = n^(1/3) lets the first vanish as n^(-1/3) while the bins still become
finer. Nothing is subtracted: set the value beside that of a shifted column, which has about the
same bias.
"""

from functools import partial

import numpy as np

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.relevance.correlation import at_lags

LEAST_BINS = 2


def mutual_information(
    target: Floats, column: Floats, *, max_lag: int, bins: int | None = None
) -> Floats:
    """Mutual information in nats at lags 0 … max_lag: (max_lag + 1,), each from 0 to log(bins).

    The column leads: column[t - lag] with target[t]; series are (rows,) and finite. bins: of each
    series, 2 or more, by default the cube root of the rows. Raises StepError for constant series,
    fewer than 3 pairs at `max_lag`, unequal lengths, values that are not finite.
    """
    count = max(LEAST_BINS, round(len(target) ** (1 / 3))) if bins is None else bins
    if count < LEAST_BINS:
        raise StepError(f"{count} bins tell nothing apart", cure="use 2 bins or more")
    return at_lags(partial(_information, bins=count), target, column, max_lag, ranked=True)


def _information(one: Floats, other: Floats, *, bins: int) -> float:
    """Of two series of ranks."""
    cells = _bins(one, bins) * bins + _bins(other, bins)
    shares = np.bincount(cells, minlength=bins * bins).reshape(bins, bins) / len(one)
    alone = shares.sum(axis=1, keepdims=True) * shares.sum(axis=0)
    seen = shares > 0
    return max(0.0, float((shares[seen] * np.log(shares[seen] / alone[seen])).sum()))


def _bins(ranks: Floats, bins: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Ranks 0 … n - 1 to bins 0 … bins - 1 of n / bins ranks each."""
    return ((ranks + 0.5) * bins / len(ranks)).astype(np.int64)
