"""Which column of a data set is probably the one to forecast. It is a guess, and says why."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pyheta.errors import DataError
from pyheta.pipeline.data.facts import DatasetFacts

#: What columns are called that people forecast; the earlier of two names wins.
USUAL = (
    *("y", "target", "ot", "value", "load", "demand", "consumption", "usage", "sales", "revenue"),
    *("passengers", "visitors", "close", "price", "power", "energy", "production", "generation"),
    *("temperature", "temp", "tmax", "flow", "level", "count", "cnt", "rate", "index"),
)

#: Columns that number, date or place a row: nobody forecasts them.
LABELS = frozenset(
    (
        *("id", "no", "number", "row", "year", "month", "day", "hour", "minute", "second", "week"),
        *("weekday", "quarter", "date", "time", "lat", "latitude", "lon", "lng", "longitude"),
        *("holiday", "season", "unnamed", "flag", "fold", "split"),
    )
)

_WORDS = re.compile(r"[^\W\d_]+")
_BORDER = re.compile(r"(?<=[a-z])(?=[A-Z])")  # inside `meanTemp`


class Guess(NamedTuple):
    """A column, and why it is taken."""

    column: str
    why: str


def guess_among(columns: Sequence[str]) -> Guess:
    """The one with the most usual name, else the last. Raises DataError where there is none."""
    if not columns:
        what = "there is nothing to forecast: no column has values that change"
        raise DataError(what, cure="pyheta data check FILE says what the columns hold")
    if len(columns) == 1:
        return Guess(columns[0], "no other column changes")
    named = [column for column in columns if not labels_a_row(column)] or columns
    return _by_whole_name(named) or _by_word(named) or Guess(named[-1], "it is the last column")


def changing(facts: DatasetFacts) -> Iterator[str]:
    """Columns of the file that change, and are not known before they happen."""
    meaning = facts.meaning
    made = {*meaning.known, *meaning.masks.values(), *_members(facts)}
    for column in facts.columns:
        if column not in made and not facts.by_column[column].constant:
            yield column


def _members(facts: DatasetFacts) -> Iterator[str]:
    for members in facts.meaning.groups.values():
        yield from members


def labels_a_row(column: str) -> bool:
    """Whether all that its name says is a number, a date or a place."""
    words = _words(column)
    return bool(words) and LABELS.issuperset(words)


def _words(column: str) -> list[str]:
    """`Price [EUR]` has the words price and eur."""
    return [word.lower() for word in _WORDS.findall(_BORDER.sub(" ", column))]


def _by_whole_name(columns: Sequence[str]) -> Guess | None:
    by_name = {column.lower().rstrip("s"): column for column in reversed(columns)}
    found = next((by_name[n] for name in USUAL if (n := name.rstrip("s")) in by_name), None)
    return Guess(found, "targets are often called so") if found else None


def _by_word(columns: Sequence[str]) -> Guess | None:
    """The first column that has one of the usual names as a word."""
    for name in USUAL[1:]:  # a y alone may be a coordinate
        for column in columns:
            if name in _words(column):
                return Guess(column, f"targets are often called '{name}'")
    return None
