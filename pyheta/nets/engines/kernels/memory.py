"""Arrays that begin on a line of the cache, so that no vector's load touches two lines."""

import numpy as np

from pyheta.nets.engines import kernels
from pyheta.nets.engines.kernels import LINE
from pyheta.nets.engines.kernels.compiling import kernel
from pyheta.pipeline.arrays import Float32s

NUMBERS = LINE // 4

padded = kernel(kernels.padded)


@kernel
def zeros(count: int) -> Float32s:
    """`count` float32 zeros."""
    buffer = np.zeros(count + NUMBERS, np.float32)
    start = (-buffer.ctypes.data % LINE) // 4
    return buffer[start : start + count]


@kernel
def lined(count: int) -> int:
    """Numbers of a row that is filled up to whole lines of the cache, where the next row begins."""
    return (count + NUMBERS - 1) // NUMBERS * NUMBERS
