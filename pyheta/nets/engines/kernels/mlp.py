"""Epochs of dense layers with ReLU between them (see `nets/zoo/mlp.py`).

A layer's weights have a row for each input, one for the bias, and padding: what a layer sees ends
with a one. `sizes` are the widths from the flattened window to the forecasts.
"""

from typing import NamedTuple

import numpy as np
from numba import int64

from pyheta.nets.engines.kernels.compiling import kernel
from pyheta.nets.engines.kernels.driver import (
    BatchShape,
    Net,
    epoch_of,
    one_row,
    predict_of,
    unchanged,
)
from pyheta.nets.engines.kernels.memory import lined, padded, zeros
from pyheta.nets.engines.kernels.products import dense, dense_back, multiply
from pyheta.nets.engines.kernels.vectors import transpose
from pyheta.nets.engines.kernels.windows import gather_flat
from pyheta.pipeline.arrays import Float32s, Rows

Sizes = Rows  # numbers of cells, layer by layer
F = np.float32

AT_ONCE = 256  # windows that are forecast at once


class Space(NamedTuple):
    """Memory for a batch."""

    seen: Float32s  # layer by layer (batch, depth)
    gradients: Float32s  # (2, batch * widest): on their way back
    turned: Float32s  # the largest layer's weights, transposed


@kernel
def weights_before(sizes: Sizes, layer: int) -> int:
    """Where a layer's weights begin; with the number of layers, how many weights there are."""
    count = 0
    for before in range(layer):
        count += padded(sizes[before] + 1) * sizes[before + 1]
    return count


@kernel
def matrix(flat: Float32s, sizes: Sizes, layer: int) -> Float32s:
    """A layer's weights, or their gradient: (depth, outputs)."""
    rows, start = padded(sizes[layer] + 1), weights_before(sizes, layer)
    return flat[start : start + rows * sizes[layer + 1]].reshape(rows, sizes[layer + 1])


@kernel
def _seen_before(sizes: Sizes, layer: int, batch: int) -> int:
    count = 0
    for before in range(layer):
        count += batch * lined(sizes[before] + 1)
    return count


@kernel
def seen(work: Space, sizes: Sizes, layer: int, batch: int) -> Float32s:
    """What a layer sees: (batch, depth), and what fills lines of the cache."""
    rows, start = lined(sizes[layer] + 1), _seen_before(sizes, layer, batch)
    return work.seen[start : start + batch * rows].reshape(batch, rows)


@kernel
def space(shape: BatchShape, sizes: Sizes) -> Space:
    batch, widest, largest = shape.batch, sizes.max(), 0
    for layer in range(sizes.size - 1):
        largest = max(largest, sizes[layer] * sizes[layer + 1])
    work = Space(
        zeros(_seen_before(sizes, sizes.size - 1, batch)),
        zeros(2 * batch * widest).reshape(2, batch * widest),
        zeros(largest),
    )
    for layer in range(sizes.size - 1):
        seen(work, sizes, layer, batch)[:, sizes[layer]] = 1
    return work


@kernel
def layers(flat: Float32s, shape: BatchShape, sizes: Sizes) -> Float32s:
    return flat  # `matrix` has each layer's


@kernel
def forward(
    work: Space, weights: Float32s, inputs: Float32s, chosen: Rows, out: Float32s, sizes: Sizes
) -> None:
    batch, last = chosen.size, sizes.size - 2
    gather_flat(seen(work, sizes, 0, batch), inputs, chosen)
    for layer in range(last):
        given = seen(work, sizes, layer + 1, batch)
        rows, width = sizes[layer] + 1, sizes[layer + 1]
        known, weight = seen(work, sizes, layer, batch), matrix(weights, sizes, layer)
        multiply(given[:, :width], known[:, :rows], weight[:rows], False)
        _rectify(given, width)
    dense(out, seen(work, sizes, last, batch), matrix(weights, sizes, last))


@kernel
def _rectify(out: Float32s, width: int) -> None:
    """By a formula that the compiler vectorises. NaN stays NaN, and minus infinity becomes it."""
    for b in range(out.shape[0]):
        row = out[b]
        for j in range(width):
            row[j] = F(0.5) * (row[j] + abs(row[j]))


@kernel
def backward(
    work: Space, weights: Float32s, gradient: Float32s, out: Float32s, sizes: Sizes
) -> None:
    batch = out.shape[0]
    here = 0
    work.gradients[here, : out.size] = out.reshape(-1)
    for layer in range(sizes.size - 2, -1, -1):
        inputs, outputs = sizes[layer], sizes[layer + 1]
        arrived = work.gradients[here, : batch * outputs].reshape(batch, outputs)
        dense_back(matrix(gradient, sizes, layer), seen(work, sizes, layer, batch), arrived)
        if layer > 0:
            turned = work.turned[: inputs * outputs].reshape(outputs, inputs)
            transpose(turned, matrix(weights, sizes, layer)[:inputs])
            passed = work.gradients[1 - here, : batch * inputs].reshape(batch, inputs)
            multiply(passed, arrived, turned, False)
            _unrectify(passed, seen(work, sizes, layer, batch))
            here = 1 - here


@kernel
def _unrectify(gradient: Float32s, out: Float32s) -> None:
    for b in range(gradient.shape[0]):
        row, given = gradient[b], out[b]
        for j in range(row.size):
            row[j] = row[j] if given[j] > 0 else F(0)


NET = Net("mlp", int64[::1], AT_ONCE, one_row, space, layers, unchanged, forward, backward)
epoch, predict = epoch_of(NET), predict_of(NET)
