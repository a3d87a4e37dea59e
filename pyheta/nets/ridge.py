"""Ridge regression of all steps ahead on the flattened window (Hoerl & Kennard 1970)."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyheta.errors import StepError
from pyheta.nets.configs import RidgeConfig
from pyheta.nets.forecaster import Forecaster, State
from pyheta.ops import Progress
from pyheta.pipeline.channels import Array
from pyheta.pipeline.windows import Shape, Windows

Floats = NDArray[np.float64]

BLOCK = 4096  # windows that are flattened, and so copied, at a time


class Ridge(Forecaster):
    """min over W, b of ||Y - X W - b||² + alpha ||W||²: the sum of squares, and b unpenalised.

    `weight` is (channels * lookback, horizon), `bias` (horizon,).
    """

    def __init__(self, config: RidgeConfig, shape: Shape) -> None:
        self.alpha = config.alpha
        self.weight = np.zeros((shape.channels * shape.lookback, shape.horizon))
        self.bias = np.zeros(shape.horizon)

    def fit(
        self,
        train: Windows,
        val: Windows,  # noqa: ARG002 (nothing is decided here)
        options: Mapping[str, Any],  # noqa: ARG002
        progress: Progress,  # noqa: ARG002
    ) -> None:
        """The normal equations of the centred data. Raises StepError if they are singular."""
        mean_x = sum(x.sum(axis=0) for x in _blocks(train.inputs)) / len(train)
        mean_y = train.targets.astype(np.float64).mean(axis=0)
        gram = self.alpha * np.eye(len(self.weight))
        moment = np.zeros_like(self.weight)
        for x, y in zip(_blocks(train.inputs), _blocks(train.targets), strict=True):
            centred = x - mean_x
            gram += centred.T @ centred
            moment += centred.T @ (y - mean_y)
        self.weight = _solve(gram, moment)
        self.bias = mean_y - mean_x @ self.weight

    def predict(self, inputs: Array) -> Floats:
        return np.concatenate([x @ self.weight + self.bias for x in _blocks(inputs)])

    def state(self) -> State:
        return {"weight": self.weight, "bias": self.bias}

    def restore(self, state: State) -> None:
        self.weight, self.bias = state["weight"], state["bias"]


def _blocks(array: Array) -> Iterator[Floats]:
    """A view's rows, flattened, in blocks that fit into memory."""
    for start in range(0, len(array), BLOCK):
        block = array[start : start + BLOCK].astype(np.float64)
        yield block.reshape(len(block), -1)


def _solve(gram: Floats, moment: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.solve(gram, moment), np.float64)
    except np.linalg.LinAlgError as error:
        cure = "set net.alpha above 0, or leave out constant and repeated columns"
        raise StepError("the ridge equations have no single solution", cure=cure) from error
