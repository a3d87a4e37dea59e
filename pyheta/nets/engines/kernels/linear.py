"""Epochs of DLinear and NLinear (see `nets/zoo/dlinear.py`, `nets/zoo/nlinear.py`), in compiled
code.

Layers are shared by the targets: a batch of B windows with M targets is B M rows. Each is seen as
[d 1 l], its last value l and how far its values are from it. With a row for each value in W, and in
b the bias,

    NLinear:  ŷ = d W + b + l
    DLinear:  ŷ = d V + b_t + b_r + l ΣW_t,   V = Aᵀ (W_t - W_r) + W_r

where A is the moving average, which keeps what is the same everywhere. So a batch averages the
weights, not its windows, and the two layers take one product. Its gradient G, with g in the row of
l, gives theirs:

    dW_t = A G + g,   dW_r = G - A G
"""

from typing import NamedTuple

import numpy as np
from numba import float32 as f32
from numba import float64, int64, void
from numpy.typing import NDArray

from pyheta.nets.engines.kernels import rules, tiny
from pyheta.nets.engines.kernels.averages import averaged, shared_out
from pyheta.nets.engines.kernels.compiling import entry, kernel
from pyheta.nets.engines.kernels.memory import padded, zeros
from pyheta.nets.engines.kernels.products import dense, dense_back
from pyheta.nets.engines.kernels.rules import RULE, Moments, Rule
from pyheta.nets.engines.kernels.windows import gather_flat, gather_targets

Array = NDArray[np.float32]
Rows = NDArray[np.int64]

PREDICTED = 256  # rows that are forecast at once: what is seen of them stays in the cache


class Space(NamedTuple):
    """Where a batch is worked on."""

    seen: Array  # (batch * targets, lookback + 2): the rows [d 1 l]
    out: Array  # (batch * targets, horizon): the forecasts, then their gradient
    one: Array  # (lookback + 2, horizon): DLinear's layers as one, for [d 1 l]
    gradient: Array  # of it
    apart: Array  # (lookback, horizon): W_t - W_r


@kernel
def space(rows: int, lookback: int, horizon: int) -> Space:
    depth = lookback + 2
    work = Space(
        zeros(rows * depth).reshape(rows, depth),
        zeros(rows * horizon).reshape(rows, horizon),
        zeros(depth * horizon).reshape(depth, horizon),
        zeros(depth * horizon).reshape(depth, horizon),
        zeros(lookback * horizon).reshape(lookback, horizon),
    )
    work.seen[:, lookback] = 1
    return work


@kernel
def layers(flat: Array, lookback: int, average: int) -> Array:
    """The weights, or their gradient, with the biases: (1 or 2, lookback + 1 and padding,
    horizon).
    """
    return flat.reshape(1 if average == 0 else 2, padded(lookback + 1), -1)


@kernel
def gather(seen: Array, inputs: Array, chosen: Rows, targets: int) -> None:
    """The chosen windows of all targets, as [d 1 l]; `seen` has the ones."""
    lookback = inputs.shape[2]
    by_target = seen.reshape(chosen.size, targets, lookback + 2)
    for m in range(targets):
        gather_flat(by_target[:, m], inputs[:, m : m + 1], chosen)
    for r in range(seen.shape[0]):
        row = seen[r]
        last = row[lookback - 1]
        for t in range(lookback):
            row[t] -= last
        row[lookback + 1] = last


@kernel
def forward(out: Array, seen: Array, weights: Array) -> None:
    """From [d 1 l] to forecasts. NLinear's weights have no row for l, which is added as it is."""
    dense(out, seen, weights)
    if weights.shape[0] < seen.shape[1]:
        for r in range(out.shape[0]):
            out[r] += seen[r, -1]


@kernel
def as_one(work: Space, weights: Array, average: int) -> Array:
    """What [d 1 l] is multiplied by: V, the biases and the sums of DLinear's layers, or NLinear's
    layer.
    """
    lookback = work.apart.shape[0]
    if average == 0:
        return weights[0, : lookback + 1]
    trend, rest, one = weights[0], weights[1], work.one
    _subtract(work.apart, trend, rest)
    shared_out(one, work.apart, average)
    _add(one, rest[:lookback])
    one[lookback] = trend[lookback] + rest[lookback]
    one[lookback + 1] = 0
    for t in range(lookback):
        one[lookback + 1] += trend[t]
    return one


@kernel
def backward(gradient: Array, work: Space, out: Array, seen: Array, average: int) -> None:
    """From the gradient `out` of the forecasts to that of the layers."""
    lookback = work.apart.shape[0]
    if average == 0:
        dense_back(gradient[0, : lookback + 1], seen, out)
        return
    trend, rest, one = gradient[0], gradient[1], work.gradient
    dense_back(one, seen, out)
    averaged(trend, one[:lookback], average)
    _subtract(rest[:lookback], one, trend)
    for t in range(lookback):
        trend[t] += one[lookback + 1]
    trend[lookback] = one[lookback]
    rest[lookback] = one[lookback]


@kernel
def _subtract(out: Array, one: Array, other: Array) -> None:
    for t in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[t, j] = one[t, j] - other[t, j]


@kernel
def _add(out: Array, other: Array) -> None:
    for t in range(other.shape[0]):
        for j in range(other.shape[1]):
            out[t, j] += other[t, j]


WINDOWS = f32[:, :, :]
FLAT = f32[::1]


@entry(
    float64(WINDOWS, WINDOWS, int64[::1], float64[::1], RULE, FLAT, FLAT, FLAT, int64, int64, int64)
)
def epoch(
    inputs: Array,
    targets: Array,
    order: Rows,
    rates: NDArray[np.float64],
    rule: Rule,
    weights: Array,
    first: Array,
    second: Array,
    steps: int,
    batch: int,
    average: int,
) -> float:
    """The same as `lstm.epoch`, for a moving average of so many rows; 0 is NLinear, which has
    none.
    """
    lookback, (count, horizon) = inputs.shape[2], targets.shape[1:]
    gradient = zeros(weights.size)
    both, both_gradient = layers(weights, lookback, average), layers(gradient, lookback, average)
    work = space(min(batch, order.size) * count, lookback, horizon)
    total, before = 0.0, tiny.flush()
    for number, start in enumerate(range(0, order.size, batch)):
        chosen = order[start : start + batch]
        seen, out = work.seen[: chosen.size * count], work.out[: chosen.size * count]
        gather(seen, inputs, chosen, count)
        forward(out, seen, as_one(work, both, average))
        total += rules.loss(out, gather_targets(targets, chosen), rule)
        backward(both_gradient, work, out, seen, average)
        rules.step(
            weights, gradient, Moments(first, second), rates[number], steps + number + 1, rule
        )
    tiny.restore(before)
    return total / (order.size * count * horizon)


@entry(void(WINDOWS, FLAT, f32[:, ::1], int64))
def predict(inputs: Array, weights: Array, out: Array, average: int) -> None:
    """Forecasts (n, outputs) for all windows."""
    lookback = inputs.shape[2]
    both = layers(weights, lookback, average)
    horizon = both.shape[2]
    count = out.shape[1] // horizon
    windows = max(1, PREDICTED // count)
    work = space(min(windows, len(out)) * count, lookback, horizon)
    one = as_one(work, both, average)
    for start in range(0, len(out), windows):
        chosen = np.arange(start, min(start + windows, len(out)))
        seen = work.seen[: chosen.size * count]
        gather(seen, inputs, chosen, count)
        forward(out[start : start + chosen.size].reshape(-1, horizon), seen, one)
