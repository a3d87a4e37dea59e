"""Columns by name, by pattern, or all of them but some.

    exog: all                       every column but the targets
    exog: [T_*, wind]               patterns: * stands for any letters, ? for one
    exog: [T_*, "!T_out"]           without those named after a !
    exog: {all_but: [T_out]}        short for ["*", "!T_out"]

A column that is really called `all`, `T_*` or `!x` is meant where its name stands. Which columns
there are is only known with the data set: what is written stays a tuple of texts until then.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from pyheta.errors import SweepError, nearest
from pyheta.pipeline.data.options.named import Columns
from pyheta.section import Section

ALL = "all"
NOT = "!"


class AllBut(Section):
    """`{all_but: [a, b]}`: all columns without these."""

    all_but: Columns


def long_form(value: object) -> object:
    """`all` as a list, and `{all_but: [a]}` as `["*", "!a"]`; anything else as it is."""
    if isinstance(value, dict) and set(value) == {"all_but"} and isinstance(value["all_but"], list):
        return ["*", *(f"{NOT}{name}" for name in value["all_but"])]
    return [ALL] if value == ALL else value


def chooses(written: Sequence[str]) -> bool:
    """Whether the data set has a say in what is meant, unless it has columns of these names."""
    return any(item == ALL or item.startswith(NOT) or _is_pattern(item) for item in written)


def _is_pattern(item: str) -> bool:
    return "*" in item or "?" in item


def would_take(written: Sequence[str], name: str) -> bool:
    """Whether a pattern means a name, were it offered."""
    out = (item.removeprefix(NOT) for item in written if item.startswith(NOT))
    return any(_means(item, name) for item in written) and not any(
        item == name or _means(item, name) for item in out
    )


def _means(pattern: str, name: str) -> bool:
    if not _is_pattern(pattern):
        return pattern == ALL
    literal = pattern.replace("[", "[[]")  # for fnmatch it would begin a set of letters
    return fnmatchcase(name, literal)


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be chosen from: `offered` by pattern, `named` by name, in the data set's order.

    `groups`: names that stand for several columns.
    """

    offered: Sequence[str]
    named: Sequence[str]
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def without(self, taken: Container[str]) -> "Offer":
        """The same, of which no pattern means what is taken already."""
        return replace(self, offered=[name for name in self.offered if name not in taken])

    def select(self, written: Sequence[str]) -> tuple[str, ...]:
        """The columns that are meant, each once.

        Raises SweepError where a pattern matches none.
        """
        out = {name for item in written for name in self._excluded(item)}
        names = dict.fromkeys(name for item in written for name in self._included(item))
        return tuple(name for name in names if name not in out)

    def _included(self, item: str) -> Sequence[str]:
        if item in self.groups:
            return self.groups[item]
        if item in self.named:
            return (item,)
        if item == ALL:
            return self.offered
        if item.startswith(NOT):
            return ()
        return self._matching(item) if _is_pattern(item) else (item,)

    def _excluded(self, item: str) -> Sequence[str]:
        name = item.removeprefix(NOT)
        if name == item or item in self.named:
            return ()
        if name in self.groups:
            return self.groups[name]
        if _is_pattern(name) and name not in self.named:
            return self._matching(name)
        if name not in self.named:
            raise SweepError(f"the data set has no column '{name}'", cure=nearest(name, self.named))
        return (name,)

    def _matching(self, pattern: str) -> Sequence[str]:
        """Raises SweepError if there is none."""
        found = tuple(name for name in self.offered if _means(pattern, name))
        if not found:
            what = f"'{pattern}' matches no column that can be taken"
            raise SweepError(what, cure=nearest(pattern, self.offered))
        return found
