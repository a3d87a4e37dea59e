"""The section `components`: what is different for the nets of some components.

    components: {Residue: {net: mlp, train.lr: 1e-4}, "IMF[3-9]": {exog: []}}

A pattern is a component's name with the wildcards *, ? and [...]. Of two that match the later wins.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, ValidationError, WithJsonSchema

from pyheta.errors import nearest


class UnfitChange(ValueError):
    """A change under `components` that does not fit its section; `error` says why."""

    def __init__(self, section: str, error: ValidationError) -> None:
        self.section = section
        self.error = error
        super().__init__(section)


#: Sections that may differ by component. Dataset, target, split and horizon are the run's.
OWN_SECTIONS = ("exog", "exog_form", "scale", "window.input", "net", "train")

Changes = tuple[tuple[str, Any], ...]
Patterns = tuple[tuple[str, Changes], ...]


def _checked(value: object) -> Patterns:
    """A mapping, or the pairs that `longform` makes of it. Raises ValueError."""
    value = _items(value)
    if not isinstance(value, list | tuple):
        raise ValueError("expected a mapping of component patterns")  # noqa: TRY004 (pydantic's way)
    return tuple((str(pattern), tuple(_each(pattern, changes))) for pattern, changes in value)


def _items(value: object) -> object:
    return list(value.items()) if isinstance(value, dict) else value


def _each(pattern: str, changes: object) -> Iterator[tuple[str, Any]]:
    changes = _items(changes)
    if not isinstance(changes, list | tuple):
        raise ValueError(f"'{pattern}': expected a mapping of keys to values")  # noqa: TRY004
    for key, value in changes:
        if not any(key == own or key.startswith(f"{own}.") for own in OWN_SECTIONS):
            raise ValueError(f"'{pattern}': a component has no '{key}' of its own; {_hint(key)}")
        yield key, _frozen(value)


def _hint(key: str) -> str:
    return nearest(key.partition(".")[0], OWN_SECTIONS)


def _frozen(value: object) -> object:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def _written(patterns: Patterns) -> dict[str, dict[str, Any]]:
    return {pattern: dict(changes) for pattern, changes in patterns}


Components = Annotated[
    Patterns,
    BeforeValidator(_checked),
    PlainSerializer(_written),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "object"}}),
]


def matches(pattern: str, component: str) -> bool:
    """Whether a pattern means this component."""
    return fnmatchcase(component, pattern)


def changes_for(patterns: Patterns, component: str) -> dict[str, Any]:
    """The dotted keys that are different for a component, and their values."""
    merged: dict[str, Any] = {}
    for changes in (changes for pattern, changes in patterns if matches(pattern, component)):
        if "net.name" in dict(changes):  # the options of another net do not belong to this one
            merged = {key: value for key, value in merged.items() if not key.startswith("net.")}
        merged |= dict(changes)
    return merged
