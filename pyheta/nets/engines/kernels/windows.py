"""From windows, which are views of series, to what a batch works on."""

import numpy as np

from pyheta.nets.engines.kernels.compiling import kernel
from pyheta.nets.engines.kernels.vectors import BYTES, copy
from pyheta.pipeline.arrays import Float32s, Rows


@kernel
def gather_rows(out: Float32s, inputs: Float32s, chosen: Rows, column: int) -> None:
    """The chosen windows row by row: out[t, b, column + c] is channel c, row t of window b."""
    _, channels, lookback = inputs.shape
    for b in range(chosen.size):
        window = inputs[chosen[b]]
        for t in range(lookback):
            row = out[t, b]
            for c in range(channels):
                row[column + c] = window[c, t]


@kernel
def gather_flat(out: Float32s, inputs: Float32s, chosen: Rows) -> None:
    """The chosen windows, flattened channel by channel: out[b, c * lookback + t]."""
    _, channels, lookback = inputs.shape
    next_window, next_channel, next_row = inputs.strides
    for b in range(chosen.size):
        window, row = (
            inputs.ctypes.data + next_window * chosen[b],
            out.ctypes.data + out.strides[0] * b,
        )
        for c in range(channels):
            if next_row == BYTES:
                copy(row + BYTES * c * lookback, window + next_channel * c, lookback)
            else:
                out[b, c * lookback : (c + 1) * lookback] = inputs[chosen[b], c]


@kernel
def gather_targets(targets: Float32s, chosen: Rows) -> Float32s:
    """(len(chosen), targets * horizon)."""
    out = np.empty((chosen.size, targets.shape[1] * targets.shape[2]), np.float32)
    gather_flat(out, targets, chosen)
    return out
