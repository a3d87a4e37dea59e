"""What a data set holds, or what is wrong with it: it is read as a sweep would read it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from pyheta.errors import DataError
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.sources import Bring, as_it_is, inspect
from pyheta.pipeline.data.steps.cadence import DAY, Cadence, Unit
from pyheta.screen import count, duration, plain, table
from pyheta.sweep.dataset import read_dataset

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (tables have no zone)
SHOWN = 40  # names in one cell, or columns that are left out


def check(
    named: str, options: Sequence[str], data: Path | None, bring: Bring = as_it_is
) -> DatasetFacts:
    """Read and check a data set by its name or its path. Raises SweepError or DataError."""
    dataset = bring(read_dataset(named, options))
    facts, _ = inspect(dataset, base=Path.cwd(), data=data)
    return facts


def facts_json(facts: DatasetFacts) -> Mapping[str, Any]:
    """What machines are told of a data set."""
    meaning = facts.meaning
    return {
        "source": facts.source,
        "files": facts.files,
        "columns": facts.columns,
        "rows": facts.rows,
        "first": _number(facts.first) if facts.counted else facts.first,
        "last": _number(facts.last) if facts.counted else facts.last,
        "counted": facts.counted,
        "step": step_in_words(facts.cadence),
        "step_seconds": facts.cadence.seconds,
        "season": facts.cadence.season,
        "known": sorted(meaning.known),
        "declared": sorted(meaning.declared),
        "masks": meaning.masks,
        "groups": meaning.groups,
        "changed": {name: len(rows) for name, rows in meaning.changed.items()},
        "left_out": {name: str(error) for name, error in facts.left_out.items()},
        "notes": facts.notes,
    }


def facts_view(facts: DatasetFacts) -> RenderableType:
    shown = table("in order", "")
    for label, text in _lines(facts):
        shown.add_row(label, plain(text))
    return shown


def _lines(facts: DatasetFacts) -> Iterator[tuple[str, str]]:
    yield "rows", f"{facts.rows:,}, {step_in_words(facts.cadence)}"
    yield "from", time_in_words(facts.first, facts)
    yield "to", time_in_words(facts.last, facts)
    if facts.cadence.season:
        yield "season", count(facts.cadence.season, "row")
    yield from _columns(facts)
    for name, rows in facts.meaning.changed.items():
        yield "changed", f"{name}: {share_in_words(len(rows), facts.rows, 'cell')}"
    yield from left_out_in_words(facts.left_out)
    yield from (("", note) for note in facts.notes)


def _columns(facts: DatasetFacts) -> Iterator[tuple[str, str]]:
    """The columns by what they are: numbers of the file, categories, masks, known ahead."""
    meaning = facts.meaning
    members = {name for names in meaning.groups.values() for name in names}
    special = {*meaning.known, *meaning.masks.values(), *members}
    yield "columns", names_in_words(name for name in facts.columns if name not in special)
    by_kind = {
        "known ahead": [name for name in facts.columns if name in meaning.known],
        "gaps marked": list(meaning.masks.values()),
    }
    yield from ((kind, names_in_words(names)) for kind, names in by_kind.items() if names)
    for group, names in meaning.groups.items():
        yield "category", f"{group}: {names_in_words(names)}"


def names_in_words(names: Iterable[str]) -> str:
    """The names, of very many the first."""
    listed = list(names)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more


def left_out_in_words(left_out: Mapping[str, DataError]) -> Iterator[tuple[str, str]]:
    """A line for each column that no run can use."""
    for name, error in list(left_out.items())[:SHOWN]:
        why = f"{error.what}; {error.cure}" if error.cure else error.what
        yield "left out", f"{name}{_place(error, name)}: {why}"
    if len(left_out) > SHOWN:
        yield "left out", f"{len(left_out) - SHOWN} more columns; --json has all of them"


def _place(error: DataError, column: str) -> str:
    """Where in the column it is, without what stands before it anyway."""
    place = error.where.partition(": ")[2].removesuffix(f"column '{column}'").rstrip(", ")
    return f" ({place})" if place else ""


def step_in_words(cadence: Cadence) -> str:
    """As in "one every hour"."""
    if cadence.name:
        return f"one {cadence.name}"
    return "counted" if cadence.unit is Unit.ROW else f"one every {duration(cadence.seconds)}"


def share_in_words(part: int, whole: int, word: str) -> str:
    """As in "12 of 8,760 cells (0.14 %)"."""
    return f"{part:,} of {count(whole, word)} ({100 * part / whole:.2g} %)"


def time_in_words(when: datetime, facts: DatasetFacts) -> str:
    """A number where rows are counted, a day where they begin at midnight, else the time."""
    if facts.counted:
        return f"{_number(when):,}"
    whole_days = facts.first.time() == facts.last.time() == time()
    if whole_days and facts.cadence.seconds >= DAY:
        return when.date().isoformat()
    return when.isoformat(" ")


def _number(when: datetime) -> int:
    """The whole number that stands for a time where rows are counted."""
    return (when - EPOCH) // timedelta(microseconds=1)
