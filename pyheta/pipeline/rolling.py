"""A rolling origin: folds of one data set, each a step later than the one before.

All borders are counted back from the end. The last of F folds ends there, fold i ends F - 1 - i
steps earlier. From its end on backwards a fold has its test part, a gap, validation, training.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from pyheta.errors import StepError
from pyheta.pipeline.data.steps.cadence import Unit
from pyheta.pipeline.spans import Length
from pyheta.pipeline.splits import (
    MICROSECONDS,
    Split,
    first_from,
    longest_step,
    moment_in,
    refuse_counted,
    row_at,
    share,
    times_of,
)

if TYPE_CHECKING:  # numpy takes longer to import than most commands that only look
    from collections.abc import Mapping
    from datetime import datetime

    from pyheta.pipeline.data.facts import DatasetFacts

Written = float | int | str  # a fraction of the rows, rows, or a length of time


@dataclass(frozen=True, slots=True)
class Rolling:
    """How folds follow each other. The three parts and the step are of one kind.

    `sliding`: every fold trains on as many rows; else all begin where the first one does. `refit`:
    so many folds in a row share the fit of the first of them. `gap`: unused rows before a test
    part. `until`: where the last fold ends, a number of rows or a date; None for the data's end.
    """

    train: Written
    val: Written
    test: Written
    step: Written
    folds: int
    sliding: bool
    refit: int
    gap: int
    until: int | str | None

    @property
    def lengths(self) -> Mapping[str, Written]:
        return {"train": self.train, "val": self.val, "test": self.test, "step": self.step}


def folds_of(rolling: Rolling, facts: DatasetFacts) -> tuple[Split, ...]:
    """The rows of the folds, the earliest first.

    Raises StepError, with the key as `where`, for folds that the data have no room for.
    """
    end = _end(rolling, facts)
    way = _by_time(rolling, end, facts) if isinstance(rolling.test, str) else _by_rows(rolling, end)
    _refuse_too_many(rolling, way, end)
    folds = [_fold(number, rolling, way) for number in range(rolling.folds)]
    _refuse_standstill(rolling, folds)
    return tuple(folds)


def _end(rolling: Rolling, facts: DatasetFacts) -> int:
    """The row before which the last fold ends."""
    until = rolling.until
    if isinstance(until, str):
        return row_at("until", until, facts)
    if until is not None and until > facts.rows:
        what = f"the data set has {facts.rows:,} rows, and the last fold ends after {until:,}"
        raise StepError(what, where="split.until", cure="leave it out to end with the data")
    return until or facts.rows


class _Way(Protocol):
    """How far back from the end a border lies."""

    def row(self, steps: int, *parts: str) -> int:
        """The row so many steps and these parts before the end; negative before all rows."""
        ...


@dataclass(frozen=True, slots=True)
class _ByRows:
    end: int
    rows: Mapping[str, int]

    def row(self, steps: int, *parts: str) -> int:
        return self.end - steps * self.rows["step"] - sum(self.rows[part] for part in parts)


@dataclass(frozen=True, slots=True)
class _ByTime:
    """Months and years are those of the calendar, so no border is counted from another one."""

    end: datetime
    lengths: Mapping[str, Length]
    facts: DatasetFacts
    earliest: datetime  # from a moment after this one on no row is missing

    def row(self, steps: int, *parts: str) -> int:
        try:
            back = sum((self.lengths[part] for part in parts), steps * self.lengths["step"])
        except OverflowError:
            return -1
        moment = back.before(self.end, calendar=self.facts.cadence.calendar)
        return first_from(moment, self.facts) if moment > self.earliest else -1


def _by_rows(rolling: Rolling, end: int) -> _Way:
    written = {
        part: length for part, length in rolling.lengths.items() if not isinstance(length, str)
    }
    rows = {part: share(end, length) for part, length in written.items()}
    for part, count in rows.items():
        if not count:
            what = f"{rolling.lengths[part]} of {end:,} rows is less than one"
            raise StepError(what, where=f"split.{part}", cure="give it a larger share")
    return _ByRows(end, rows)


def _by_time(rolling: Rolling, end: int, facts: DatasetFacts) -> _Way:
    written = {part: str(length) for part, length in rolling.lengths.items()}
    _refuse_no_step(written["train"], facts)
    lengths = {part: Length.of(text) or Length() for part, text in written.items()}
    until = rolling.until
    moment = moment_in(until, facts) if isinstance(until, str) else _moment_after(end - 1, facts)
    earliest = facts.first - timedelta(microseconds=longest_step(facts))
    return _ByTime(moment, lengths, facts, earliest)


def _refuse_no_step(text: str, facts: DatasetFacts) -> None:
    refuse_counted("split.train", text, facts)
    if facts.cadence.unit is Unit.ROW:
        what = (
            f"'{text}' is a length of time, and the rows of this data set have no regular step: "
            "folds as long as each other would not have as many rows"
        )
        cure = "write rows, as in split: {train: 600, val: 100, test: 100, folds: 4}"
        raise StepError(what, where="split.train", cure=cure)


def _moment_after(row: int, facts: DatasetFacts) -> datetime:
    """Where the time of a row ends; of a month's row with its month, of a day's with its day."""
    since = times_of(facts)[row] - times_of(facts)[0]
    time = facts.first + timedelta(microseconds=int(since))
    match facts.cadence.unit:
        case Unit.MONTH:
            month = time.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            return Length(months=1).after(month, calendar=True)
        case Unit.BUSINESS_DAY:
            return time + timedelta(days=1)
        case _:
            return time + timedelta(microseconds=round(facts.cadence.seconds * MICROSECONDS))


def _fold(number: int, rolling: Rolling, way: _Way) -> Split:
    """A fold learns from the rows of the first fold of its group, and tests on rows of its own."""
    last = rolling.folds - 1
    steps, fitted = last - number, last - (number - number % rolling.refit)
    start, train_stop, val_stop = (
        way.row(back, *parts) - rolling.gap
        for back, parts in (
            (fitted if rolling.sliding else last, ("test", "val", "train")),
            (fitted, ("test", "val")),
            (fitted, ("test",)),
        )
    )
    test = (way.row(steps, "test"), way.row(steps))
    return Split((start, train_stop), (train_stop, val_stop), test)


def _refuse_too_many(rolling: Rolling, way: _Way, end: int) -> None:
    """Folds are counted from the last one on, so each further one begins earlier."""

    def spare(steps: int) -> int:
        """The rows before the fold so many steps before the last one; negative if some lack."""
        return way.row(steps, "test", "val", "train") - rolling.gap

    if spare(rolling.folds - 1) >= 0:
        return
    most = bisect_left(range(rolling.folds), 1, key=lambda steps: -spare(steps))
    gap = f" and a gap of {rolling.gap:,} rows" if rolling.gap else ""
    parts = f"train {rolling.train}, val {rolling.val}, test {rolling.test}{gap}"
    if not most:
        what = f"not even one fold fits into {end:,} rows: {parts}"
        raise StepError(what, where="split.folds", cure="make the parts shorter")
    what = f"{rolling.folds:,} folds do not fit into {end:,} rows, {most:,} do: {parts}"
    cure = f"write folds: {most}, or make the parts or the step ({rolling.step}) shorter"
    raise StepError(what, where="split.folds", cure=cure)


def _refuse_standstill(rolling: Rolling, folds: list[Split]) -> None:
    """A step may be shorter than the time from one row to the next."""
    for number, (earlier, later) in enumerate(pairwise(folds)):
        if earlier.test == later.test:
            what = f"a step of {rolling.step} holds no row from fold {number} to fold {number + 1}"
            raise StepError(what, where="split.step", cure="make it longer")
