"""The nets that compiled code can train, and how their weights lie in the array it works on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pyheta.nets.configs.base import NetConfig
from pyheta.nets.configs.feedforward import MLPConfig
from pyheta.nets.configs.linear import DLinearConfig, NLinearConfig
from pyheta.nets.configs.recurrent import GRUConfig, LSTMConfig
from pyheta.nets.engines.kernels import padded
from pyheta.pipeline.arrays import Array
from pyheta.pipeline.windows import Shape

Flat = NDArray[np.float32]


class Program(Protocol):
    """A net's kernel, and how its weights lie in the flat array that the kernel works on."""

    @property
    def kernel(self) -> str:
        """The name of its module."""
        ...

    @property
    def weights(self) -> int:
        """Length of the flat array: all weights, and padding."""
        ...

    @property
    def outputs(self) -> int:
        """Values of a forecast: targets times steps ahead."""
        ...

    @property
    def last(self) -> Any:
        """The kernel's last argument."""
        ...

    def place(self, state: Mapping[str, Any], flat: Flat) -> None:
        """Write the weights of a module's state into the flat array."""
        ...

    def take(self, flat: Flat) -> dict[str, Array]:
        """The module's state, copied out of the flat array."""
        ...


@dataclass(frozen=True, slots=True)
class Recurrent:
    """One layer of cells and a linear one. Rows of a gate: hidden states, bias, channels, bias."""

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
        """Views with torch's order of axes, but gates apart: (gates, hidden, inputs)."""
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
class LinearLayers:
    """Linear layers, one after the other in memory. Rows of each: its inputs, its bias, padding."""

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
class Dense(LinearLayers):
    """Each layer reads the output of the one before."""

    kernel: str = field(default="mlp", init=False)

    @property
    def outputs(self) -> int:
        return self.layers[-1][2]

    @property
    def last(self) -> NDArray[np.int64]:
        return np.array([self.layers[0][1], *(outputs for *_, outputs in self.layers)])


@dataclass(frozen=True, slots=True)
class Linear(LinearLayers):
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


def _lstm(config: LSTMConfig, shape: Shape) -> Recurrent:
    return Recurrent("lstm", 4, config.hidden, shape)


def _gru(config: GRUConfig, shape: Shape) -> Recurrent:
    return Recurrent("gru", 3, config.hidden, shape)


def _mlp(config: MLPConfig, shape: Shape) -> Dense:
    sizes = (shape.channels * shape.lookback, *config.hidden, shape.targets * shape.horizon)
    return Dense(
        tuple((f"layers.{1 + 3 * i}", *between) for i, between in enumerate(pairwise(sizes)))
    )


def _nlinear(_config: NLinearConfig, shape: Shape) -> Linear:
    return _linear(("linear",), 0, shape)


def _dlinear(config: DLinearConfig, shape: Shape) -> Linear:
    return _linear(("trend", "rest"), config.kernel, shape)


def _linear(names: tuple[str, ...], average: int, shape: Shape) -> Linear:
    layers = tuple((name, shape.lookback, shape.horizon) for name in names)
    return Linear(layers, shape.targets, average)


@dataclass(frozen=True, slots=True)
class Compilable:
    """How nets of one configuration are compiled, and the most weights for which that pays."""

    largest: int
    program: Callable[[Any, Shape], Program]


#: The nets whose configurations say `has_kernel`. In larger ones products take most of the time,
#: and torch's products are as quick. NLinear is hardly more than one product. DLinear is one
#: product here, but in torch it is two and the averages of all windows: it takes half the time up
#: to this size, the largest that was measured.
PROGRAMS: Mapping[type[NetConfig], Compilable] = {
    LSTMConfig: Compilable(1 << 18, _lstm),
    GRUConfig: Compilable(1 << 18, _gru),
    MLPConfig: Compilable(1 << 18, _mlp),
    NLinearConfig: Compilable(1 << 17, _nlinear),
    DLinearConfig: Compilable(1 << 21, _dlinear),
}


def program(config: NetConfig, shape: Shape) -> Program | None:
    """How compiled code trains a net of this configuration; None where torch has to."""
    if not config.has_kernel:
        return None
    compilable = PROGRAMS[type(config)]
    compiled = compilable.program(config, shape)
    return compiled if compiled.weights <= compilable.largest else None
