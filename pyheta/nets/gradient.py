"""Any torch module (batch, channels, lookback) -> (batch, targets, horizon) as a forecaster."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pyheta.nets.configs.base import NetConfig
from pyheta.nets.engines import autograd, compiled, programs
from pyheta.nets.engines.autograd import AutogradLearner
from pyheta.nets.engines.compiled import CompiledLearner
from pyheta.nets.engines.device import torch_device
from pyheta.nets.engines.kernels import readiness
from pyheta.nets.forecaster import Forecaster
from pyheta.nets.training import loop
from pyheta.nets.training.history import History
from pyheta.nets.training.learning_rate import find_learning_rate
from pyheta.nets.training.loop import Learner, TrainingRun
from pyheta.nets.training.options import Train
from pyheta.nets.training.resume import EarlierFit
from pyheta.nets.training.trainer_state import State
from pyheta.pipeline.windows import Shape, Windows
from pyheta.task import Progress


class GradientForecaster(Forecaster):
    """A module that is trained by gradient. The seed decides its first weights and its training."""

    dtype: ClassVar[type[np.floating[Any]]] = np.float32

    def __init__(
        self, make: Callable[[], nn.Module], config: NetConfig, shape: Shape, seed: int
    ) -> None:
        self.config = config
        self.seed = seed
        self.program = programs.program(config, shape)
        with autograd.seeded(seed):
            self.module = make().to(torch_device())

    def fit(
        self,
        train: Windows,
        val: Windows,
        options: Train,
        progress: Progress,
        earlier: EarlierFit | None = None,
    ) -> History:
        chosen = self._with_rate(options, train, val, progress, earlier)
        learner, run = self._begin(chosen, train, val, earlier)
        history = loop.train(learner, run, progress)
        self.restore(learner.state())
        return history

    def _with_rate(
        self,
        options: Train,
        train: Windows,
        val: Windows,
        progress: Progress,
        earlier: EarlierFit | None,
    ) -> Train:
        """The options with the learning rate of the earlier fit, or the one that is to be found."""
        if earlier:
            return options.model_copy(update={"lr": earlier.lr})
        if not options.find_lr:
            return options
        first = {name: array.copy() for name, array in self.state().items()}

        def begin(trial: Train) -> tuple[Learner, TrainingRun]:
            self.restore(first)
            return self._begin(trial, train, val)

        chosen = find_learning_rate(options, begin, progress)
        self.restore(first)
        return chosen

    def _begin(
        self, options: Train, train: Windows, val: Windows, earlier: EarlierFit | None = None
    ) -> tuple[Learner, TrainingRun]:
        run = TrainingRun(options, len(train), self.seed, earlier)
        return self._learner(train, val, options), run

    def _learner(self, train: Windows, val: Windows, options: Train) -> Learner:
        """In the fastest engine that is ready: no run waits until kernels are compiled."""
        exact = options.precision == "float32"
        if self.program and exact and readiness.ready(self.program.kernel):
            return CompiledLearner(self.program, self.state(), train, val, options)
        reads_rows = self.config.reads_rows
        return AutogradLearner(
            self.module, train, val, options, seed=self.seed, reads_rows=reads_rows
        )

    def predict(self, windows: Windows) -> NDArray[np.float64]:
        if self.program and readiness.ready(self.program.kernel):
            forecast = compiled.forecast(self.program, self.state(), windows)
        else:
            forecast = autograd.predict(self.module, windows, reads_rows=self.config.reads_rows)
        return forecast.astype(np.float64)

    def state(self) -> State:
        return {name: tensor.cpu().numpy() for name, tensor in self.module.state_dict().items()}

    def restore(self, state: State) -> None:
        self.module.load_state_dict({name: torch.tensor(a) for name, a in state.items()})
