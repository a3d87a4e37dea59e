"""A checked document as a grid: fixed values, axes, axes under conditions, exclusions."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pyheta.sweep.axes import Axis, Choice, Setting, identity, read_axis, read_zip, settings
from pyheta.sweep.config import KEYS, LEAVES, LISTS, default_of
from pyheta.sweep.problems import Problems, unknown_key
from pyheta.sweep.syntax import Document, KeyPath

# Keys that choose the kind of a section: an axis may vary one though `config` holds that section.
SELECTORS = ("net.name", "dataset.name", "decompose.method", "shaping.method")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A partial configuration: for each dotted key the texts of the values that match."""

    wanted: Mapping[str, frozenset[str]]

    def matches(self, point: Choice) -> bool:
        """Whether all keys match, by the values that are written, else by the defaults."""
        return all(_value(point, key) in values for key, values in self.wanted.items())


@dataclass(frozen=True, slots=True)
class Block:
    """Axes that exist only where the pattern matches."""

    pattern: Pattern
    axes: tuple[Axis, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """All that decides which runs there are. `axes` are the zip groups, then the parameters."""

    base: Choice
    axes: tuple[Axis, ...]
    blocks: tuple[Block, ...]
    excluded: tuple[Pattern, ...]

    def values(self, key: str) -> Iterator[Any]:
        """All values that are written for a dotted key, in whatever run."""
        axes = chain(self.axes, *(block.axes for block in self.blocks))
        choices = chain([self.base], *(axis.choices for axis in axes))
        return (choice[key].value for choice in choices if key in choice)

    def varied_keys(self) -> tuple[str, ...]:
        """The dotted keys that vary, in the order of the axes."""
        axes = chain(self.axes, *(block.axes for block in self.blocks))
        return tuple(dict.fromkeys(chain.from_iterable(axis.varied_keys() for axis in axes)))


def read_grid(document: Document, problems: Problems) -> Grid:
    """The grid of a document whose top level is sound; what is wrong in it is noted."""
    zips = _zips(document, problems)
    axes = _axes(document, ("parameters",), document.data.get("parameters", {}), problems)
    grid = Grid(
        _base(document, problems),
        (*zips, *axes),
        tuple(_blocks(document, problems)),
        tuple(_excluded(document, problems)),
    )
    _check_overlaps(grid, problems)
    return grid


def _base(document: Document, problems: Problems) -> Choice:
    base: dict[str, Setting] = {}
    for key, value in document.data.get("config", {}).items():
        path = ("config", key)
        if _is_known(document, path, problems):
            base |= settings(key, value, document.where(path))
    _check_keys(base.values(), problems)
    return base


def _axes(
    document: Document, path: KeyPath, written: Mapping[str, Any], problems: Problems
) -> list[Axis]:
    axes: list[Axis] = []
    for key, value in written.items():
        if _is_known(document, (*path, key), problems):
            with problems.collect():
                axes.append(read_axis(document, (*path, key), value))
    _check_keys(_settings_of(axes), problems)
    return axes


def _zips(document: Document, problems: Problems) -> list[Axis]:
    axes: list[Axis] = []
    for name, columns in document.data.get("zip", {}).items():
        path = ("zip", name)
        are_known = [_is_known(document, (*path, key), problems) for key in columns]
        if all(are_known):
            with problems.collect():
                axes.append(read_zip(document, path, columns))
    _check_keys(_settings_of(axes), problems)
    return axes


def _blocks(document: Document, problems: Problems) -> Iterator[Block]:
    for index, block in enumerate(document.data.get("when", [])):
        path = ("when", index)
        pattern = _pattern(document, (*path, "if"), block["if"], problems)
        axes = _axes(document, (*path, "parameters"), block["parameters"], problems)
        yield Block(pattern, tuple(axes))


def _excluded(document: Document, problems: Problems) -> Iterator[Pattern]:
    for index, partial in enumerate(document.data.get("exclude", [])):
        yield _pattern(document, ("exclude", index), partial, problems)


def _pattern(
    document: Document, path: KeyPath, partial: Mapping[str, Any], problems: Problems
) -> Pattern:
    wanted: dict[str, frozenset[str]] = {}
    for key, value in partial.items():
        for each in _alternatives(key, value):
            for leaf, setting in settings(key, each, "").items():
                if leaf in LEAVES:
                    wanted[leaf] = wanted.get(leaf, frozenset()) | {identity(setting.value)}
                else:
                    where = document.where_key((*path, key))
                    problems.note(unknown_key(leaf, LEAVES, where=where))
    return Pattern(wanted)


def _alternatives(key: str, value: Any) -> list[Any]:
    """The values that a pattern means: the items of a list, unless the list itself is a value."""
    if not isinstance(value, list):
        return [value]
    if key in LISTS and not any(isinstance(item, list | dict) for item in value):
        return [value]
    return value


def _value(point: Choice, key: str) -> str:
    if setting := point.get(key):
        return identity(setting.value)
    net = point.get("net.name")
    return identity(default_of(key, net.value if net else None))


def _is_known(document: Document, path: KeyPath, problems: Problems) -> bool:
    key = str(path[-1])
    if key not in KEYS:
        problems.note(unknown_key(key, KEYS, where=document.where_key(path)))
    return key in KEYS


def _settings_of(axes: Iterable[Axis]) -> Iterator[Setting]:
    for axis in axes:
        for choice in axis.choices:
            yield from choice.values()


def _check_keys(written: Iterable[Setting], problems: Problems) -> None:
    for setting in written:
        if setting.key not in KEYS:
            problems.note(unknown_key(setting.key, KEYS, where=setting.where))


def _check_overlaps(grid: Grid, problems: Problems) -> None:
    """Note keys that have a value and an axis, or two axes of which both may apply to a run."""
    first: dict[str, str] = {}
    for axis in grid.axes:
        _check_overlap(axis, grid.base, first, problems)
    for block in grid.blocks:
        inside = dict(first)
        for axis in block.axes:
            _check_overlap(axis, grid.base, inside, problems)


def _check_overlap(axis: Axis, base: Choice, first: dict[str, str], problems: Problems) -> None:
    for key in axis.all_keys():
        if key in first:
            problems.add(f"'{key}' is an axis twice (first at {first[key]})", where=axis.where)
        elif key in base and key not in SELECTORS:
            problems.add(
                f"'{key}' is an axis and has a value in config (at {base[key].where})",
                where=axis.where,
                cure="keep one of them",
            )
        first[key] = axis.where
