"""Epochs of one recurrent layer of GRU cells and a linear one (see `nets/zoo/gru.py`), in compiled
code.

With h of the row before, x of this row, W of three blocks (r, z, n as torch has them) that are cut
after h's bias,

    r, z = sigmoid([h 1 x 1] W),  m = [h 1] W_n,  n = tanh([x 1] W_n + r m),  h = n + z (h - n)

Everything is (lookback, batch, hidden) as in `kernels/lstm.py`, for the same reasons.
"""

from typing import NamedTuple

import numpy as np
from numba import float32 as f32
from numba import float64, int64, void
from numpy.typing import NDArray

from pyheta.nets.engines.kernels import activations, rules, tiny
from pyheta.nets.engines.kernels.compiling import entry, kernel
from pyheta.nets.engines.kernels.memory import zeros
from pyheta.nets.engines.kernels.products import dense, multiply
from pyheta.nets.engines.kernels.recurrent import PREDICTED, blocks, depth, output_back, rows_seen
from pyheta.nets.engines.kernels.rules import RULE, Moments, Rule
from pyheta.nets.engines.kernels.vectors import transpose
from pyheta.nets.engines.kernels.windows import gather_rows, gather_targets

Array = NDArray[np.float32]
Rows = NDArray[np.int64]
F = np.float32

GATES = 3
RESET, UPDATE, CANDIDATE = range(GATES)


class Space(NamedTuple):
    """Where a batch is worked on. `seen` are the rows [h 1 x 1] that gates see, and one for the
    last h.
    """

    seen: Array  # (lookback + 1, batch, depth)
    gates: Array  # (GATES, lookback, batch * hidden)
    memories: Array  # (lookback, batch * hidden): m above
    states: Array  # (lookback + 1, batch * hidden): h; before the first row it is zero
    carried: Array  # (batch * hidden,): the gradients of h on their way back
    turned: Array  # (GATES, hidden, hidden): what hidden states are multiplied by, transposed


@kernel
def space(lookback: int, batch: int, channels: int, hidden: int) -> Space:
    cells = batch * hidden
    return Space(
        rows_seen(lookback, batch, channels, hidden),
        zeros(GATES * lookback * cells).reshape(GATES, lookback, cells),
        zeros(lookback * cells).reshape(lookback, cells),
        zeros((lookback + 1) * cells).reshape(lookback + 1, cells),
        zeros(cells),
        zeros(GATES * hidden * hidden).reshape(GATES, hidden, hidden),
    )


@kernel
def forward(work: Space, weights: Array, hidden: int) -> None:
    """From what is seen of the channels to all hidden states; the last ones are in
    work.seen[lookback].
    """
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
def _recall(candidate: Array, reset: Array, memory: Array) -> None:
    for j in range(candidate.size):
        candidate[j] += reset[j] * memory[j]


@kernel
def _mix(out: Array, update: Array, before: Array, candidate: Array) -> None:
    for j in range(out.size):
        out[j] = candidate[j] + update[j] * (before[j] - candidate[j])


@kernel
def backward(work: Space, weights: Array, gradient: Array, hidden: int) -> None:
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
def _mix_back(states: Array, update: Array, before: Array, candidate: Array) -> None:
    for j in range(states.size):
        d, z, n = states[j], update[j], candidate[j]
        update[j] = d * (before[j] - n) * z * (F(1) - z)
        candidate[j] = d * (F(1) - z) * (F(1) - n * n)
        states[j] = d * z


@kernel
def _recall_back(candidate: Array, reset: Array, memory: Array) -> None:
    for j in range(candidate.size):
        d, r = candidate[j], reset[j]
        reset[j] = d * memory[j] * r * (F(1) - r)
        memory[j] = d * r


@kernel
def _weights_back(gradient: Array, seen: Array, put_in: Array, hidden: int) -> None:
    """A row after the other; the first knows no hidden state."""
    lookback, batch = put_in.shape[0], seen.shape[1]
    first = put_in[0].reshape(batch, hidden)
    gradient[:hidden] = 0
    multiply(gradient[hidden:], seen[0][:, hidden:].T, first, False)
    for t in range(1, lookback):
        multiply(gradient, seen[t].T, put_in[t].reshape(batch, hidden), True)


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
    hidden: int,
) -> float:
    """The same as `lstm.epoch`."""
    channels, lookback = inputs.shape[1:]
    outputs = targets.shape[1] * targets.shape[2]
    gradient = zeros(weights.size)
    rows = depth(channels, hidden)
    gates, head = blocks(weights, GATES, rows, hidden)
    gates_gradient, head_gradient = blocks(gradient, GATES, rows, hidden)
    work = space(lookback, min(batch, order.size), channels, hidden)
    total, before = 0.0, tiny.flush()
    for number, start in enumerate(range(0, order.size, batch)):
        chosen = order[start : start + batch]
        if chosen.size < work.seen.shape[1]:
            work = space(lookback, chosen.size, channels, hidden)
        out = zeros(chosen.size * outputs).reshape(chosen.size, outputs)
        gather_rows(work.seen, inputs, chosen, hidden + 1)
        forward(work, gates, hidden)
        dense(out, work.seen[lookback], head)
        total += rules.loss(out, gather_targets(targets, chosen), rule)
        states = work.carried.reshape(chosen.size, hidden)
        output_back(states, head, head_gradient, work.seen[lookback], out)
        backward(work, gates, gates_gradient, hidden)
        rules.step(
            weights, gradient, Moments(first, second), rates[number], steps + number + 1, rule
        )
    tiny.restore(before)
    return total / (order.size * outputs)


@entry(void(WINDOWS, FLAT, f32[:, ::1], int64))
def predict(inputs: Array, weights: Array, out: Array, hidden: int) -> None:
    """Forecasts (n, outputs) for all windows."""
    count, channels, lookback = inputs.shape
    gates, head = blocks(weights, GATES, depth(channels, hidden), hidden)
    work = space(lookback, min(PREDICTED, count), channels, hidden)
    for start in range(0, count, PREDICTED):
        chosen = np.arange(start, min(start + PREDICTED, count))
        if chosen.size < work.seen.shape[1]:
            work = space(lookback, chosen.size, channels, hidden)
        gather_rows(work.seen, inputs, chosen, hidden + 1)
        forward(work, gates, hidden)
        dense(out[start : start + chosen.size], work.seen[lookback], head)
