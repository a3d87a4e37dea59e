"""Product `profile`: where and when the forecasts of a run are wrong, in at most 20 kB of JSON.

The file holds `version` and, for each part, in the target's own units (`unit` is "own"):

- `windows`, `steps`: how many there are; every window has every step,
- `by_step`: `mae`, `rmse` and `bias` of groups of steps ahead, each from the step after the group
  before it up to `last`. A group is one step, but for the later steps of long horizons,
- `by_hour`, `by_weekday` (0 is Monday), `by_month`: the same by the time of the target row, as it
  stands in the table, with `count` errors each. A group that is always the same is not there, nor
  are these where rows are counted,
- `by_hour_of_week`: `rmse` of 168 hours from Monday 0 o'clock on, null where there are none,
- `by_decile` of the truth: as `by_hour`; a decile holds what is above the one before it, up to
  `up_to`. Equal truths are in one decile, so others can be empty: these are not there,
- `mincer_zarnowitz`: `intercept` and `slope` of the regression of truth on forecast over all steps
  (Mincer and Zarnowitz 1969): 0 and 1 without bias; null where all forecasts are the same,
- `quantiles` of the errors: `at` these levels,
- `autocorrelation` of one-step errors: `values` at `every` rows, twice that, and so on,
- `worst` and `median`: windows of the largest and of middling errors: `row` and `time`
  (microseconds since 1970) of the first target, and the `rmse` over the steps.

An error is forecast - truth, `bias` is its mean; a sum is a mean times its count. A number has six
digits, as float32 carries, and is null where it is not finite.

Several targets have no unit in common, so all of this is said of their scaled errors together
(`unit` is "scaled"): quantiles are the mean of each target's, deciles are each target's own and
have no `up_to`, and what each target has in its own units stands under `targets`. Of those that
find no room the number stands under `targets_left_out`. Validation has less: `left_out` says what.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Floats, Rows
from pyheta.pipeline.losses import Judged, usual_distance
from pyheta.pipeline.splits import Part
from pyheta.steps import canonical

VERSION = 1

#: No profile has more bytes.
LIMIT = 20_000

#: How many groups of steps there are at most: fewer where numbers are long.
GROUPS_OF_STEPS = (96, 48, 24, 12)

#: What is left out of a part, so that the other has room.
LEFT_OUT: Mapping[Part, tuple[str, ...]] = {
    "val": (
        "autocorrelation",
        "by_hour",
        "by_hour_of_week",
        "by_month",
        "by_weekday",
        "median",
        "worst",
    )
}

#: So many bytes may each target's own numbers take, in a part.
ROOM_FOR_TARGETS = 2_000

LEVELS = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
WORST, MEDIAN = 32, 8
MOST_LAGS = 192  # two days of quarters of an hour
LAGS_WITHOUT_SEASON = 24

#: Forecasts whose deviation is less, in terms of the truth's, are the same but for rounding.
SAME = 1e-6

HOUR = 3_600_000_000
HOURS, DAYS, MONTHS, DECILES = 24, 7, 12, 10
EPOCH = 3  # 1970 began on a Thursday

Groups = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Sums:
    """Of groups of errors, (groups,) each: their number, and their sums."""

    count: Floats
    absolute: Floats
    square: Floats
    signed: Floats

    def plus(self, other: "Sums") -> "Sums":
        return Sums(
            self.count + other.count,
            self.absolute + other.absolute,
            self.square + other.square,
            self.signed + other.signed,
        )

    def over(self, unit: float) -> "Sums":
        """The same of errors in these units."""
        return Sums(self.count, self.absolute / unit, self.square / unit**2, self.signed / unit)

    def by(self, group: Groups, groups: int) -> "Sums":
        """The sums of larger groups; `group` is that of each, from 0."""
        each = (self.count, self.absolute, self.square, self.signed)
        return Sums(*(np.bincount(group, sums, groups).astype(np.float64) for sums in each))

    def means(self) -> dict[str, list[float | None]]:
        return {
            "mae": _numbers(self.absolute / self.count),
            "rmse": _numbers(np.sqrt(self.square / self.count)),
            "bias": _numbers(self.signed / self.count),
        }

    def those_that_occur(self, name: str, numbers: Sequence[int]) -> dict[str, list[Any]]:
        """Means and counts; `numbers` are what the groups are called."""
        here = self.count > 0
        kept = Sums(self.count[here], self.absolute[here], self.square[here], self.signed[here])
        called = [number for number, occurs in zip(numbers, here, strict=True) if occurs]
        return {name: called, "count": [int(count) for count in kept.count], **kept.means()}


@dataclass(frozen=True, slots=True)
class Profile:
    """The profile of one part. `rest` is as it is written; steps are grouped when it is."""

    by_step: Sums
    rest: Mapping[str, Any]

    def document(self, groups: int, left_out: Sequence[str]) -> dict[str, Any]:
        last = _last_steps(len(self.by_step.count), groups)
        group = np.searchsorted(last, np.arange(1, len(self.by_step.count) + 1))
        steps = {"last": last, **self.by_step.by(group, len(last)).means()}
        document = {"by_step": steps, **self.rest}
        kept = {name: value for name, value in document.items() if name not in left_out}
        return kept | ({"left_out": list(left_out)} if left_out else {})


@dataclass(frozen=True, slots=True)
class Tally:
    """What one pass over a target's errors gives, in its own units.

    `common`: what its errors are divided by where they are taken together with other targets'.
    """

    by_step: Sums  # (steps,)
    by_row: Sums  # (span,): from the first target row to the last
    by_decile: Sums  # (10,): groups of the truth, of equal size
    up_to: Floats  # (10,): the largest truth of each
    squares: Floats  # (windows,): mean over steps
    first: Floats  # (windows,): one-step errors
    quantiles: Floats  # at LEVELS
    line: tuple[float, float] | None  # intercept and slope of truth on forecast
    common: float

    @classmethod
    def of(cls, rows: Rows, judged: Judged, common: float) -> "Tally":
        windows, steps = judged.forecast.shape
        by_step = np.zeros((3, steps))
        by_row = np.zeros((4, int(rows.max() - rows.min()) + steps))
        truth = np.zeros(by_row.shape[1])
        squares = np.empty(windows)
        # All of them, scaled because others may be too large or too small for float32
        scaled = np.empty((windows, steps), np.float32)
        regression = _Regression(float(judged.truth[0, 0]))
        for block, error in judged.blocks():
            at = (rows[block] - rows.min())[:, np.newaxis] + np.arange(steps)
            kinds = (np.abs(error), np.square(error), error)
            by_step += [kind.sum(axis=0) for kind in kinds]
            _add_up(by_row, at, (np.ones_like(error), *kinds))
            truth[at] = judged.truth[block]
            squares[block] = kinds[1].mean(axis=1)
            scaled[block] = error / judged.unit
            regression.take(judged.forecast[block], error)
        decile, up_to = _decile_of_each(truth, by_row[0])
        return cls(
            Sums(np.full(steps, float(windows)), *by_step),
            Sums(*by_row),
            Sums(*by_row).by(decile, DECILES),
            up_to,
            squares,
            np.subtract(judged.forecast[:, 0], judged.truth[:, 0], dtype=np.float64),
            judged.unit * np.quantile(scaled, LEVELS, overwrite_input=True).astype(np.float64),
            regression.line(),
            common,
        )


def _decile_of_each(truth: Floats, counts: Floats) -> tuple[Rows, Floats]:
    """The group, from 0, of each row's truth, and the largest truth of each group (10,).

    A row counts as often as there are errors of it, and is in no group if there are none.
    """
    known = np.flatnonzero(counts)
    order = known[np.argsort(truth[known], kind="stable")]
    weights = DECILES * np.cumsum(counts[order])
    shares = np.arange(1, DECILES + 1) * counts.sum()
    up_to = truth[order][np.searchsorted(weights, shares)]
    return np.minimum(np.searchsorted(up_to, truth), DECILES - 1), up_to


class _Regression:
    """Truth on forecast, from sums about a level near both, so that digits are not lost."""

    def __init__(self, level: float) -> None:
        self._level = level
        self._sums = np.zeros(6)  # of 1, f, e, f f, f e, e e

    def take(self, forecast: NDArray[Any], error: Floats) -> None:
        f, e = np.ravel(forecast - np.float64(self._level)), np.ravel(error)
        self._sums += [len(f), f.sum(), e.sum(), _product(f, f), _product(f, e), _product(e, e)]

    def line(self) -> tuple[float, float] | None:
        """Intercept and slope; None where all forecasts are the same."""
        f, e, ff, fe, ee = self._sums[1:] / self._sums[0]
        spread, together, of_errors = ff - f * f, fe - f * e, ee - e * e
        of_truth = spread - 2 * together + of_errors  # truth = forecast - error
        if not spread > SAME**2 * of_truth:
            return None
        slope = 1 - together / spread
        return float(self._level + f - e - slope * (self._level + f)), float(slope)


def profile_of(
    rows: Rows, targets: Mapping[str, Judged], time: Rows | None, season: int | None
) -> Profile:
    """The profile of one part.

    rows: (windows,), the table's rows of the first targets. time: (table rows,) the table's times
    in microseconds since 1970, None where rows are counted. season: in rows, if it is known.
    """
    windows, steps = next(iter(targets.values())).forecast.shape
    with np.errstate(all="ignore"):  # of a run that diverged, some numbers are null
        several = len(targets) > 1
        tallies = {
            name: Tally.of(rows, judged, judged.unit if several else 1.0)
            for name, judged in targets.items()
        }
        each = list(tallies.values())
        squares = np.mean([tally.squares / tally.common**2 for tally in each], axis=0)
        rest = {
            "windows": windows,
            "steps": steps,
            "unit": "scaled" if several else "own",
            **_calendar(_together((tally.by_row, tally) for tally in each), rows, time),
            "by_decile": _deciles(each),
            "quantiles": _quantiles(each),
            **_autocorrelation(rows, each, season),
            **_windows(rows, time, np.sqrt(squares)),
            **(_of_each(tallies) if several else {"mincer_zarnowitz": _line(each[0])}),
        }
        return Profile(_together((tally.by_step, tally) for tally in each), rest)


def write_profile(path: Path, parts: Mapping[Part, Profile]) -> None:
    """At most 20 kB, and for equal profiles equal bytes."""
    for groups in GROUPS_OF_STEPS:
        document: dict[str, Any] = {"version": VERSION}
        for part, profile in parts.items():
            document[part] = profile.document(groups, LEFT_OUT.get(part, ()))
        content = canonical(document).encode()
        if len(content) <= LIMIT:
            break
    path.write_bytes(content)


def read_profile(path: Path) -> dict[str, Any]:
    """Raises StepError if the file is not a profile, or a damaged one."""
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
        version = document["version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = "not a profile, or a damaged one"
        raise StepError(what, where=path.name, cure="compute the score again") from error
    if version != VERSION:
        raise StepError(
            f"a profile of version {version}, where {VERSION} can be read",
            where=path.name,
            cure="use the PyHeta that wrote it, or compute the score again",
        )
    return document


def _add_up(sums: Floats, at: Rows, kinds: Sequence[Floats]) -> None:
    """Add errors to the sums of their rows; `at` and each kind are (some windows, steps)."""
    first = int(at.min())
    place = np.ravel(at - first)
    for row, kind in zip(sums, kinds, strict=True):
        added = np.bincount(place, kind.ravel())
        row[first : first + len(added)] += added


def _product(a: Floats, b: Floats) -> float:
    """The scalar product of two vectors. `a @ b` depends on the number of threads."""
    return float(np.einsum("i,i->", a, b))


def _together(sums: Iterable[tuple[Sums, Tally]]) -> Sums:
    return reduce(Sums.plus, (own.over(tally.common) for own, tally in sums))


def _last_steps(steps: int, groups: int) -> list[int]:
    """The last step of each group: each step alone, the later ones together if there are many."""
    if steps <= groups:
        return list(range(1, steps + 1))
    half = groups // 2
    later = np.linspace(half, steps, half + 1)[1:]
    return [*range(1, half + 1), *(int(step) for step in np.rint(later))]


def _calendar(by_row: Sums, rows: Rows, time: Rows | None) -> dict[str, Any]:
    if time is None:
        return {}
    first = int(rows.min())
    moments = time[first : first + len(by_row.count)]
    hour, day = moments // HOUR % HOURS, (moments // (HOURS * HOUR) + EPOCH) % DAYS
    month = moments.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64) % MONTHS
    found: dict[str, Any] = {
        "by_hour": by_row.by(hour, HOURS).those_that_occur("hour", range(HOURS)),
        "by_weekday": by_row.by(day, DAYS).those_that_occur("weekday", range(DAYS)),
        "by_month": by_row.by(month, MONTHS).those_that_occur("month", range(1, MONTHS + 1)),
    }
    found = {name: groups for name, groups in found.items() if len(groups["count"]) > 1}
    if {"by_hour", "by_weekday"} <= found.keys():
        of_week = by_row.by(HOURS * day + hour, HOURS * DAYS).means()
        found["by_hour_of_week"] = {"rmse": of_week["rmse"]}
    return found


def _deciles(tallies: Sequence[Tally]) -> dict[str, Any]:
    sums = _together((tally.by_decile, tally) for tally in tallies)
    groups = sums.those_that_occur("decile", range(1, DECILES + 1))
    if len(tallies) == 1:
        groups["up_to"] = _numbers(tallies[0].up_to[sums.count > 0])
    return groups


def _quantiles(tallies: Sequence[Tally]) -> dict[str, Any]:
    mean = np.mean([tally.quantiles / tally.common for tally in tallies], axis=0)
    return {"at": list(LEVELS), "error": _numbers(mean)}


def _autocorrelation(rows: Rows, tallies: Sequence[Tally], season: int | None) -> dict[str, Any]:
    """As usual, a sum of products over the sum of squares; windows that are left out add nothing.

    Where the tests of folds overlap, a row's error is that of the last fold.
    """
    every = usual_distance(rows)
    wanted = 2 * season // every if season else LAGS_WITHOUT_SEASON
    lags = min(wanted, MOST_LAGS, int(rows.max() - rows.min()) // every)
    products = np.sum(
        [_products(rows, tally.first / tally.common, every, lags) for tally in tallies], axis=0
    )
    if not lags or not products[0] > 0:
        return {}
    values = [_number(value, ".4f") for value in products[1:] / products[0]]
    return {"autocorrelation": {"every": every, "values": values}}


def _products(rows: Rows, errors: Floats, every: int, lags: int) -> Floats:
    """(1 + lags,): sums of products of deviations from the mean, at distances 0, every, …"""
    grid = np.full(int(rows.max() - rows.min()) + 1, np.nan)
    grid[rows - rows.min()] = errors
    deviations = np.nan_to_num(grid - np.nanmean(grid))
    if np.abs(deviations).max() <= SAME * np.abs(errors).max():  # the same but for rounding
        return np.zeros(1 + lags)
    distances = [every * lag for lag in range(lags + 1)]
    return np.array([_product(deviations[: len(grid) - d], deviations[d:]) for d in distances])


def _windows(rows: Rows, time: Rows | None, rmse: Floats) -> dict[str, Any]:
    order = np.argsort(-rmse, kind="stable")
    middle = max(0, (len(order) - MEDIAN) // 2)
    chosen = {"worst": order[:WORST], "median": order[middle : middle + MEDIAN]}
    return {
        name: {
            "row": rows[windows].tolist(),
            "rmse": _numbers(rmse[windows]),
            **({} if time is None else {"time": time[rows[windows]].tolist()}),
        }
        for name, windows in chosen.items()
    }


def _line(tally: Tally) -> dict[str, float | None]:
    intercept, slope = tally.line or (np.nan, np.nan)
    return {"intercept": _number(intercept), "slope": _number(slope)}


def _of_each(tallies: Mapping[str, Tally]) -> dict[str, Any]:
    """Of as many targets as there is room for, the first ones first."""
    columns: dict[str, list[Any]] = {}
    for name, tally in tallies.items():
        everything = tally.by_step.by(np.zeros(len(tally.by_step.count), np.int64), 1)
        means = {metric: values[0] for metric, values in everything.means().items()}
        own = {"target": name, **means, **_line(tally)}
        more = {column: [*columns.get(column, []), value] for column, value in own.items()}
        if len(canonical(more).encode()) > ROOM_FOR_TARGETS:
            break
        columns = more
    left_out = len(tallies) - len(columns.get("target", ()))
    return {"targets": columns} | ({"targets_left_out": left_out} if left_out else {})


def _numbers(values: Floats) -> list[float | None]:
    return [_number(value) for value in values]


def _number(value: float, form: str = ".6g") -> float | None:
    return float(format(value, form)) + 0.0 if np.isfinite(value) else None  # 0.0, not -0.0
