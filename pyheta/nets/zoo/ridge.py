"""Ridge regression of all steps ahead on the window (Hoerl & Kennard 1970).

Per channel it is the linear model of long-term forecasting (Zeng et al. 2023) at its optimum. Toner
& Darlow (2024) show that the variants of that model are this regression too: they differ only in
how they normalise a window.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from pyheta.errors import StepError
from pyheta.nets.configs.closed_form import RidgeConfig
from pyheta.nets.forecaster import Forecaster
from pyheta.nets.training.options import Train
from pyheta.nets.training.resume import EarlierFit
from pyheta.nets.training.trainer_state import State
from pyheta.nets.zoo.regression import Blocks, Dual, Form, Primal
from pyheta.pipeline.arrays import Array, Floats
from pyheta.pipeline.windows import Shape, Windows
from pyheta.task import Progress

BLOCK = 512  # windows that are flattened, and so copied, at a time
BLOCK_CELLS = 1 << 23  # at most so many values of them, 64 MiB: wide windows are fewer at a time
EPSILON = 1e-5  # added to a window's variance before its root is taken, as in `instance_norm`


class Ridge(Forecaster):
    """min over W, b of ||Y - X W - b||² + alpha ||W||²: the sum of squares, and b unpenalised.

    A row of X is a window with all its channels, a row of Y the steps ahead of all targets. With
    `per_channel`, a row is one target's window and that target's steps ahead. `instance_norm`
    subtracts the mean of each channel's window from the window and the steps ahead, and b is 0.
    `window_std` makes the standard deviation of each channel's window a regressor too. Of several
    alphas, the one with the least squared error on validation is chosen.
    """

    def __init__(self, config: RidgeConfig, shape: Shape) -> None:
        self.config, self.shape = config, shape
        self.weight = np.zeros(config.weights(shape))
        self.bias = np.zeros(self.weight.shape[1])
        self.chosen: State = {}  # {"alpha": …} if validation chose one

    def fit(
        self,
        train: Windows,
        val: Windows,
        options: Train,  # noqa: ARG002
        progress: Progress,  # noqa: ARG002
        earlier: EarlierFit | None = None,  # noqa: ARG002
    ) -> None:
        """One decomposition serves all alphas. Raises StepError if no solution is unique."""
        means = self._means(train)
        form = self._form(partial(self._centred, train, *means), len(train))
        alpha = self._alpha(form, partial(self._centred, val, *means))
        self.weight = form.weight(alpha)
        self.bias = means[1] - means[0] @ self.weight

    def _form(self, train: Blocks, windows: int) -> Form:
        """The smaller of the two systems of equations."""
        regressors, responses = self.weight.shape
        rows = windows * self.shape.targets * self.shape.horizon // responses
        return (Dual if rows < regressors else Primal).of(train, self.weight.shape)

    def _alpha(self, form: Form, val: Blocks) -> float:
        """The penalty, which validation chooses of several."""
        alphas = self.config.alpha
        if form.solver.rank < len(self.weight) and not min(alphas):
            cure = "set net.alpha above 0, or leave out constant and repeated columns"
            raise StepError("the ridge equations have no single solution", cure=cure)
        if len(alphas) == 1:
            return alphas[0]
        alpha = alphas[int(np.argmin(form.errors(val, alphas)))]
        self.chosen = {"alpha": np.array(alpha)}
        return alpha

    def decided(self) -> Mapping[str, Any]:
        return {name: [float(value)] for name, value in self.chosen.items()}

    def predict(self, windows: Windows) -> Floats:
        forecast = np.empty((len(windows), self.shape.targets, self.shape.horizon))
        for block in self._blocks(len(windows)):
            x, level = self._regressors(windows.inputs[block])
            forecast[block] = (x @ self.weight + self.bias).reshape(forecast[block].shape) + level
        return forecast

    def state(self) -> State:
        return {"weight": self.weight, "bias": self.bias, **self.chosen}

    def restore(self, state: State) -> None:
        self.weight, self.bias = state["weight"], state["bias"]

    def _means(self, train: Windows) -> tuple[Floats, Floats]:
        """The means of the columns of X and Y; zeros if each window's own are subtracted."""
        regressors, responses = self.weight.shape
        if self.config.instance_norm:
            return np.zeros(regressors), np.zeros(responses)
        sums = [np.concatenate([x.sum(axis=0), y.sum(axis=0)]) for x, y in self._rows(train)]
        means = np.sum(sums, axis=0) / (
            len(train) * self.shape.targets * self.shape.horizon / responses
        )
        return means[:regressors], means[regressors:]

    def _centred(
        self, windows: Windows, mean_x: Floats, mean_y: Floats
    ) -> Iterator[tuple[Floats, Floats]]:
        """X - mean_x and Y - mean_y in blocks."""
        return ((x - mean_x, y - mean_y) for x, y in self._rows(windows))

    def _rows(self, windows: Windows) -> Iterator[tuple[Floats, Floats]]:
        """X and Y in blocks that fit into memory."""
        for block in self._blocks(len(windows)):
            x, level = self._regressors(windows.inputs[block])
            y = windows.targets[block].astype(np.float64) - level
            yield x, y.reshape(len(x), -1)

    def _regressors(self, inputs: Array) -> tuple[Floats, Floats]:
        """Rows of X, and what is subtracted from each target's window: (n, targets, 1)."""
        targets = self.shape.targets
        seen = inputs[:, : targets if self.config.per_channel else None].astype(np.float64)
        level, x = np.zeros((len(seen), seen.shape[1], 1)), seen
        if self.config.instance_norm:
            level = seen.mean(axis=2, keepdims=True)
            x = seen - level
        if self.config.window_std:
            spread = np.sqrt(seen.var(axis=2, keepdims=True) + EPSILON)
            x = np.concatenate([x, spread], axis=2)
        return x.reshape(-1, len(self.weight)), level[:, :targets]

    def _blocks(self, count: int) -> Iterator[slice]:
        """So many windows in blocks."""
        regressors = self.shape.channels * (self.shape.lookback + 1)
        step = max(1, min(BLOCK, BLOCK_CELLS // regressors))
        return (slice(start, start + step) for start in range(0, count, step))
