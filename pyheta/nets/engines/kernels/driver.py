"""What all compiled nets share: the loop over batches of an epoch, and forecasts in blocks.

A net gives its own part as functions (see `Net`). They are compiled into its loops.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import float32 as f32
from numba import float64, int64, void

from pyheta.nets.engines.kernels import rules, tiny
from pyheta.nets.engines.kernels.compiling import entry, inlined, kernel
from pyheta.nets.engines.kernels.memory import zeros
from pyheta.nets.engines.kernels.rules import RULE, Moments, Rule
from pyheta.nets.engines.kernels.windows import gather_targets
from pyheta.pipeline.arrays import Float32s, Floats, Rows

WINDOWS = f32[:, :, :]
FLAT = f32[::1]


class BatchShape(NamedTuple):
    """What the memory for a batch depends on."""

    batch: int  # windows
    channels: int
    lookback: int
    outputs: int  # numbers of a forecast: targets times steps ahead
    weights: int  # with padding


class Net(NamedTuple):
    """A net's compiled functions; `last`, the epoch's last argument, says how large its layers are.

    `out` holds a batch's forecasts (rows, outputs of a row), then their gradient.
    """

    name: str
    last: Any  # numba's type of `last`
    at_once: int  # rows that are forecast at once: what is worked on stays in the cache
    rows: Callable[..., int]  # (shape, last): rows of a window; a net sees each row by itself
    space: Callable[..., Any]  # (shape, last): memory for a batch of exactly this size
    layers: Callable[..., Any]  # (flat, shape, last): views of the weights, or of their gradient
    prepare: Callable[..., Any]  # (work, layers, last): what `forward` takes, once a batch
    forward: Callable[..., None]  # (work, prepared, inputs, chosen, out, last): fills `out`
    backward: Callable[..., None]  # (work, prepared, gradient, out, last): fills `gradient`


@kernel
def one_row(shape: BatchShape, last: Any) -> int:
    """Of most nets a window is one row."""
    return 1


@kernel
def unchanged(work: Any, layers: Any, last: Any) -> Any:
    """What most nets prepare."""
    return layers


def epoch_of(net: Net) -> Any:
    """The function that trains this net for an epoch."""
    rows, space, layers, prepare, forward, backward = net[3:]

    def epoch(
        inputs: Float32s,
        targets: Float32s,
        order: Rows,
        rates: Floats,
        rule: Rule,
        weights: Float32s,
        first: Float32s,
        second: Float32s,
        steps: int,
        batch: int,
        last: Any,
    ) -> float:
        """Train on all windows of `order`, in batches; `rates` has each batch's learning rate.

        `weights`, `first` and `second` (the optimizer's moments) are changed in place; `steps` were
        done before. Returns the mean loss of all examples, each by the weights of its batch.
        """
        shape = _shape(inputs, weights, targets.shape[1] * targets.shape[2], min(batch, order.size))
        work, gradient = space(shape, last), zeros(weights.size)
        height = rows(shape, last)
        forecasts = zeros(shape.batch * shape.outputs).reshape(shape.batch * height, -1)
        now, back = layers(weights, shape, last), layers(gradient, shape, last)
        total, before = 0.0, tiny.flush()
        for number, start in enumerate(range(0, order.size, batch)):
            chosen = order[start : start + batch]
            if chosen.size < shape.batch:
                work = space(_shape(inputs, weights, shape.outputs, chosen.size), last)
            out, prepared = forecasts[: chosen.size * height], prepare(work, now, last)
            forward(work, prepared, inputs, chosen, out, last)
            total += rules.loss(out, gather_targets(targets, chosen), rule)
            backward(work, prepared, back, out, last)
            rules.step(
                weights, gradient, Moments(first, second), rates[number], steps + number + 1, rule
            )
        tiny.restore(before)
        return total / (order.size * shape.outputs)

    types = (WINDOWS, WINDOWS, int64[::1], float64[::1], RULE, FLAT, FLAT, FLAT, int64, int64)
    return _compile(epoch, net, float64(*types, net.last))


def predict_of(net: Net) -> Any:
    """The function that forecasts by this net."""
    at_once, rows, space, layers, prepare, forward = net[2:8]

    def predict(inputs: Float32s, weights: Float32s, out: Float32s, last: Any) -> None:
        """Forecasts (n, outputs) for all windows."""
        count, outputs = out.shape
        height = rows(_shape(inputs, weights, outputs, count), last)
        forecasts, block = out.reshape(count * height, -1), max(1, at_once // height)
        shape = _shape(inputs, weights, outputs, min(block, count))
        work, now = space(shape, last), layers(weights, shape, last)
        prepared = prepare(work, now, last)
        for start in range(0, count, block):
            stop = min(start + block, count)
            chosen = np.arange(start, stop)
            if chosen.size < shape.batch:
                work = space(_shape(inputs, weights, outputs, chosen.size), last)
            forward(work, prepared, inputs, chosen, forecasts[start * height : stop * height], last)

    return _compile(predict, net, void(WINDOWS, FLAT, f32[:, ::1], net.last))


def _compile(function: Any, net: Net, signature: Any) -> Any:
    """Under the net's name: nets share the function, but not its machine code."""
    function.__qualname__ = f"{net.name}.{function.__name__}"
    return entry(signature)(function)


@inlined
def _shape(inputs: Float32s, weights: Float32s, outputs: int, batch: int) -> BatchShape:
    return BatchShape(batch, inputs.shape[1], inputs.shape[2], outputs, weights.size)
