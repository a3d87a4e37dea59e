"""Ridge regression of all steps ahead on the window (Hoerl & Kennard 1970).

Per channel it is the linear model of long-term forecasting (Zeng et al. 2023) at its optimum. Toner
& Darlow (2024) show that the variants of that model are this regression too, but for how they
normalise a window.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyheta.arrays import Array, Floats
from pyheta.errors import StepError
from pyheta.nets.configs.closed_form import RidgeConfig
from pyheta.nets.forecaster import Forecaster
from pyheta.nets.training.earlier import Earlier
from pyheta.nets.training.standing import State
from pyheta.pipeline.windows import Shape, Windows
from pyheta.task import Progress

BLOCK = 512  # windows that are flattened, and so copied, at a time
#: Added to a window's variance before its root is taken, as nets that normalise windows do
EPSILON = 1e-5


@dataclass(frozen=True, slots=True)
class Moments:
    """What the squared error of a linear forecast depends on: sums over the rows of X and Y."""

    gram: Floats  # X'X, (regressors, regressors)
    cross: Floats  # X'Y, (regressors, answers)
    square: float  # of all values of Y

    def error(self, weight: Floats) -> float:
        """||Y - X weight||²."""
        return self.square - float(np.sum(weight * (2 * self.cross - self.gram @ weight)))


class Ridge(Forecaster):
    """min over W, b of ||Y - X W - b||² + alpha ||W||²: the sum of squares, and b unpenalised.

    A row of X is a window with all its channels, a row of Y what follows of all targets;
    `per_channel`, a row is one target's window and what follows of that target. `instance_norm`
    takes the mean of each channel's window from it and from what follows, and b is 0. `window_std`
    makes the deviation of each channel's window a regressor too. Of several alphas the one with the
    least squared error on validation is taken.
    """

    def __init__(self, config: RidgeConfig, shape: Shape) -> None:
        self.config, self.shape = config, shape
        width = shape.lookback + config.window_std
        each = (width, shape.horizon)
        together = (shape.channels * width, shape.targets * shape.horizon)
        self.weight = np.zeros(each if config.per_channel else together)
        self.bias = np.zeros(self.weight.shape[1])
        self.chosen: State = {}  # the alpha, where validation chose one

    def fit(
        self,
        train: Windows,
        val: Windows,
        options: Mapping[str, Any],  # noqa: ARG002
        progress: Progress,  # noqa: ARG002
        earlier: Earlier | None = None,  # noqa: ARG002
    ) -> None:
        """One decomposition of X'X serves all alphas. Raises StepError if there is no single
        solution.
        """
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
        """Those of X and of Y, or zeros where windows are forecast free of their own."""
        regressors, answers = self.weight.shape
        if self.config.instance_norm:
            return np.zeros(regressors), np.zeros(answers)
        sums = [np.concatenate([x.sum(axis=0), y.sum(axis=0)]) for x, y in self._rows(train)]
        means = np.sum(sums, axis=0) / (
            len(train) * self.shape.targets * self.shape.horizon / answers
        )
        return means[:regressors], means[regressors:]

    def _moments(self, windows: Windows, mean_x: Floats, mean_y: Floats) -> Moments:
        """Of X and Y without these means."""
        regressors, _ = self.weight.shape
        gram, cross, square = np.zeros((regressors, regressors)), np.zeros_like(self.weight), 0.0
        for x, y in self._rows(windows):
            centred, answers = x - mean_x, y - mean_y
            gram += centred.T @ centred
            cross += centred.T @ answers
            square += float(np.vdot(answers, answers))
        return Moments(gram, cross, square)

    def _rows(self, windows: Windows) -> Iterator[tuple[Floats, Floats]]:
        """X and Y in blocks that fit into memory."""
        for block in _blocks(len(windows)):
            x, level = self._regressors(windows.inputs[block])
            y = windows.targets[block].astype(np.float64) - level
            yield x, y.reshape(len(x), -1)

    def _regressors(self, inputs: Array) -> tuple[Floats, Floats]:
        """Rows of X, and what is taken from each target's window: (n, targets, 1)."""
        targets = self.shape.targets
        seen = inputs[:, : targets if self.config.per_channel else None].astype(np.float64)
        level = seen.mean(axis=2, keepdims=True) * self.config.instance_norm
        spread = np.sqrt(seen.var(axis=2, keepdims=True) + EPSILON)[..., : self.config.window_std]
        x = np.concatenate([seen - level, spread], axis=2)
        return x.reshape(-1, len(self.weight)), level[:, :targets]


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK) for start in range(0, count, BLOCK))


def _solutions(moments: Moments, alphas: Sequence[float]) -> Iterator[tuple[float, Floats]]:
    """(X'X + alpha)⁻¹ X'Y for each alpha."""
    values, vectors = np.linalg.eigh(moments.gram)
    null = values <= values[-1] * len(values) * np.finfo(np.float64).eps
    if null.any() and not min(alphas):
        cure = "set net.alpha above 0, or leave out constant and repeated columns"
        raise StepError("the ridge equations have no single solution", cure=cure)
    rotated = vectors.T @ moments.cross
    rotated[null] = 0  # what is there is rounding: these directions are not in X
    for alpha in alphas:
        yield alpha, vectors @ (rotated / np.where(null, 1, values + alpha)[:, np.newaxis])
