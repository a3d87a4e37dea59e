"""Epochs of one recurrent layer of GRU cells and a linear one (see `nets/zoo/gru.py`).

With h of the row before, x of this row, W of three blocks (r, z, n as torch has them) that are cut
after h's bias,

    r, z = sigmoid([h 1 x 1] W),  m = [h 1] W_n,  n = tanh([x 1] W_n + r m),  h = n + z (h - n)

Everything is (lookback, batch, hidden) as in `kernels/lstm.py`, for the same reasons.
"""

from typing import NamedTuple

import numpy as np
from numba import int64

from pyheta.nets.engines.kernels import activations
from pyheta.nets.engines.kernels.compiling import kernel
from pyheta.nets.engines.kernels.driver import (
    BatchShape,
    Net,
    epoch_of,
    one_row,
    predict_of,
    unchanged,
)
from pyheta.nets.engines.kernels.memory import zeros
from pyheta.nets.engines.kernels.products import dense, multiply
from pyheta.nets.engines.kernels.recurrent import (
    AT_ONCE,
    Layers,
    blocks,
    depth,
    output_back,
    rows_seen,
)
from pyheta.nets.engines.kernels.vectors import transpose
from pyheta.nets.engines.kernels.windows import gather_rows
from pyheta.pipeline.arrays import Float32s, Rows

F = np.float32

GATES = 3
RESET, UPDATE, CANDIDATE = range(GATES)


class Space(NamedTuple):
    """Memory for a batch. `seen` are the rows [h 1 x 1] that gates see, and one for the last h."""

    seen: Float32s  # (lookback + 1, batch, depth)
    gates: Float32s  # (GATES, lookback, batch * hidden)
    memories: Float32s  # (lookback, batch * hidden): m above
    states: Float32s  # (lookback + 1, batch * hidden): h; before the first row it is zero
    carried: Float32s  # (batch * hidden,): the gradients of h on their way back
    turned: Float32s  # (GATES, hidden, hidden): what hidden states are multiplied by, transposed


@kernel
def space(shape: BatchShape, hidden: int) -> Space:
    lookback, cells = shape.lookback, shape.batch * hidden
    return Space(
        rows_seen(shape, hidden),
        zeros(GATES * lookback * cells).reshape(GATES, lookback, cells),
        zeros(lookback * cells).reshape(lookback, cells),
        zeros((lookback + 1) * cells).reshape(lookback + 1, cells),
        zeros(cells),
        zeros(GATES * hidden * hidden).reshape(GATES, hidden, hidden),
    )


@kernel
def layers(flat: Float32s, shape: BatchShape, hidden: int) -> Layers:
    return blocks(flat, GATES, depth(shape.channels, hidden), hidden)


@kernel
def forward(
    work: Space, layers: Layers, inputs: Float32s, chosen: Rows, out: Float32s, hidden: int
) -> None:
    gates, head = layers
    gather_rows(work.seen, inputs, chosen, hidden + 1)
    _recur(work, gates, hidden)
    dense(out, work.seen[-1], head)


@kernel
def _recur(work: Space, weights: Float32s, hidden: int) -> None:
    """From what is seen of the channels to all hidden states; the last: work.seen[lookback]."""
    lookback, batch = work.memories.shape[0], work.seen.shape[1]
    for t in range(lookback):
        known = hidden if t == 0 else 0  # the first row has no hidden state before it
        for gate in (RESET, UPDATE):
            out = work.gates[gate, t].reshape(batch, hidden)
            multiply(out, work.seen[t][:, known:], weights[gate, known:], False)
        candidate, memory = work.gates[CANDIDATE, t], work.memories[t]
        past, now = work.seen[t][:, known : hidden + 1], work.seen[t][:, hidden + 1 :]
        multiply(memory.reshape(batch, hidden), past, weights[CANDIDATE, known : hidden + 1], False)
        multiply(candidate.reshape(batch, hidden), now, weights[CANDIDATE, hidden + 1 :], False)
        activations.sigmoids(work.gates[RESET, t], work.gates[UPDATE, t])
        _recall(candidate, work.gates[RESET, t], memory)
        activations.tanh(candidate, candidate)
        _mix(work.states[t + 1], work.gates[UPDATE, t], work.states[t], candidate)
        work.seen[t + 1][:, :hidden] = work.states[t + 1].reshape(batch, hidden)


@kernel
def _recall(candidate: Float32s, reset: Float32s, memory: Float32s) -> None:
    for j in range(candidate.size):
        candidate[j] += reset[j] * memory[j]


@kernel
def _mix(out: Float32s, update: Float32s, before: Float32s, candidate: Float32s) -> None:
    for j in range(out.size):
        out[j] = candidate[j] + update[j] * (before[j] - candidate[j])


@kernel
def backward(work: Space, layers: Layers, gradient: Layers, out: Float32s, hidden: int) -> None:
    (gates, head), (gates_gradient, head_gradient) = layers, gradient
    states = work.carried.reshape(out.shape[0], hidden)
    output_back(states, head, head_gradient, work.seen[-1], out)
    _recur_back(work, gates, gates_gradient, hidden)


@kernel
def _recur_back(work: Space, weights: Float32s, gradient: Float32s, hidden: int) -> None:
    """From the gradient of the last hidden states, in work.carried, to that of the weights.

    Gates, and what was remembered, become the gradients of what was put into them.
    """
    lookback, batch = work.memories.shape[0], work.seen.shape[1]
    turned = work.turned
    for gate in range(GATES if lookback > 1 else 0):
        transpose(turned[gate], weights[gate, :hidden])
    carried = work.carried.reshape(batch, hidden)
    for t in range(lookback - 1, -1, -1):
        reset, update, candidate = (
            work.gates[RESET, t],
            work.gates[UPDATE, t],
            work.gates[CANDIDATE, t],
        )
        _mix_back(work.carried, update, work.states[t], candidate)
        _recall_back(candidate, reset, work.memories[t])
        if t > 0:
            multiply(carried, reset.reshape(batch, hidden), turned[RESET], True)
            multiply(carried, update.reshape(batch, hidden), turned[UPDATE], True)
            multiply(carried, work.memories[t].reshape(batch, hidden), turned[CANDIDATE], True)
    for gate in (RESET, UPDATE):
        _weights_back(gradient[gate], work.seen, work.gates[gate], hidden)
    _weights_back(
        gradient[CANDIDATE, : hidden + 1], work.seen[:, :, : hidden + 1], work.memories, hidden
    )
    seen = work.seen[:lookback].reshape(lookback * batch, -1)
    put_in = work.gates[CANDIDATE].reshape(lookback * batch, hidden)
    multiply(gradient[CANDIDATE, hidden + 1 :], seen[:, hidden + 1 :].T, put_in, False)


@kernel
def _mix_back(states: Float32s, update: Float32s, before: Float32s, candidate: Float32s) -> None:
    for j in range(states.size):
        d, z, n = states[j], update[j], candidate[j]
        update[j] = d * (before[j] - n) * z * (F(1) - z)
        candidate[j] = d * (F(1) - z) * (F(1) - n * n)
        states[j] = d * z


@kernel
def _recall_back(candidate: Float32s, reset: Float32s, memory: Float32s) -> None:
    for j in range(candidate.size):
        d, r = candidate[j], reset[j]
        reset[j] = d * memory[j] * r * (F(1) - r)
        memory[j] = d * r


@kernel
def _weights_back(gradient: Float32s, seen: Float32s, put_in: Float32s, hidden: int) -> None:
    """A row after the other; the first knows no hidden state."""
    lookback, batch = put_in.shape[0], seen.shape[1]
    first = put_in[0].reshape(batch, hidden)
    gradient[:hidden] = 0
    multiply(gradient[hidden:], seen[0][:, hidden:].T, first, False)
    for t in range(1, lookback):
        multiply(gradient, seen[t].T, put_in[t].reshape(batch, hidden), True)


NET = Net("gru", int64, AT_ONCE, one_row, space, layers, unchanged, forward, backward)
epoch, predict = epoch_of(NET), predict_of(NET)
