"""The engine for small nets on a CPU: a whole epoch is one compiled function.

torch takes microseconds for each of the hundred operations of a step, which is most of a small
net's time. Weights, batches and formulas are the same, so the nets are those of torch but for the
order of sums.
"""

from collections.abc import Mapping
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from pyheta.nets.engines.kernels import LINE, readiness
from pyheta.nets.engines.programs import Flat, Program
from pyheta.nets.training.losses import mean_loss
from pyheta.nets.training.options import Train
from pyheta.nets.training.trainer_state import NO_RANDOM, State, TrainerState
from pyheta.pipeline.arrays import Array
from pyheta.pipeline.windows import Windows


class CompiledLearner:
    """Trains a net that is kept in flat arrays: weights, moments. `state` has the first weights."""

    engine = "compiled"

    def __init__(
        self,
        program: Program,
        state: Mapping[str, Any],
        train: Windows,
        val: Windows,
        options: Train,
    ) -> None:
        self.program = program
        self.train, self.val = train, val
        self.options = options
        self.steps = 0
        self._kernel = readiness.load(program.kernel)
        self._rule = _rule(options)
        self._weights, self._first, self._second = (_zeros(program.weights) for _ in range(3))
        program.place(state, self._weights)

    def epoch(self, order: NDArray[np.int64], rates: NDArray[np.float64]) -> float:
        moments = (self._weights, self._first, self._second)
        examples = (self.train.inputs, self.train.targets, order, rates, self._rule)
        batch, last = self.options.batch_size, self.program.last
        loss: float = self._kernel.epoch(*examples, *moments, self.steps, batch, last)
        self.steps += len(rates)
        return loss

    def validate(self) -> float:
        return mean_loss(
            predict(self.program, self._weights, self.val), self.val.targets, self.options
        )

    def state(self) -> State:
        return self.program.take(self._weights)

    def load(self, state: State) -> None:
        self.program.place(state, self._weights)

    def trainer_state(self) -> TrainerState:
        weights, first, second = map(self.program.take, (self._weights, self._first, self._second))
        return TrainerState(weights, first, second, self.steps, NO_RANDOM)

    def resume(self, state: TrainerState) -> None:
        self.load(state.weights)
        self.program.place(state.first, self._first)
        self.program.place(state.second, self._second)
        self.steps = state.steps


def forecast(program: Program, state: Mapping[str, Any], windows: Windows) -> Array:
    """Forecasts (n, targets, horizon) of a net with these weights."""
    weights = _zeros(program.weights)
    program.place(state, weights)
    return predict(program, weights, windows)


def predict(program: Program, weights: Flat, windows: Windows) -> Array:
    out = np.empty((len(windows), program.outputs), np.float32)
    readiness.load(program.kernel).predict(windows.inputs, weights, out, program.last)
    return out.reshape(windows.targets.shape)


def _rule(options: Train) -> Any:
    from pyheta.nets.engines.kernels.rules import LOSSES, OPTIMIZERS, Rule

    return Rule(
        LOSSES.index(options.loss),
        _loss_parameter(options),
        OPTIMIZERS.index(options.optimizer),
        options.momentum,
        options.weight_decay,
        options.clip or 0.0,
    )


def _loss_parameter(options: Train) -> float:
    match options.loss:
        case "mse" | "mae":
            return 0.0
        case "huber":
            return options.huber_delta
        case "quantile":
            return options.quantile
        case _:
            assert_never(options.loss)


def _zeros(count: int) -> Flat:
    """Zeros that begin on a cache line."""
    buffer = np.zeros(count + LINE // 4, np.float32)
    start = -buffer.ctypes.data % LINE // 4
    return buffer[start : start + count]
