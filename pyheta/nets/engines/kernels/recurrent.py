"""What the kernels of LSTM and GRU share: how weights lie, and the linear layer at the end."""

from pyheta.nets.engines.kernels.compiling import kernel
from pyheta.nets.engines.kernels.driver import BatchShape
from pyheta.nets.engines.kernels.memory import padded, zeros
from pyheta.nets.engines.kernels.products import dense_back, multiply
from pyheta.nets.engines.kernels.vectors import transpose
from pyheta.pipeline.arrays import Float32s

Layers = tuple[Float32s, Float32s]  # of the gates (gates, depth, hidden), and the linear one

AT_ONCE = 64  # windows that are forecast at once: their states stay in the cache


@kernel
def depth(channels: int, hidden: int) -> int:
    """Rows of a gate's weights: hidden states, a bias, channels, another bias, and padding."""
    return padded(hidden + channels + 2)


@kernel
def blocks(flat: Float32s, gates: int, rows: int, hidden: int) -> Layers:
    """The weights, or their gradient, as (gates, depth, hidden) and (hidden + 1, outputs)."""
    border = gates * rows * hidden
    return flat[:border].reshape(gates, rows, hidden), flat[border:].reshape(hidden + 1, -1)


@kernel
def rows_seen(shape: BatchShape, hidden: int) -> Float32s:
    """Room for the rows [h 1 x 1] that gates see, and one more h: (lookback + 1, batch, depth)."""
    batch, channels, lookback, _, _ = shape
    rows = depth(channels, hidden)
    seen = zeros((lookback + 1) * batch * rows).reshape(lookback + 1, batch, rows)
    seen[:, :, hidden] = 1
    seen[:lookback, :, hidden + 1 + channels] = 1
    return seen


@kernel
def output_back(
    states: Float32s, head: Float32s, gradient: Float32s, last: Float32s, out: Float32s
) -> None:
    """From the gradient `out` of the forecasts to those of the linear layer and the last states."""
    dense_back(gradient, last, out)
    turned = zeros(out.shape[1] * states.shape[1]).reshape(out.shape[1], states.shape[1])
    transpose(turned, head[: states.shape[1]])
    multiply(states, out, turned, False)
