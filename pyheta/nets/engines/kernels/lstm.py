"""Epochs of one recurrent layer of LSTM cells and a linear one (see `nets/zoo/lstm.py`), in
compiled code.

With h and c of the row before, x of this row, W of four blocks (i, f, g, o as torch has them),

    i, f, o = sigmoid([h 1 x 1] W),  g = tanh([h 1 x 1] W),  c = f c + i g,  h = o tanh(c)

so a row of the window takes one product: both of torch's biases are rows of W. Gates lie apart from
each other, each (lookback, batch, hidden), because what is done with them is done to all their
numbers at once.
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

GATES = 4
INPUT, FORGET, CELL, OUTPUT = range(GATES)


class Space(NamedTuple):
    """Where a batch is worked on. `seen` are the rows [h 1 x 1] that gates see, and one for the
    last h.
    """

    seen: Array  # (lookback + 1, batch, depth)
    gates: Array  # (GATES, lookback, batch * hidden)
    cells: Array  # (lookback + 1, batch * hidden): before the first row they are zero
    tanhs: Array  # (lookback, batch * hidden): of the cells
    carried: Array  # (2, batch * hidden): the gradients of h and c on their way back
    turned: Array  # (GATES, hidden, hidden): what hidden states are multiplied by, transposed


@kernel
def space(lookback: int, batch: int, channels: int, hidden: int) -> Space:
    cells = batch * hidden
    return Space(
        rows_seen(lookback, batch, channels, hidden),
        zeros(GATES * lookback * cells).reshape(GATES, lookback, cells),
        zeros((lookback + 1) * cells).reshape(lookback + 1, cells),
        zeros(lookback * cells).reshape(lookback, cells),
        zeros(2 * cells).reshape(2, cells),
        zeros(GATES * hidden * hidden).reshape(GATES, hidden, hidden),
    )


@kernel
def forward(work: Space, weights: Array, hidden: int) -> None:
    """From what is seen of the channels to all hidden states; the last ones are in
    work.seen[lookback].
    """
    lookback, batch = work.tanhs.shape[0], work.seen.shape[1]
    for t in range(lookback):
        known = hidden if t == 0 else 0  # the first row has no hidden state before it
        for gate in range(GATES):
            out = work.gates[gate, t].reshape(batch, hidden)
            multiply(out, work.seen[t][:, known:], weights[gate, known:], False)
        activations.sigmoid_and_tanh(work.gates[INPUT, t], work.gates[CELL, t])
        activations.sigmoids(work.gates[FORGET, t], work.gates[OUTPUT, t])
        _cells(work, t)
        activations.tanh(work.cells[t + 1], work.tanhs[t])
        _states(work.seen[t + 1], work.gates[OUTPUT, t], work.tanhs[t], hidden)


@kernel
def _cells(work: Space, t: int) -> None:
    _add_up(
        work.cells[t + 1],
        work.gates[FORGET, t],
        work.cells[t],
        work.gates[INPUT, t],
        work.gates[CELL, t],
    )


@kernel
def _add_up(out: Array, a: Array, b: Array, c: Array, d: Array) -> None:
    for j in range(out.size):
        out[j] = a[j] * b[j] + c[j] * d[j]


@kernel
def _states(seen: Array, gate: Array, tanhs: Array, hidden: int) -> None:
    for b in range(seen.shape[0]):
        state, start = seen[b], b * hidden
        for j in range(hidden):
            state[j] = gate[start + j] * tanhs[start + j]


@kernel
def backward(work: Space, weights: Array, gradient: Array, hidden: int) -> None:
    """From the gradient of the last hidden states, in work.carried[0], to that of the weights.

    Gates become the gradients of what was put into them.
    """
    lookback, batch = work.tanhs.shape[0], work.seen.shape[1]
    turned = work.turned
    for gate in range(GATES if lookback > 1 else 0):
        transpose(turned[gate], weights[gate, :hidden])
    work.carried[1] = 0
    for t in range(lookback - 1, -1, -1):
        _gates_back(work, t)
        for gate in range(GATES if t > 0 else 0):
            out, put_in = (
                work.carried[0].reshape(batch, hidden),
                work.gates[gate, t].reshape(batch, hidden),
            )
            multiply(out, put_in, turned[gate], gate > 0)
    for gate in range(GATES):
        _weights_back(work, gradient[gate], work.gates[gate], hidden)


@kernel
def _gates_back(work: Space, t: int) -> None:
    states, cells = (
        work.carried[0],
        work.carried[1],
    )  # unpacked, they would not be known to be contiguous
    _output_back(states, cells, work.gates[OUTPUT, t], work.tanhs[t])
    _input_back(cells, work.gates[INPUT, t], work.gates[CELL, t])
    _forget_back(cells, work.gates[FORGET, t], work.cells[t])


@kernel
def _output_back(states: Array, cells: Array, gate: Array, tanhs: Array) -> None:
    for j in range(states.size):
        d, o, t = states[j], gate[j], tanhs[j]
        cells[j] += d * o * (F(1) - t * t)
        gate[j] = d * t * o * (F(1) - o)


@kernel
def _input_back(cells: Array, gate: Array, candidate: Array) -> None:
    for j in range(cells.size):
        d, i, g = cells[j], gate[j], candidate[j]
        gate[j] = d * g * i * (F(1) - i)
        candidate[j] = d * i * (F(1) - g * g)


@kernel
def _forget_back(cells: Array, gate: Array, before: Array) -> None:
    for j in range(cells.size):
        d, f = cells[j], gate[j]
        gate[j] = d * before[j] * f * (F(1) - f)
        cells[j] = d * f


@kernel
def _weights_back(work: Space, gradient: Array, put_in: Array, hidden: int) -> None:
    """All rows after the first in one product; the first knows no hidden state."""
    lookback, batch, rows = work.tanhs.shape[0], work.seen.shape[1], work.seen.shape[2]
    later = (lookback - 1) * batch
    seen = work.seen[1:lookback].reshape(later, rows).T
    multiply(gradient, seen, put_in[1:].reshape(later, hidden), False)
    first = put_in[0].reshape(batch, hidden)
    multiply(gradient[hidden:], work.seen[0][:, hidden:].T, first, True)


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
    """Train on all windows of `order`, a batch at a time, `rates` having each batch's learning
    rate.

    `weights`, `first` and `second` (the optimiser's moments) are changed in place; `steps` were
    done before. Returns the mean loss over all examples as they were met.
    """
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
        states = work.carried[0].reshape(chosen.size, hidden)
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
