"""Training, validation and test: three stretches of time, one after the other."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, assert_never, cast

from pyheta.errors import StepError
from pyheta.pipeline.spans import Length, microseconds, moment_of, without_zone

if TYPE_CHECKING:  # numpy takes longer to import than most commands that only look
    from collections.abc import Mapping, Sequence

    from pyheta.pipeline.data.facts import DatasetFacts

Part = Literal["train", "val", "test"]
PARTS: tuple[Part, ...] = ("train", "val", "test")

Rows = tuple[int, int]  # [first, stop)

MICROSECONDS = 1_000_000


def share(rows: int, *shares: float) -> int:
    """How many of the rows these shares are: whole numbers are rows, others fractions of `rows`.

    Fractions are rounded down, and computed on the decimals that the user wrote: 0.7 + 0.1 of 10
    rows is 8, where binary floating point would say 7.
    """
    if all(isinstance(part, int) for part in shares):
        return int(sum(shares))
    return int(rows * sum(Decimal(str(part)) for part in shares))


@dataclass(frozen=True, slots=True)
class Split:
    """Three stretches of rows, each from its first row to the one before its stop.

    A forecast belongs to the part that holds all of its targets. Its window may reach back over a
    border, its targets never cross one. Rows outside the three are not used. A step that must not
    know of a test part has a split without one.
    """

    train: Rows
    val: Rows
    test: Rows | None = None

    @classmethod
    def of(cls, params: Mapping[str, Sequence[int]]) -> Split:
        """From plain data, as `as_params` makes it. Raises StepError for a part it does not know.

        `learning` gives the same without the test part.
        """
        if unknown := set(params) - set(PARTS):
            raise StepError(f"a split with unknown parts: {', '.join(sorted(unknown))}")
        spans = {part: (start, stop) for part, (start, stop) in params.items()}
        return cls(spans["train"], spans["val"], spans.get("test"))

    @classmethod
    def by_shares(cls, shares: Mapping[str, float], rows: int) -> Split:
        """One part after the other, from the first row on.

        Fractions leave the rest to the test part, whole numbers the rows that `test` says.
        """
        train, val, test = shares["train"], shares["val"], shares["test"]
        stop = share(rows, train, val, test) if isinstance(test, int) else rows
        train_stop, val_stop = share(rows, train), share(rows, train, val)
        return cls((0, train_stop), (train_stop, val_stop), (val_stop, stop))

    def apart(self, gap: int, spared: Literal["train", "val", "none"]) -> Split:
        """The same with so many unused rows before the test part.

        They are taken off training, which ends as much earlier, as validation does; or off
        validation; or the test part begins as much later. Raises StepError where none is left.
        """
        if not gap or self.test is None:
            return self
        (start, stop), val, test = self.train, self.val, self.test
        match spared:
            case "train":
                apart = Split((start, stop - gap), (val[0] - gap, val[1] - gap), test)
            case "val":
                apart = Split(self.train, (val[0], val[1] - gap), test)
            case "none":
                apart = Split(self.train, val, (test[0] + gap, test[1] + gap))
            case _:
                assert_never(spared)
        for part, (first, end) in apart._spans().items():
            if first >= end:
                what = f"a gap of {gap:,} rows leaves no row to the {part} part"
                raise StepError(what, where="split.gap", cure="make it shorter")
        return apart

    @property
    def learning(self) -> Split:
        """What is learned from: the same without its test part."""
        return Split(self.train, self.val)

    @property
    def stop(self) -> int:
        """How many rows may be seen, from the first one on."""
        return max(stop for _, stop in self._spans().values())

    def targets(self, part: Part) -> Rows:
        """The rows that a part's targets may lie in. Raises StepError for a part it lacks."""
        spans = self._spans()
        if part not in spans:
            raise StepError(f"this step knows of no {part} part")
        return spans[part]

    def as_params(self) -> dict[str, list[int]]:
        """Plain data, as it stands on a step."""
        return {part: list(rows) for part, rows in self._spans().items()}

    def _spans(self) -> dict[Part, Rows]:
        spans: dict[Part, Rows] = {"train": self.train, "val": self.val}
        return spans if self.test is None else {**spans, "test": self.test}


def rows_by_date(val: str, test: str, facts: DatasetFacts) -> dict[str, float]:
    """The rows of three parts, of which the last two begin at these moments.

    Raises StepError for a moment outside the data.
    """
    first, second = row_at("val", val, facts), row_at("test", test, facts)
    return {"train": first, "val": second - first, "test": facts.rows - second}


def rows_by_length(lengths: Mapping[str, str], facts: DatasetFacts) -> dict[str, float]:
    """The rows of three lengths of time, the first of which begins with the data.

    Raises StepError where rows have no times, or the data are shorter.
    """
    refuse_counted("split.train", lengths["train"], facts)
    moment, start = facts.first, 0
    rows: dict[str, float] = {}
    for part, text in lengths.items():
        length = Length.of(text) or Length()
        moment = length.after(moment, calendar=facts.cadence.calendar)
        stop = first_from(moment, facts)
        rows[part], start = stop - start, stop
    _refuse_beyond(moment, facts)
    return rows


def refuse_counted(key: str, text: str, facts: DatasetFacts) -> None:
    """Raises StepError for a time where rows have none; `key` says where it is written."""
    if facts.counted:
        what = f"'{text}' is a time, and the rows of this data set have none: they are counted"
        cure = "write rows, as in split: {train: 600, val: 100, test: 300}"
        raise StepError(what, where=key, cure=cure)


def _refuse_beyond(end: datetime, facts: DatasetFacts) -> None:
    """Refuse parts that end later than one step after the last row."""
    if end > facts.last + timedelta(microseconds=longest_step(facts)):
        what = f"train, val and test go on until {end}, and the data end at {facts.last}"
        raise StepError(what, where="split", cure="take less")


def row_at(key: str, text: str, facts: DatasetFacts) -> int:
    """The first row from a moment on, which `split.KEY` says. Raises StepError outside the data."""
    refuse_counted(f"split.{key}", text, facts)
    moment = moment_in(text, facts)
    if not facts.first < moment <= facts.last:
        what = f"{text} is not within the data, which go from {facts.first} to {facts.last}"
        raise StepError(what, where=f"split.{key}", cure="choose a moment in between")
    return first_from(moment, facts)


def moment_in(text: str, facts: DatasetFacts) -> datetime:
    """A date as the times of a data set are written: in UTC, or as the clock shows them."""
    return without_zone(moment_of(text) or facts.first, facts.source.get("time_zone"))


def first_from(moment: datetime, facts: DatasetFacts) -> int:
    """The first row from a moment on."""
    return bisect_left(times_of(facts), microseconds(moment))


def times_of(facts: DatasetFacts) -> Sequence[int]:
    """The rows' times in microseconds."""
    if facts.times is not None:
        return cast("Sequence[int]", facts.times)
    first, step = microseconds(facts.first), round(facts.cadence.seconds * MICROSECONDS)
    return range(first, first + facts.rows * step, step)


def longest_step(facts: DatasetFacts) -> int:
    """Microseconds between the two rows that are farthest from each other."""
    times = facts.times
    if times is None:
        return round(facts.cadence.seconds * MICROSECONDS)
    return int((times[1:] - times[:-1]).max())
