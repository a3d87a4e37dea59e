"""Any torch module (batch, channels, lookback) -> (batch, horizon) as a forecaster."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pyheta.nets import training
from pyheta.nets.forecaster import Forecaster, History, State
from pyheta.nets.training import Examples, Options
from pyheta.ops import Progress
from pyheta.pipeline.channels import Array
from pyheta.pipeline.windows import Windows


class GradientForecaster(Forecaster):
    """A module that is trained by gradient. The seed decides its first weights and its training."""

    dtype: ClassVar[type[np.floating[Any]]] = np.float32

    def __init__(self, make: Callable[[], nn.Module], seed: int) -> None:
        self.seed = seed
        with training.seeded(seed):
            self.module = make()

    def fit(self, train: Windows, val: Windows, options: Mapping[str, Any], progress: Progress) -> History:
        return training.train(
            self.module,
            _examples(train),
            _examples(val),
            Options(**options),
            seed=self.seed,
            progress=progress,
        )

    def predict(self, inputs: Array) -> NDArray[np.float64]:
        forecast = training.predict(self.module, torch.from_numpy(inputs))
        return forecast.numpy().astype(np.float64)

    def state(self) -> State:
        return {name: tensor.numpy() for name, tensor in self.module.state_dict().items()}

    def restore(self, state: State) -> None:
        self.module.load_state_dict({name: torch.tensor(a) for name, a in state.items()})


def _examples(windows: Windows) -> Examples:
    return Examples(torch.from_numpy(windows.inputs), torch.from_numpy(windows.targets))
