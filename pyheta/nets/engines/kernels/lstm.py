"""Epochs of one recurrent layer of LSTM cells and a linear one (see `nets/zoo/lstm.py`).

With h and c of the row before, x of this row, W of four blocks (i, f, g, o as torch has them),

    i, f, o = sigmoid([h 1 x 1] W),  g = tanh([h 1 x 1] W),  c = f c + i g,  h = o tanh(c)

so a row of the window takes one product: both of torch's biases are rows of W. Gates lie apart from
each other, each (lookback, batch, hidden), because what is done with them is done to all their
numbers at once.
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

GATES = 4
INPUT, FORGET, CELL, OUTPUT = range(GATES)


class Space(NamedTuple):
    """Memory for a batch. `seen` are the rows [h 1 x 1] that gates see, and one for the last h."""

    seen: Float32s  # (lookback + 1, batch, depth)
    gates: Float32s  # (GATES, lookback, batch * hidden)
    cells: Float32s  # (lookback + 1, batch * hidden): before the first row they are zero
    tanhs: Float32s  # (lookback, batch * hidden): of the cells
    carried: Float32s  # (2, batch * hidden): the gradients of h and c on their way back
    turned: Float32s  # (GATES, hidden, hidden): what hidden states are multiplied by, transposed


@kernel
def space(shape: BatchShape, hidden: int) -> Space:
    lookback, cells = shape.lookback, shape.batch * hidden
    return Space(
        rows_seen(shape, hidden),
        zeros(GATES * lookback * cells).reshape(GATES, lookback, cells),
        zeros((lookback + 1) * cells).reshape(lookback + 1, cells),
        zeros(lookback * cells).reshape(lookback, cells),
        zeros(2 * cells).reshape(2, cells),
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
def _add_up(out: Float32s, a: Float32s, b: Float32s, c: Float32s, d: Float32s) -> None:
    for j in range(out.size):
        out[j] = a[j] * b[j] + c[j] * d[j]


@kernel
def _states(seen: Float32s, gate: Float32s, tanhs: Float32s, hidden: int) -> None:
    for b in range(seen.shape[0]):
        state, start = seen[b], b * hidden
        for j in range(hidden):
            state[j] = gate[start + j] * tanhs[start + j]


@kernel
def backward(work: Space, layers: Layers, gradient: Layers, out: Float32s, hidden: int) -> None:
    (gates, head), (gates_gradient, head_gradient) = layers, gradient
    states = work.carried[0].reshape(out.shape[0], hidden)
    output_back(states, head, head_gradient, work.seen[-1], out)
    _recur_back(work, gates, gates_gradient, hidden)


@kernel
def _recur_back(work: Space, weights: Float32s, gradient: Float32s, hidden: int) -> None:
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
    states, cells = work.carried[0], work.carried[1]  # unpacked, they would not count as contiguous
    _output_back(states, cells, work.gates[OUTPUT, t], work.tanhs[t])
    _input_back(cells, work.gates[INPUT, t], work.gates[CELL, t])
    _forget_back(cells, work.gates[FORGET, t], work.cells[t])


@kernel
def _output_back(states: Float32s, cells: Float32s, gate: Float32s, tanhs: Float32s) -> None:
    for j in range(states.size):
        d, o, t = states[j], gate[j], tanhs[j]
        cells[j] += d * o * (F(1) - t * t)
        gate[j] = d * t * o * (F(1) - o)


@kernel
def _input_back(cells: Float32s, gate: Float32s, candidate: Float32s) -> None:
    for j in range(cells.size):
        d, i, g = cells[j], gate[j], candidate[j]
        gate[j] = d * g * i * (F(1) - i)
        candidate[j] = d * i * (F(1) - g * g)


@kernel
def _forget_back(cells: Float32s, gate: Float32s, before: Float32s) -> None:
    for j in range(cells.size):
        d, f = cells[j], gate[j]
        gate[j] = d * before[j] * f * (F(1) - f)
        cells[j] = d * f


@kernel
def _weights_back(work: Space, gradient: Float32s, put_in: Float32s, hidden: int) -> None:
    """All rows after the first in one product; the first knows no hidden state."""
    lookback, batch, rows = work.tanhs.shape[0], work.seen.shape[1], work.seen.shape[2]
    later = (lookback - 1) * batch
    seen = work.seen[1:lookback].reshape(later, rows).T
    multiply(gradient, seen, put_in[1:].reshape(later, hidden), False)
    first = put_in[0].reshape(batch, hidden)
    multiply(gradient[hidden:], work.seen[0][:, hidden:].T, first, True)


NET = Net("lstm", int64, AT_ONCE, one_row, space, layers, unchanged, forward, backward)
epoch, predict = epoch_of(NET), predict_of(NET)
