"""Which nets the compiled engine can compute, and how their weights lie in the flat arrays it works
on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pyheta.arrays import Array
from pyheta.nets.configs.base import NetConfig
from pyheta.nets.configs.linear import DLinearConfig, NLinearConfig
from pyheta.nets.configs.union import GRUConfig, LSTMConfig, MLPConfig
from pyheta.nets.engines.kernels import padded
from pyheta.pipeline.windows import Shape

Flat = NDArray[np.float32]

#: Weights of the largest net: beyond, products take most of the time, and those of torch are as
#: quick. NLinear is little but one product. DLinear is one here, but two and the averages of all
#: windows in torch: as far as has been measured, which is this size, it takes half the time.
LARGEST = {"lstm": 1 << 18, "gru": 1 << 18, "mlp": 1 << 18, "nlinear": 1 << 17, "dlinear": 1 << 21}


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
    """One layer of cells and a linear one. A gate's rows are hidden states, a bias, channels, a
    bias.
    """

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
        return padded(self.hidden + self.shape.channels + 2)

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
class Layers:
    """Linear layers, one behind the other: each has a row for each input, one for the bias, and
    padding.
    """

    layers: tuple[tuple[str, int, int], ...]  # torch's name, inputs, outputs

    @property
    def weights(self) -> int:
        return sum(padded(inputs + 1) * outputs for _, inputs, outputs in self.layers)

    def place(self, state: Mapping[str, Any], flat: Flat) -> None:
        for name, view in self._views(flat).items():
            view[...] = state[name]

    def take(self, flat: Flat) -> dict[str, Array]:
        return {name: np.array(view) for name, view in self._views(flat).items()}

    def _views(self, flat: Flat) -> dict[str, Array]:
        start = 0
        views: dict[str, Array] = {}
        for name, inputs, outputs in self.layers:
            stop = start + padded(inputs + 1) * outputs
            rows = flat[start:stop].reshape(-1, outputs)
            views |= {f"{name}.weight": rows[:inputs].T, f"{name}.bias": rows[inputs]}
            start = stop
        return views


@dataclass(frozen=True, slots=True)
class Dense(Layers):
    """Each layer reads what the one before gave."""

    kernel: str = field(default="mlp", init=False)

    @property
    def outputs(self) -> int:
        return self.layers[-1][2]

    @property
    def last(self) -> NDArray[np.int64]:
        return np.array([self.layers[0][1], *(outputs for *_, outputs in self.layers)])


@dataclass(frozen=True, slots=True)
class Linear(Layers):
    """Each layer reads the window of each target. `average` is DLinear's kernel, or 0."""

    targets: int
    average: int
    kernel: str = field(default="linear", init=False)

    @property
    def outputs(self) -> int:
        return self.targets * self.layers[0][2]

    @property
    def last(self) -> int:
        return self.average


def program(config: NetConfig, shape: Shape) -> Program | None:
    """How a net of this configuration is computed here, if it is: small, one layer of cells, no
    dropout.
    """
    found: Program
    match config:
        case LSTMConfig(layers=1, dropout=0, instance_norm=False):
            found = Recurrent("lstm", 4, config.hidden, shape)
        case GRUConfig(layers=1, dropout=0, instance_norm=False):
            found = Recurrent("gru", 3, config.hidden, shape)
        case MLPConfig(dropout=0, instance_norm=False):
            found = _dense(config, shape)
        case DLinearConfig(instance_norm=False):
            found = _linear(("trend", "rest"), config.kernel, shape)
        case NLinearConfig(instance_norm=False):
            found = _linear(("linear",), 0, shape)
        case _:
            return None
    return found if found.weights <= LARGEST[config.name] else None


def _dense(config: MLPConfig, shape: Shape) -> Dense:
    sizes = (shape.channels * shape.lookback, *config.hidden, shape.targets * shape.horizon)
    return Dense(
        tuple((f"layers.{1 + 3 * i}", *between) for i, between in enumerate(pairwise(sizes)))
    )


def _linear(names: tuple[str, ...], average: int, shape: Shape) -> Linear:
    layers = tuple((name, shape.lookback, shape.horizon) for name in names)
    return Linear(layers, shape.targets, average)
