"""Short forms such as `net: lstm`, `dataset: etth1` or `exog: all`, and their one long form."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pyheta.nets.configs.union import MAPPING_OPTIONS
from pyheta.pipeline.data.options import MAPPINGS
from pyheta.sweep.selection import long_form as columns

# Sections that hold one value although it is written as a mapping: its names are no keys.
VALUE_SECTIONS = ("components",)

# The same of the dotted keys of a sweep file.
VALUE_KEYS = (
    *VALUE_SECTIONS,
    *("target", "exog"),  # {all_but: [...]}
    *(f"net.{option}" for option in MAPPING_OPTIONS),
    *(f"dataset.{option}" for option in MAPPINGS),
)

_CATALOGUE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


def _method(value: object) -> object:
    return {"method": value} if isinstance(value, str) else value


def _data(value: object) -> object:
    is_path = isinstance(value, str) and not _CATALOGUE_NAME.fullmatch(value)
    return {"path": value} if is_path else _named(value)


def _sorted_columns(value: object) -> object:
    value = columns(value)
    return sorted(value, key=str) if isinstance(value, list) else value


def _pairs(value: object) -> object:
    """Patterns and their changes as a list of pairs, which `flat` does not take apart."""
    if not isinstance(value, dict):
        return value
    return [[pattern, _changes(changes)] for pattern, changes in value.items()]


def _changes(changes: object) -> object:
    if not isinstance(changes, dict):
        return changes
    return [
        [leaf, inner] for key, value in changes.items() for leaf, inner in flat(str(key), value)
    ]


def _text(value: object) -> object:
    """A series may be called by a number."""
    return str(value) if type(value) is int else value


def _named_values(value: object) -> object:
    return [list(pair) for pair in value.items()] if isinstance(value, dict) else value


LONG_FORM: Mapping[str, Callable[[object], object]] = {
    "net": _named,
    **dict.fromkeys((f"net.{option}" for option in MAPPING_OPTIONS), _named_values),
    "dataset": _data,
    **dict.fromkeys((f"dataset.{option}" for option in MAPPINGS), _named_values),
    "dataset.pick": _text,
    "target": columns,
    "exog": _sorted_columns,
    "decompose": _method,
    "shaping": _method,
    "components": _pairs,
}


def flat(key: str, value: object) -> Iterator[tuple[str, Any]]:
    """A value as its dotted leaves: `net: lstm` is `net.name`, a mapping each of its keys."""
    if long_form := LONG_FORM.get(key):
        value = long_form(value)
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from flat(f"{key}.{name}", inner)
    else:
        yield key, value
