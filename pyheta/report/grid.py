"""What explains a sweep, as a grid of words: the one shape in which such views are written in every form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pyheta.report.labels import ABSENT
from pyheta.report.wording import LEAKY


class Word(NamedTuple):
    """A cell: a text, and the colour that says what it means ("" for none)."""

    text: str = ""
    style: str = ""


@dataclass(frozen=True, slots=True)
class GridRow:
    """`facts` are the row's numbers in full, by name, for machines."""

    labels: tuple[str, ...]
    words: tuple[Word, ...]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Grid:
    """`keys` head the labels, `columns` the words."""

    title: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[GridRow, ...]
    notes: tuple[str, ...]


def decomposition(params: Mapping[str, Any]) -> str:
    """How the series that a step explains were decomposed, in words."""
    decompose = params.get("decompose", {})
    if decompose.get("method", "none") == "none":
        return ABSENT
    return f"{decompose['method']} {decompose['mode']}"


def marked(word: Word, leaks: Sequence[str]) -> Word:
    """The same, marked if it comes from what saw the future."""
    return Word(word.text + LEAKY, "magenta") if leaks and word.text else word


def missing(steps: Sequence[Any], done: int) -> list[str]:
    """A note on the steps of which nothing can be shown yet, or ever."""
    lacking = len(steps) - done
    return [f"{lacking:,} of {len(steps):,} steps are open or failed: pyheta status."] if lacking else []
