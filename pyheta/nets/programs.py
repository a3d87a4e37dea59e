"""Which nets the compiled engine can compute, and how their weights lie in the flat arrays it works on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pyheta.nets.config_base import NetConfig
from pyheta.nets.configs import GRUConfig, LSTMConfig, MLPConfig
from pyheta.nets.kernels import TILE
from pyheta.pipeline.channels import Array
from pyheta.pipeline.windows import Shape

Flat = NDArray[np.float32]

#: Weights of the largest net: beyond, products take most of the time, and those of torch are as quick.
LARGEST = 1 << 18


class Program(Protocol):
    """A net's kernel, and how its weights lie in the flat array that the kernel works on."""

    @property
    def kernel(self) -> str:
        """The name of its module."""
        ...

    @property
    def weights(self) -> int:
        """How many there are, with padding."""
        ...

    @property
    def outputs(self) -> int:
        """Numbers of a forecast: targets times steps ahead."""
        ...

    @property
    def last(self) -> Any:
        """The kernel's last argument."""
        ...

    def place(self, state: Mapping[str, Any], flat: Flat) -> None:
        """Write the weights of a module's state into the flat array."""
        ...

    def take(self, flat: Flat) -> dict[str, Array]:
        """The state again."""
        ...


@dataclass(frozen=True, slots=True)
class Recurrent:
    """One layer of cells and a linear one. A gate's rows are hidden states, a bias, channels, a bias."""

    kernel: str
    gates: int
    hidden: int
    shape: Shape

    @property
    def weights(self) -> int:
        return self.gates * self._depth * self.hidden + (self.hidden + 1) * self.outputs

    @property
    def outputs(self) -> int:
        return self.shape.targets * self.shape.horizon

    @property
    def last(self) -> int:
        return self.hidden

    def place(self, state: Mapping[str, Any], flat: Flat) -> None:
        for name, view in self._views(flat).items():
            view[...] = state[name].reshape(view.shape)

    def take(self, flat: Flat) -> dict[str, Array]:
        return {name: self._as_torch(name, view) for name, view in self._views(flat).items()}

    @property
    def _depth(self) -> int:
        return _padded(self.hidden + self.shape.channels + 2)

    def _views(self, flat: Flat) -> dict[str, Array]:
        """The places of torch's weights, in the order of their axes: (gates, hidden, inputs)."""
        hidden, border = self.hidden, self.gates * self._depth * self.hidden
        gates = flat[:border].reshape(self.gates, self._depth, hidden).swapaxes(1, 2)
        head = flat[border:].reshape(hidden + 1, self.outputs).T
        inputs = slice(hidden + 1, hidden + 1 + self.shape.channels)
        return {
            "recurrent.weight_ih_l0": gates[:, :, inputs],
            "recurrent.weight_hh_l0": gates[:, :, :hidden],
            "recurrent.bias_ih_l0": gates[:, :, inputs.stop],
            "recurrent.bias_hh_l0": gates[:, :, hidden],
            "head.weight": head[:, :hidden],
            "head.bias": head[:, hidden],
        }

    def _as_torch(self, name: str, view: Array) -> Array:
        """torch stacks the gates: (gates * hidden, inputs)."""
        return np.array(view if name.startswith("head") else view.reshape(-1, *view.shape[2:]))


@dataclass(frozen=True, slots=True)
class Dense:
    """Layers with a row for each input and one for the bias. `names` are those of torch's linear layers."""

    sizes: tuple[int, ...]
    names: tuple[str, ...]
    kernel: str = field(default="mlp", init=False)

    @property
    def weights(self) -> int:
        return sum(_padded(inputs + 1) * outputs for inputs, outputs in pairwise(self.sizes))

    @property
    def outputs(self) -> int:
        return self.sizes[-1]

    @property
    def last(self) -> NDArray[np.int64]:
        return np.array(self.sizes)

    def place(self, state: Mapping[str, Any], flat: Flat) -> None:
        for name, view in self._views(flat).items():
            view[...] = state[name]

    def take(self, flat: Flat) -> dict[str, Array]:
        return {name: np.array(view) for name, view in self._views(flat).items()}

    def _views(self, flat: Flat) -> dict[str, Array]:
        start = 0
        views: dict[str, Array] = {}
        for name, (inputs, outputs) in zip(self.names, pairwise(self.sizes), strict=True):
            stop = start + _padded(inputs + 1) * outputs
            rows = flat[start:stop].reshape(-1, outputs)
            views |= {f"{name}.weight": rows[:inputs].T, f"{name}.bias": rows[inputs]}
            start = stop
        return views


def _padded(rows: int) -> int:
    return -(-rows // TILE) * TILE


def program(config: NetConfig, shape: Shape) -> Program | None:
    """How a net of this configuration is computed here, if it is: small, one layer of cells, no dropout."""
    found: Program
    match config:
        case LSTMConfig(layers=1, dropout=0, instance_norm=False):
            found = Recurrent("lstm", 4, config.hidden, shape)
        case GRUConfig(layers=1, dropout=0, instance_norm=False):
            found = Recurrent("gru", 3, config.hidden, shape)
        case MLPConfig(dropout=0, instance_norm=False):
            found = _dense(config, shape)
        case _:
            return None
    return found if found.weights <= LARGEST else None


def _dense(config: MLPConfig, shape: Shape) -> Dense:
    sizes = (shape.channels * shape.lookback, *config.hidden, shape.targets * shape.horizon)
    return Dense(sizes, tuple(f"layers.{1 + 3 * layer}" for layer in range(len(sizes) - 1)))
