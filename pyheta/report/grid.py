"""A grid of words: the shape of whatever explains a sweep, for every form it is written in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pyheta.errors import InputError
from pyheta.report.labels import ABSENT
from pyheta.report.wording import LEAKY
from pyheta.steps import canonical
from pyheta.store.seam import StepRow


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


def finished(steps: Sequence[StepRow], what: str, wish: str) -> list[StepRow]:
    """Those that have a result. Raises InputError where the sweep did not ask for any.

    `wish` is what `explain` in a sweep has to say to ask for `what`.
    """
    if not steps:
        cure = f"add `explain: {{{wish}}}` to the sweep and submit it again"
        raise InputError(f"this sweep did not ask for {what}", cure=cure)
    return [step for step in steps if step.summary]


def varied_options(steps: Sequence[StepRow]) -> list[str]:
    """The options of a decomposition in which these steps differ, beside its method and mode."""
    values: dict[str, set[str]] = {}
    for step in steps:
        for name, value in step.params.get("decompose", {}).items():
            values.setdefault(name, set()).add(canonical(value))
    return [
        name for name, each in values.items() if len(each) > 1 and name not in ("method", "mode")
    ]


def decomposition(params: Mapping[str, Any], varied: Sequence[str]) -> str:
    """How the series that a step explains were decomposed, in words."""
    decompose = params.get("decompose", {})
    if decompose.get("method", "none") == "none":
        return ABSENT
    options = [f"{name} {decompose[name]}" for name in varied if name in decompose]
    return " ".join([decompose["method"], decompose["mode"], *options])


def marked(word: Word, leaks: Sequence[str]) -> Word:
    """The same, marked if it comes from what saw the future."""
    return Word(word.text + LEAKY, "magenta") if leaks and word.text else word


def missing(steps: Sequence[StepRow], done: int) -> list[str]:
    """A note on the steps of which nothing can be shown yet, or ever."""
    if not (lacking := len(steps) - done):
        return []
    return [f"{lacking:,} of {len(steps):,} steps are open or failed: pyheta status."]
