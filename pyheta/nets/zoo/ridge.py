"""Ridge regression of all steps ahead on the window (Hoerl & Kennard 1970).

Per channel it is the linear model of long-term forecasting (Zeng et al. 2023) at its optimum. Toner
& Darlow (2024) show that the variants of that model are this regression too: they differ only in
how they normalise a window.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pyheta.errors import StepError
from pyheta.nets.configs.closed_form import RidgeConfig
from pyheta.nets.forecaster import Forecaster
from pyheta.nets.training.options import Train
from pyheta.nets.training.resume import EarlierFit
from pyheta.nets.training.trainer_state import State
from pyheta.pipeline.arrays import Array, Floats
from pyheta.pipeline.windows import Shape, Windows
from pyheta.task import Progress

BLOCK = 512  # windows that are flattened, and so copied, at a time
EPSILON = 1e-5  # added to a window's variance before its root is taken, as in `instance_norm`


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over the rows of X and Y, of which the squared error of a linear forecast is made."""

    gram: Floats  # X'X, (regressors, regressors)
    cross: Floats  # X'Y, (regressors, responses)
    square: float  # ||Y||²

    def error(self, weight: Floats) -> float:
        """||Y - X weight||²."""
        return self.square - float(np.sum(weight * (2 * self.cross - self.gram @ weight)))


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
        width = shape.lookback + config.window_std
        each = (width, shape.horizon)
        together = (shape.channels * width, shape.targets * shape.horizon)
        self.weight = np.zeros(each if config.per_channel else together)
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
        """One decomposition of X'X serves all alphas. StepError if no solution is unique."""
        means = self._means(train)
        solutions = _solutions(self._moments(train, *means), self.config.alpha)
        if len(self.config.alpha) == 1:
            _, self.weight = next(solutions)
        else:
            on_val = self._moments(val, *means)
            alpha, self.weight = min(solutions, key=lambda solution: on_val.error(solution[1]))
            self.chosen = {"alpha": np.array(alpha)}
        self.bias = means[1] - means[0] @ self.weight

    def predict(self, windows: Windows) -> Floats:
        forecast = np.empty((len(windows), self.shape.targets, self.shape.horizon))
        for block in _blocks(len(windows)):
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

    def _moments(self, windows: Windows, mean_x: Floats, mean_y: Floats) -> Moments:
        """The moments of X - mean_x and Y - mean_y."""
        regressors, _ = self.weight.shape
        gram, cross, square = np.zeros((regressors, regressors)), np.zeros_like(self.weight), 0.0
        for x, y in self._rows(windows):
            centred_x, centred_y = x - mean_x, y - mean_y
            gram += centred_x.T @ centred_x
            cross += centred_x.T @ centred_y
            square += float(np.vdot(centred_y, centred_y))
        return Moments(gram, cross, square)

    def _rows(self, windows: Windows) -> Iterator[tuple[Floats, Floats]]:
        """X and Y in blocks that fit into memory."""
        for block in _blocks(len(windows)):
            x, level = self._regressors(windows.inputs[block])
            y = windows.targets[block].astype(np.float64) - level
            yield x, y.reshape(len(x), -1)

    def _regressors(self, inputs: Array) -> tuple[Floats, Floats]:
        """Rows of X, and what is subtracted from each target's window: (n, targets, 1)."""
        targets = self.shape.targets
        seen = inputs[:, : targets if self.config.per_channel else None].astype(np.float64)
        level = seen.mean(axis=2, keepdims=True) * self.config.instance_norm
        spread = np.sqrt(seen.var(axis=2, keepdims=True) + EPSILON)[..., : self.config.window_std]
        x = np.concatenate([seen - level, spread], axis=2)
        return x.reshape(-1, len(self.weight)), level[:, :targets]


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK) for start in range(0, count, BLOCK))


def _solutions(moments: Moments, alphas: Sequence[float]) -> Iterator[tuple[float, Floats]]:
    """Each alpha with its (X'X + alpha)⁻¹ X'Y. Raises StepError without a unique solution."""
    values, vectors = np.linalg.eigh(moments.gram)
    null = values <= values[-1] * len(values) * np.finfo(np.float64).eps
    if null.any() and not min(alphas):
        cure = "set net.alpha above 0, or leave out constant and repeated columns"
        raise StepError("the ridge equations have no single solution", cure=cure)
    rotated = vectors.T @ moments.cross
    rotated[null] = 0  # X has nothing in these directions: what stands there is rounding
    for alpha in alphas:
        yield alpha, vectors @ (rotated / np.where(null, 1, values + alpha)[:, np.newaxis])
