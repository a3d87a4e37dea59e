"""Epochs of DLinear and NLinear (see `nets/zoo/dlinear.py`, `nets/zoo/nlinear.py`).

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

from numba import int64

from pyheta.nets.engines.kernels.averages import averaged, shared_out
from pyheta.nets.engines.kernels.compiling import kernel
from pyheta.nets.engines.kernels.driver import BatchShape, Net, epoch_of, predict_of
from pyheta.nets.engines.kernels.memory import padded, zeros
from pyheta.nets.engines.kernels.products import dense, dense_back
from pyheta.nets.engines.kernels.windows import gather_flat
from pyheta.pipeline.arrays import Float32s, Rows

AT_ONCE = 256  # rows that are forecast at once: what is seen of them stays in the cache


class Space(NamedTuple):
    """Memory for a batch."""

    seen: Float32s  # (batch * targets, lookback + 2): the rows [d 1 l]
    one: Float32s  # (lookback + 2, horizon): DLinear's layers as one, for [d 1 l]
    gradient: Float32s  # of it
    difference: Float32s  # (lookback, horizon): W_t - W_r


@kernel
def rows(shape: BatchShape, average: int) -> int:
    """Each target's window is a row."""
    horizon = shape.weights // ((1 if average == 0 else 2) * padded(shape.lookback + 1))
    return shape.outputs // horizon


@kernel
def space(shape: BatchShape, average: int) -> Space:
    lookback, depth, targets = shape.lookback, shape.lookback + 2, rows(shape, average)
    horizon, count = shape.outputs // targets, shape.batch * targets
    work = Space(
        zeros(count * depth).reshape(count, depth),
        zeros(depth * horizon).reshape(depth, horizon),
        zeros(depth * horizon).reshape(depth, horizon),
        zeros(lookback * horizon).reshape(lookback, horizon),
    )
    work.seen[:, lookback] = 1
    return work


@kernel
def layers(flat: Float32s, shape: BatchShape, average: int) -> Float32s:
    """(1 or 2, lookback + 1 and padding, horizon): a row for each value, and the bias."""
    return flat.reshape(1 if average == 0 else 2, padded(shape.lookback + 1), -1)


@kernel
def gather(seen: Float32s, inputs: Float32s, chosen: Rows, targets: int) -> None:
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
def forward(
    work: Space, one: Float32s, inputs: Float32s, chosen: Rows, out: Float32s, average: int
) -> None:
    """NLinear's weights have no row for l, which is added as it is."""
    seen = work.seen
    gather(seen, inputs, chosen, seen.shape[0] // chosen.size)
    dense(out, seen, one)
    if one.shape[0] < seen.shape[1]:
        for r in range(seen.shape[0]):
            out[r] += seen[r, -1]


@kernel
def prepare(work: Space, layers: Float32s, average: int) -> Float32s:
    """What [d 1 l] is multiplied by: DLinear's layers as one (see above), or NLinear's layer."""
    lookback = work.difference.shape[0]
    if average == 0:
        return layers[0, : lookback + 1]
    trend, rest, one = layers[0], layers[1], work.one
    _subtract(work.difference, trend, rest)
    shared_out(one, work.difference, average)
    _add(one, rest[:lookback])
    one[lookback] = trend[lookback] + rest[lookback]
    one[lookback + 1] = 0
    for t in range(lookback):
        one[lookback + 1] += trend[t]
    return one


@kernel
def backward(
    work: Space, prepared: Float32s, gradient: Float32s, out: Float32s, average: int
) -> None:
    lookback = work.difference.shape[0]
    if average == 0:
        dense_back(gradient[0, : lookback + 1], work.seen, out)
        return
    trend, rest, one = gradient[0], gradient[1], work.gradient
    dense_back(one, work.seen, out)
    averaged(trend, one[:lookback], average)
    _subtract(rest[:lookback], one, trend)
    for t in range(lookback):
        trend[t] += one[lookback + 1]
    trend[lookback] = one[lookback]
    rest[lookback] = one[lookback]


@kernel
def _subtract(out: Float32s, one: Float32s, other: Float32s) -> None:
    for t in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[t, j] = one[t, j] - other[t, j]


@kernel
def _add(out: Float32s, other: Float32s) -> None:
    for t in range(other.shape[0]):
        for j in range(other.shape[1]):
            out[t, j] += other[t, j]


NET = Net("linear", int64, AT_ONCE, rows, space, layers, prepare, forward, backward)
epoch, predict = epoch_of(NET), predict_of(NET)
