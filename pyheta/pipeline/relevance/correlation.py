"""How a column correlates with the target some rows later: Pearson and Spearman, lag by lag.

At lag l the column LEADS: column[t - l] is set beside target[t], for every row t that has both, so
there are n - l pairs. Pearson's correlation measures a linear relation. Spearman's is Pearson's of
the ranks, equal values sharing the mean of theirs, and measures any monotonic relation.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.compiled import compiled_exactly

LEAST_PAIRS = 3  # two points always lie on a line


def pearson(target: Floats, column: Floats, *, max_lag: int) -> Floats:
    """Pearson's correlation at lags 0 … max_lag: (max_lag + 1,) in [-1, 1].

    Series are (rows,) and finite. Raises StepError where it has no value: a series constant in the
    rows of a lag, fewer than 3 pairs at `max_lag`, unequal lengths, values that are not finite.
    """
    return at_lags(_correlation, target, column, max_lag)


def spearman(target: Floats, column: Floats, *, max_lag: int) -> Floats:
    """Spearman's rank correlation at lags 0 … max_lag; as `pearson`."""
    return at_lags(_correlation, target, column, max_lag, ranked=True)


def best_lag(values: Floats) -> int:
    """The lag of the largest absolute value, the shortest of equal ones."""
    return int(np.abs(values).argmax())


def at_lags(
    score: Callable[[Floats, Floats], float],
    target: Floats,
    column: Floats,
    max_lag: int,
    *,
    ranked: bool = False,
) -> Floats:
    """score(target[l:], column[:n - l]) for lags l = 0 … max_lag, of values or of their ranks."""
    for name, values in (("target", target), ("column", column)):
        _check(name, values, max_lag)
    if len(target) != len(column):
        raise StepError(f"the target has {len(target)} rows and the column {len(column)}")
    pairs = _ranked(target, column, max_lag) if ranked else _lagged(target, column, max_lag)
    return np.array([score(one, other) for one, other in pairs])


def _check(name: str, values: Floats, max_lag: int) -> None:
    if max_lag < 0 or len(values) - max_lag < LEAST_PAIRS:
        what = f"{len(values)} rows leave no {LEAST_PAIRS} pairs at lag {max_lag}"
        raise StepError(what, where=name, cure="use a shorter lag, 0 or more")
    if not np.isfinite(values).all():
        raise StepError("a value is not finite", where=name, cure="fill or drop such rows before")
    if np.ptp(values) == 0:
        raise StepError(
            "a constant series is related to nothing", where=name, cure="leave the column out"
        )


def _lagged(target: Floats, column: Floats, max_lag: int) -> Iterator[tuple[Floats, Floats]]:
    for lag in range(max_lag + 1):
        yield target[lag:], column[: len(column) - lag]


def _ranked(target: Floats, column: Floats, max_lag: int) -> Iterator[tuple[Floats, Floats]]:
    """Ranks among the rows of each lag, sorted once: rows dropped from an order leave it sorted."""
    rows = len(target)
    orders = np.argsort(target), np.argsort(column)
    for lag in range(max_lag + 1):
        yield _ranks(target, orders[0], lag, rows), _ranks(column, orders[1], 0, rows - lag)


def _correlation(one: Floats, other: Floats) -> float:
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        raise StepError("a series is constant in the rows of a lag", cure="use shorter lags")
    first, second = one - one.mean(), other - other.mean()
    # Sums and no dot products: those would wake BLAS threads for each lag, and wait for busy cores.
    size = np.sqrt(np.square(first).sum()) * np.sqrt(np.square(second).sum())
    return float(np.clip((first * second).sum() / size, -1.0, 1.0))


@compiled_exactly
def _ranks(values: Floats, order: NDArray[np.intp], start: int, stop: int) -> Floats:
    """Ranks from 0 of values[start:stop] among themselves; `order` sorts all of `values`."""
    ranks = np.empty(stop - start)
    lower, first = 0, 0
    while first < len(order):
        last, inside = first, 0
        while last < len(order) and values[order[last]] == values[order[first]]:
            inside += start <= order[last] < stop
            last += 1
        for place in order[first:last]:
            if start <= place < stop:
                ranks[place - start] = lower + (inside - 1) / 2
        lower, first = lower + inside, last
    return ranks
