"""Epochs of dense layers with ReLU between them (see `nets/zoo/mlp.py`), in compiled code.

A layer's weights have a row for each input, one for the bias, and padding: what a layer sees ends
with a one. `sizes` are the widths from the flattened window to the forecasts.
"""

from typing import NamedTuple

import numpy as np
from numba import float32 as f32
from numba import float64, int64, void
from numpy.typing import NDArray

from pyheta.nets.engines.kernels import rules, tiny
from pyheta.nets.engines.kernels.compiling import entry, kernel
from pyheta.nets.engines.kernels.memory import lined, padded, zeros
from pyheta.nets.engines.kernels.products import dense, dense_back, multiply
from pyheta.nets.engines.kernels.rules import RULE, Moments, Rule
from pyheta.nets.engines.kernels.vectors import transpose
from pyheta.nets.engines.kernels.windows import gather_flat, gather_targets

Array = NDArray[np.float32]
Sizes = NDArray[np.int64]
F = np.float32

PREDICTED = 256  # windows that are forecast at once


class Space(NamedTuple):
    """Where a batch is worked on: one flat array for what each layer sees, two for gradients on
    their way.
    """

    seen: Array  # layer by layer (batch, depth), the forecasts' own at the end
    gradients: Array  # (2, batch * widest)
    turned: Array  # the largest layer's weights, transposed


@kernel
def weights_before(sizes: Sizes, layer: int) -> int:
    """Where a layer's weights begin; with the number of layers, how many weights there are."""
    count = 0
    for before in range(layer):
        count += padded(sizes[before] + 1) * sizes[before + 1]
    return count


@kernel
def matrix(flat: Array, sizes: Sizes, layer: int) -> Array:
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
def seen(work: Space, sizes: Sizes, layer: int, batch: int) -> Array:
    """What a layer sees: (batch, depth), and what fills lines of the cache."""
    rows, start = lined(sizes[layer] + 1), _seen_before(sizes, layer, batch)
    return work.seen[start : start + batch * rows].reshape(batch, rows)


@kernel
def space(sizes: Sizes, batch: int) -> Space:
    widest, largest = sizes.max(), 0
    for layer in range(sizes.size - 1):
        largest = max(largest, sizes[layer] * sizes[layer + 1])
    work = Space(
        zeros(_seen_before(sizes, sizes.size, batch)),
        zeros(2 * batch * widest).reshape(2, batch * widest),
        zeros(largest),
    )
    for layer in range(sizes.size - 1):
        seen(work, sizes, layer, batch)[:, sizes[layer]] = 1
    return work


@kernel
def forward(work: Space, weights: Array, sizes: Sizes, batch: int) -> Array:
    """From the windows, in what the first layer sees, to the forecasts (batch, outputs)."""
    last = sizes.size - 2
    for layer in range(last):
        out = seen(work, sizes, layer + 1, batch)
        rows, width = sizes[layer] + 1, sizes[layer + 1]
        known, weight = seen(work, sizes, layer, batch), matrix(weights, sizes, layer)
        multiply(out[:, :width], known[:, :rows], weight[:rows], False)
        _rectify(out, width)
    start = _seen_before(sizes, last + 1, batch)
    forecast = work.seen[start : start + batch * sizes[-1]].reshape(batch, sizes[-1])
    dense(forecast, seen(work, sizes, last, batch), matrix(weights, sizes, last))
    return forecast


@kernel
def _rectify(out: Array, width: int) -> None:
    """By a formula that the compiler vectorises. NaN stays NaN, and minus infinity becomes it."""
    for b in range(out.shape[0]):
        row = out[b]
        for j in range(width):
            row[j] = F(0.5) * (row[j] + abs(row[j]))


@kernel
def backward(work: Space, weights: Array, gradient: Array, out: Array, sizes: Sizes) -> None:
    """From the gradient `out` of the forecasts to that of all weights."""
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
def _unrectify(gradient: Array, out: Array) -> None:
    for b in range(gradient.shape[0]):
        row, given = gradient[b], out[b]
        for j in range(row.size):
            row[j] = row[j] if given[j] > 0 else F(0)


WINDOWS = f32[:, :, :]
FLAT = f32[::1]


@entry(
    float64(
        WINDOWS, WINDOWS, int64[::1], float64[::1], RULE, FLAT, FLAT, FLAT, int64, int64, int64[::1]
    )
)
def epoch(
    inputs: Array,
    targets: Array,
    order: Sizes,
    rates: NDArray[np.float64],
    rule: Rule,
    weights: Array,
    first: Array,
    second: Array,
    steps: int,
    batch: int,
    sizes: Sizes,
) -> float:
    """The same as `lstm.epoch`, for `sizes`."""
    gradient = zeros(weights.size)
    work, fits = space(sizes, min(batch, order.size)), min(batch, order.size)
    total, before = 0.0, tiny.flush()
    for number, start in enumerate(range(0, order.size, batch)):
        chosen = order[start : start + batch]
        if chosen.size < fits:
            work, fits = space(sizes, chosen.size), chosen.size
        gather_flat(seen(work, sizes, 0, chosen.size), inputs, chosen)
        out = forward(work, weights, sizes, chosen.size)
        total += rules.loss(out, gather_targets(targets, chosen), rule)
        backward(work, weights, gradient, out, sizes)
        rules.step(
            weights, gradient, Moments(first, second), rates[number], steps + number + 1, rule
        )
    tiny.restore(before)
    return total / (order.size * sizes[-1])


@entry(void(WINDOWS, FLAT, f32[:, ::1], int64[::1]))
def predict(inputs: Array, weights: Array, out: Array, sizes: Sizes) -> None:
    """Forecasts (n, outputs) for all windows."""
    count = inputs.shape[0]
    work, fits = space(sizes, min(PREDICTED, count)), min(PREDICTED, count)
    for start in range(0, count, PREDICTED):
        chosen = np.arange(start, min(start + PREDICTED, count))
        if chosen.size < fits:
            work, fits = space(sizes, chosen.size), chosen.size
        gather_flat(seen(work, sizes, 0, chosen.size), inputs, chosen)
        out[start : start + chosen.size] = forward(work, weights, sizes, chosen.size)
