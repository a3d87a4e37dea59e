"""DLinear's moving average (see `nets/zoo/dlinear.py`) over a matrix's rows, and its transpose.

A row of the average is a mean of `width` rows, with the first and the last row again where there
are none. Rows are added up in float64: what was added and taken away leaves no trace in a float32
number.
"""

import numpy as np

from pyheta.nets.engines.kernels.compiling import kernel
from pyheta.pipeline.arrays import Float32s

F = np.float32


@kernel
def averaged(out: Float32s, rows: Float32s, width: int) -> None:
    """`out` = A `rows`: the mean of `width` rows around each. Shapes (n, m)."""
    before, after, count = (width - 1) // 2, width // 2, rows.shape[0]
    _neighbours(out, rows, before, after, 1 / width)
    for t in range(min(before, count)):
        _add(out[t], rows[0], (before - t) / width)
    for t in range(min(after, count)):
        _add(out[count - 1 - t], rows[count - 1], (after - t) / width)


@kernel
def shared_out(out: Float32s, rows: Float32s, width: int) -> None:
    """`out` = Aᵀ `rows`: each row is shared by those that it is the mean of. Shapes (n, m)."""
    before, after, count = (width - 1) // 2, width // 2, rows.shape[0]
    _neighbours(out, rows, after, before, 1 / width)
    for t in range(min(before, count)):
        _add(out[0], rows[t], (before - t) / width)
    for t in range(min(after, count)):
        _add(out[count - 1], rows[count - 1 - t], (after - t) / width)


@kernel
def _neighbours(out: Float32s, rows: Float32s, before: int, after: int, share: float) -> None:
    """`share` times each row's sum over its existing neighbours: `before` rows, itself, `after`."""
    count, columns = rows.shape
    sums = np.zeros(columns)
    for t in range(min(after, count)):
        for j in range(columns):
            sums[j] += rows[t, j]
    for t in range(count):
        if t + after < count:
            for j in range(columns):
                sums[j] += rows[t + after, j]
        if t > before:
            for j in range(columns):
                sums[j] -= rows[t - before - 1, j]
        for j in range(columns):
            out[t, j] = sums[j] * share


@kernel
def _add(out: Float32s, row: Float32s, factor: float) -> None:
    for j in range(out.size):
        out[j] += F(factor) * row[j]
