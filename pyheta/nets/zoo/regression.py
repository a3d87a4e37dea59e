"""Linear regression with an L2 penalty, in the smaller of its two forms, for many penalties.

X (rows, regressors) and Y (rows, responses) come in blocks of rows, so X need not fit into memory.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pyheta.pipeline.arrays import Floats

HELD = 1 << 26  # an X of at most so many values, 512 MiB, is made once: the dual asks often for it

#: X and Y, less their means in training, in blocks of rows. Each call makes the blocks anew.
Blocks = Callable[[], Iterator[tuple[Floats, Floats]]]


@dataclass(frozen=True, slots=True)
class Solver:
    """Z of (A + alpha) Z = B for any alpha, by one decomposition of A, which is symmetric.

    `vectors` (n, n) and `values` (n,) are those of A, `rotated` is vectors' B.
    """

    values: Floats
    vectors: Floats
    rotated: Floats
    null: NDArray[np.bool_]  # (n,): the directions in which A has nothing

    @classmethod
    def of(cls, matrix: Floats, right: Floats) -> "Solver":
        """Of A, whose upper half is not read, and B."""
        values, vectors = np.linalg.eigh(matrix)
        null = values <= values[-1] * len(values) * np.finfo(np.float64).eps
        rotated = vectors.T @ right
        rotated[null] = 0  # what stands there is rounding, or cannot be reached
        return cls(values, vectors, rotated, null)

    @property
    def rank(self) -> int:
        """How many independent rows A has."""
        return int(np.sum(~self.null))

    def in_directions(self, alpha: float) -> Floats:
        """vectors' Z."""
        return self.rotated / np.where(self.null, 1, self.values + alpha)[:, np.newaxis]

    def solution(self, alpha: float) -> Floats:
        """Z."""
        return self.vectors @ self.in_directions(alpha)


class Form(Protocol):
    """One of the two ways to write the regression: they have the same weights."""

    @property
    def solver(self) -> Solver:
        """Its rank is that of X."""
        ...

    def weight(self, alpha: float) -> Floats:
        """W, (regressors, responses)."""
        ...

    def errors(self, val: Blocks, alphas: Sequence[float]) -> Sequence[float]:
        """||Y - X W||² of other rows, for the weights of each alpha."""
        ...


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over the rows of X and Y, of which the squared error of a linear forecast is made."""

    gram: Floats  # X'X, (regressors, regressors)
    cross: Floats  # X'Y, (regressors, responses)
    square: float  # ||Y||²

    @classmethod
    def of(cls, blocks: Blocks, weights: tuple[int, int]) -> "Moments":
        gram, cross, square = np.zeros((weights[0], weights[0])), np.zeros(weights), 0.0
        for x, y in blocks():
            gram += x.T @ x
            cross += x.T @ y
            square += float(np.vdot(y, y))
        return cls(gram, cross, square)

    def error(self, weight: Floats) -> float:
        """||Y - X weight||²."""
        return self.square - float(np.sum(weight * (2 * self.cross - self.gram @ weight)))


@dataclass(frozen=True, slots=True)
class Primal:
    """W = (X'X + alpha)⁻¹ X'Y: an equation for each regressor."""

    solver: Solver

    @classmethod
    def of(cls, train: Blocks, weights: tuple[int, int]) -> "Primal":
        moments = Moments.of(train, weights)
        return cls(Solver.of(moments.gram, moments.cross))

    def weight(self, alpha: float) -> Floats:
        return self.solver.solution(alpha)

    def errors(self, val: Blocks, alphas: Sequence[float]) -> Sequence[float]:
        moments = Moments.of(val, self.solver.rotated.shape)
        return [moments.error(self.weight(alpha)) for alpha in alphas]


@dataclass(frozen=True, slots=True)
class Dual:
    """W = X' (XX' + alpha)⁻¹ Y: an equation for each row, where rows are fewer than regressors.

    Saunders, Gammerman & Vovk (1998), equation 8.
    """

    train: Blocks
    regressors: int
    solver: Solver

    @classmethod
    def of(cls, train: Blocks, weights: tuple[int, int]) -> "Dual":
        responses = np.concatenate([y for _, y in train()])
        if len(responses) * weights[0] <= HELD:
            blocks = tuple(train())
            train = partial(iter, blocks)
        return cls(train, weights[0], Solver.of(_kernel(train, len(responses)), responses))

    def weight(self, alpha: float) -> Floats:
        solution = self.solver.solution(alpha)
        weight, stop = np.zeros((self.regressors, solution.shape[1])), 0
        for x, _ in self.train():
            start, stop = stop, stop + len(x)
            weight += x.T @ solution[start:stop]
        return weight

    def errors(self, val: Blocks, alphas: Sequence[float]) -> Sequence[float]:
        """From products of rows alone, since weights are many."""
        errors = np.zeros(len(alphas))
        for x, y in val():
            kernel = np.hstack([x @ other.T for other, _ in self.train()])
            in_directions = kernel @ self.solver.vectors
            for number, alpha in enumerate(alphas):
                forecast = in_directions @ self.solver.in_directions(alpha)
                errors[number] += np.square(y - forecast).sum()
        return list(errors)


def _kernel(train: Blocks, rows: int) -> Floats:
    """XX', (rows, rows): its lower half, which says all of it."""
    kernel, stop = np.zeros((rows, rows)), 0
    for number, (x, _) in enumerate(train()):
        start, stop = stop, stop + len(x)
        before = [x @ other.T for other, _ in islice(train(), number)]
        kernel[start:stop, :stop] = np.hstack([*before, x @ x.T])
    return kernel
