"""Arrays that begin where a vector register's load begins, so that no load touches two lines of the cache."""

import numpy as np
from numpy.typing import NDArray

from pyheta.nets.kernels import LINE, TILE
from pyheta.nets.kernels.compiling import kernel

NUMBERS = LINE // 4


@kernel
def zeros(count: int) -> NDArray[np.float32]:
    """`count` float32 zeros."""
    buffer = np.zeros(count + NUMBERS, np.float32)
    start = (-buffer.ctypes.data % LINE) // 4
    return buffer[start : start + count]


@kernel
def padded(rows: int) -> int:
    """Rows that fill whole tiles; those beyond `rows` hold zeros and stay so."""
    return (rows + TILE - 1) // TILE * TILE
