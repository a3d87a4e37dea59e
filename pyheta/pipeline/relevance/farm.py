"""FARM: how relevant an exogenous column is to a target, row by row and as one number.

A window of both series is relevant where they move alike (Pearson correlation within the window).
Before that, a column that leads the target can be aligned: its slopes are matched with the target's
by the angle between them, in one forward pass. The pieces are used one by one:

    forward_path, align     the column, delayed onto the target
    local_relevance         one value in [0, 1] for each row; `end_spot_relevance` weighs the
                            newest rows most
    fuzzified               the same, smoothed over neighbouring rows
    global_relevance        one number in [0, 1] for the pair

Source: Christen, Mazzola, Denzler, Portmann, "FARM: Forward Angular Relevance Measure", arXiv
2304.11028, in the form of its first author's software (CRAN package FARM 0.1.5; PyFARM, branch
align_fix). Deviations: input that is not finite is refused, a flat window is found by an exact
test, and the global number always has at least one row to average.

Series are (rows,) float64, equidistant, finite. Centred windows see rows after the one they
describe, so what is made of them must not be fed to a forecaster that claims to be honest;
`trailing=True` and `end_spot_relevance` see rows up to their own only, if `scalers` come from
training rows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.compiled import compiled_exactly
from pyheta.pipeline.scaling import Scaler

Rows = NDArray[np.int64]
Scalers = tuple[Scaler, Scaler]  # how to standardise the target, and the column

#: The published smoothing of local relevance, newest row last; only the proportions matter.
KERNEL = (2.0, 6.0, 10.0, 6.0, 2.0)
#: The exponent of the weights within a trailing window (end-spot relevance).
END_WEIGHT = 6
HALF_PI = math.pi / 2
LEAST_WINDOW = 3


@dataclass(frozen=True, slots=True)
class Path:
    """Which slope of the target is matched with which of the column, step by step.

    Slope i leads from row i to row i + 1.

    Both grow from 0 to the last slope, by 0 or 1 in each step.
    """

    target: Rows  # (steps,)
    column: Rows  # (steps,)
    cost: float  # the sum of the distances that were chosen

    @property
    def lag(self) -> int:
        """By how many rows the column is delayed at most."""
        return int((self.target - self.column).max())


def angular_distance(first: ArrayLike, second: ArrayLike, *, metric: bool = True) -> Floats:
    """How far two slopes point apart: 0 where they are equal, 1 for a right angle or more.

    A slope is a change per row.

    With phi the angle between (1, first) and (1, second): sin phi, and 1 beyond a right angle. The
    variant that is no metric punishes opposite directions alone, with max(sin phi, 1 - exp(-5
    phi)); else sin phi. It depends on units: standardise the series before. The arguments
    broadcast; a NaN slope is at distance 1, or NaN where not metric.
    """
    one, other = np.broadcast_arrays(np.arctan(first), np.arctan(second))
    flat: Floats = _distances(
        one.ravel().astype(np.float64), other.ravel().astype(np.float64), metric
    )
    return flat.reshape(one.shape)


def forward_path(target: Floats, column: Floats, *, metric: bool = True) -> Path:
    """Match slopes greedily in one pass: the nearest of diagonal, squeeze and stretch.

    Squeezing the column is barred while it is not behind, so a column is only ever delayed (it may
    lead the target, never lag it). target: (N,), column: (M,); O(N + M) time and memory. The delay
    has no bound. Standardise both before: angles depend on units. Raises StepError below two rows
    or if not finite.
    """
    one, other = (np.arctan(np.diff(_checked(values, least=2))) for values in (target, column))
    matched, cost = _walk(one, other, metric)
    return Path(matched[0], matched[1], cost)


def align(column: Floats, path: Path) -> Floats:
    """The column on the target's rows: (M,) → (N,), in its own units.

    A slope that is matched several times is cut into as many equal steps; of the steps that share a
    slope of the target the last remains. If the path ends late, the rows left over fall into the
    last one.
    """
    kept = np.concatenate([[True], np.diff(path.target) != 0, [True]])
    delayed: Floats = _stretched(column, path.column)[kept]
    return delayed


def local_relevance(
    target: Floats,
    column: Floats,
    *,
    window: int = 5,
    trailing: bool = False,
    scalers: Scalers | None = None,
) -> Floats:
    """Relevance of each row's window, (rows,) in [0, 1]: 1 - sqrt((1 - correlation) / 2).

    Correlation 1 gives 1, 0.5 gives 0.5, 0 gives 0.29 and -1 gives 0: opposite movement is
    irrelevant, and so is a window in which either series is flat. The window (odd) is centred or
    ends at its row (`trailing`); where it reaches outside, the series' means stand in.

    scalers: how to standardise target and column, by default from all rows. Raises StepError for a
    window that is even, below 3 or longer than the series, for unequal lengths, or for values that
    are not finite.
    """
    one, other = _standardised(target, column, window, scalers)
    relevance: Floats = _local(one, other, window, window - 1 if trailing else window // 2)
    return relevance


def end_spot_relevance(
    target: Floats, column: Floats, *, window: int = 5, scalers: Scalers | None = None
) -> Floats:
    """Trailing relevance times the nearness of the standardised values, (rows,) in [0, 1].

    Nearness is 1 - angular distance of the two values; the j-th of w rows weighs (j / (w - 1))^6,
    so the newest rows of the window decide. Arguments and errors as for `local_relevance`.
    """
    relevance = local_relevance(target, column, window=window, trailing=True, scalers=scalers)
    one, other = _standardised(target, column, window, scalers)
    weights = np.linspace(0.0, 1.0, window) ** END_WEIGHT
    # Rows before the first one stand at both means, where nothing separates the two.
    near = np.concatenate([np.ones(window - 1), 1.0 - angular_distance(one, other)])
    return np.minimum(relevance * _weighted(near, weights / weights.sum()), 1.0)


def fuzzified(
    relevance: Floats, kernel: Sequence[float] = KERNEL, *, trailing: bool = False
) -> Floats:
    """Relevance smoothed over neighbouring rows, (rows,) in [0, 1]; it counts as 0 outside.

    kernel: an odd number of weights around each row, at least 0, of any sum; `trailing` uses those
    of the row itself and of earlier rows alone. (1,) smooths nothing. Raises StepError for another
    kernel, or for one that is not shorter than twice the series.
    """
    reach = len(kernel) // 2
    weights = np.asarray(kernel[: reach + 1] if trailing else kernel, np.float64)
    if len(kernel) % 2 == 0 or len(kernel) >= 2 * len(relevance) or not _weighs(weights):
        raise StepError(
            f"a kernel of {len(kernel)} weights cannot smooth {len(relevance)} rows",
            cure="give an odd number of weights, none below 0 and not all 0, fewer than twice "
            "the rows",
        )
    padded = np.pad(relevance, (reach, 0 if trailing else reach))
    return np.minimum(_weighted(padded, weights / weights.sum()), 1.0)


def global_relevance(relevance: Floats, *, top_percent: float = 15.0) -> float:
    """One number in [0, 1] for a pair: sqrt((T² + G²) / 2).

    G is the mean of all local values, T that of the highest `top_percent` of them (1 … 100, at
    least one row). Unrelated series reach about 0.5, so set it beside the value of a shifted
    column. Raises StepError for another percentage or without rows.
    """
    if not (1 <= top_percent <= 100 and len(relevance)):  # noqa: PLR2004 (percent)
        raise StepError(
            f"no highest {top_percent:g} % of {len(relevance)} rows", cure="use 1 to 100 percent"
        )
    # The small term keeps 15 % of 20 rows at 3 of them, whatever the product rounds to.
    count = max(1, math.floor(top_percent / 100 * len(relevance) + 1e-9))
    top = np.sort(relevance)[-count:].mean()
    return min(1.0, math.sqrt((top**2 + relevance.mean() ** 2) / 2))


def _checked(values: Floats, *, least: int) -> Floats:
    """The same as contiguous float64, which the compiled functions are made for."""
    if len(values) < least:
        raise StepError(f"{len(values)} rows are too few: FARM needs {least} here")
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise StepError(
            "a value is not finite", where=f"row {row}", cure="fill or drop such rows before FARM"
        )
    return np.ascontiguousarray(values, np.float64)


def _standardised(
    target: Floats, column: Floats, window: int, scalers: Scalers | None
) -> tuple[Floats, Floats]:
    if window < LEAST_WINDOW or window % 2 == 0:
        raise StepError(
            f"a window of {window} rows has no middle", cure="use an odd window of 3 rows or more"
        )
    if len(target) != len(column):
        what = f"the target has {len(target)} rows and the column {len(column)}"
        raise StepError(what, cure="align the column first")
    both = [_checked(values, least=window) for values in (target, column)]
    ways = scalers or [Scaler.fit("standard", values) for values in both]
    first, second = (way.apply(values) for way, values in zip(ways, both, strict=True))
    return first, second


def _stretched(series: Floats, path: Rows) -> Floats:
    """(M,) → (steps + 1,): each slope in as many equal steps as it occurs in the path."""
    times = np.bincount(path)
    if len(times) != len(series) - 1:
        raise StepError(
            f"a path over {len(times)} slopes does not fit a series of {len(series)} rows"
        )
    step = np.arange(len(path)) - (np.cumsum(times) - times)[path] + 1
    share = step / times[path]
    # The end of a slope is the next value itself, not a sum that rounds near it.
    ends = np.where(share < 1, series[path] + share * np.diff(series)[path], series[path + 1])
    return np.concatenate([series[:1], ends])


def _weighs(weights: Floats) -> bool:
    return bool(np.isfinite(weights).all() and (weights >= 0).all() and weights.any())


def _weighted(values: Floats, weights: Floats) -> Floats:
    """Sliding sums, added weight by weight: so a row rounds alike whatever its neighbours hold."""
    rows = len(values) - len(weights) + 1
    total = np.zeros(rows)
    for start, weight in enumerate(weights):
        total += weight * values[start : start + rows]
    return total


@compiled_exactly
def _distance(one: float, other: float, metric: bool) -> float:  # noqa: FBT001 (numba)
    """Of two angles; the angles' form of the formula decides ties between steps of a path."""
    phi = abs(one - other)
    if metric:
        return math.sin(phi) if phi <= HALF_PI else 1.0
    if one < 0.0 < other or other < 0.0 < one:
        return max(math.sin(phi), 1.0 - math.exp(-5.0 * phi))
    return math.sin(phi)


@compiled_exactly
def _distances(one: Floats, other: Floats, metric: bool) -> Floats:  # noqa: FBT001 (numba)
    distances = np.empty_like(one)
    for i in range(len(one)):
        distances[i] = _distance(one[i], other[i], metric)
    return distances


@compiled_exactly
def _step(target: Floats, column: Floats, y: int, x: int, metric: bool) -> tuple[int, int, float]:  # noqa: FBT001
    """How far the next step goes on each side, and its distance, 0 where a side has ended."""
    if y + 1 >= len(target) or x + 1 >= len(column):
        return min(1, len(target) - 1 - y), min(1, len(column) - 1 - x), 0.0
    down, right, best = 1, 1, _distance(target[y + 1], column[x + 1], metric)
    if x + 2 < len(column) and y != x:
        squeeze = _distance(target[y + 1], column[x + 2], metric)
        if squeeze < best:
            down, right, best = 1, 2, squeeze
    if y + 2 < len(target):
        stretch = _distance(target[y + 2], column[x + 1], metric)
        if stretch < best:
            down, right, best = 2, 1, stretch
    return down, right, best


@compiled_exactly
def _walk(target: Floats, column: Floats, metric: bool) -> tuple[Rows, float]:  # noqa: FBT001 (numba)
    """From the angles of all slopes to the path (2, steps); a step of 2 passes the row between."""
    path = np.empty((2, len(target) + len(column)), np.int64)
    y, x, steps, cost = 0, 0, 1, _distance(target[0], column[0], metric)
    path[:, 0] = 0
    while y + 1 < len(target) or x + 1 < len(column):
        down, right, distance = _step(target, column, y, x, metric)
        if down + right > 2:  # noqa: PLR2004 (one side goes twice as far)
            path[0, steps], path[1, steps] = y + down - 1, x + right - 1
            steps += 1
        y, x, cost = y + down, x + right, cost + distance
        path[0, steps], path[1, steps] = y, x
        steps += 1
    return path[:, :steps].copy(), cost


@compiled_exactly
def _local(target: Floats, column: Floats, window: int, before: int) -> Floats:
    """Relevance of the window from `before` rows before each row; 0 (the mean) stands outside."""
    rows = len(target)
    one, other = np.zeros(rows + window - 1), np.zeros(rows + window - 1)
    one[before : before + rows] = target
    other[before : before + rows] = column
    relevance = np.zeros(rows)
    for row in range(rows):
        # Rounding leaves a flat window a deviation that is not quite zero and a correlation of any
        # size.
        if _moves(one, row, row + window) and _moves(other, row, row + window):
            relevance[row] = 1.0 - math.sqrt(
                0.5 * (1.0 - _correlation(one, other, row, row + window))
            )
    return relevance


@compiled_exactly
def _moves(values: Floats, start: int, stop: int) -> bool:
    for i in range(start + 1, stop):  # noqa: SIM110 (numba compiles no generator)
        if values[i] != values[start]:
            return True
    return False


@compiled_exactly
def _correlation(first: Floats, second: Floats, start: int, stop: int) -> float:
    """Centred within the window: running sums of squares lose their digits far from zero."""
    mean, other_mean = 0.0, 0.0
    for i in range(start, stop):
        mean, other_mean = mean + first[i], other_mean + second[i]
    mean, other_mean = mean / (stop - start), other_mean / (stop - start)
    both, one, other = 0.0, 0.0, 0.0
    for i in range(start, stop):
        a, b = first[i] - mean, second[i] - other_mean
        both, one, other = both + a * b, one + a * a, other + b * b
    size = math.sqrt(one * other)
    return max(-1.0, min(1.0, both / size)) if size > 0.0 else -1.0
