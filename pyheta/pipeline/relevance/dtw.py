"""Dynamic time warping: how far apart two series are if each may wait for the other.

Sakoe & Chiba, "Dynamic programming algorithm optimization for spoken word recognition", IEEE Trans.
ASSP 26 (1978), the symmetric form without slope constraint: for rows i and j with d = |first[i] -
second[j]|,

    D(i, j) = min(D(i-1, j-1) + 2 d, D(i-1, j) + d, D(i, j-1) + d),    D(0, 0) = d,

so that every path from one corner to the other has the same total weight, N + M (less the first
row's one).
"""

import numpy as np

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.compiled import compiled_exactly


def dtw_distance(first: Floats, second: Floats, *, band: int | None = None) -> float:
    """The least cost of warping (N,) onto (M,), in the series' own unit.

    Divided by N + M it is a mean per row.

    band: rows i and j are matched only if |i - j| <= band (Sakoe and Chiba's window); None matches
    any. It takes O(N · band) or O(N · M) time, and memory for two rows. Raises StepError without
    rows, for values that are not finite, and for a band that is negative or below |N - M|, which no
    path gets through.
    """
    for values in (first, second):
        if not len(values) or not np.isfinite(values).all():
            raise StepError(
                "DTW needs rows, all of them finite", cure="fill or drop missing values before"
            )
    least = abs(len(first) - len(second))
    if band is not None and band < least:
        what = f"no warping path stays within a band of {band} rows: the lengths differ by {least}"
        raise StepError(what, cure=f"use a band of at least {least} rows")
    width = max(len(first), len(second)) if band is None else band
    one, other = (np.ascontiguousarray(values, np.float64) for values in (first, second))
    return float(_distance(one, other, width))


@compiled_exactly
def _distance(first: Floats, second: Floats, band: int) -> float:
    columns = len(second)
    # One place more on the left, for the column before the first. Right of the band a row stays
    # infinite.
    above, below = np.full(columns + 1, np.inf), np.full(columns + 1, np.inf)
    above[0] = -abs(first[0] - second[0])  # so that the first match weighs once and not twice
    for i in range(len(first)):
        start, stop = max(0, i - band), min(columns, i + band + 1)
        below[0] = left = np.inf  # only the very first match has the corner before it
        for j in range(start, stop):
            cost = abs(first[i] - second[j])
            left = min(above[j] + 2.0 * cost, min(above[j + 1], left) + cost)
            below[j + 1] = left
        above, below = below, above
    return float(above[columns])
