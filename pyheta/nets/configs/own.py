"""Nets of one's own: how they are written in a sweep, and how their classes are found."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Annotated, Any, ClassVar, cast

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from pyheta.nets.configs.base import InstanceNormConfig

GROUP = "pyheta.nets"  # the entry points by which installed packages offer nets
NAME = r"^[A-Za-z_][\w.-]*(:[A-Za-z_]\w*)?$"

Pairs = tuple[tuple[str, Any], ...]


def _pairs(value: object) -> Pairs:
    """Named plain values in the order of their names, as something that never changes."""
    try:
        named = dict(cast("Mapping[str, object]", value))  # pairs make a mapping too
    except (TypeError, ValueError) as error:
        raise ValueError("expected a mapping of names to values") from error
    return tuple((str(name), _plain(str(name), named[name])) for name in sorted(named, key=str))


def _plain(name: str, value: object) -> object:
    if isinstance(value, list | tuple):
        return tuple(_plain(name, item) for item in value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"'{name}' has to be a number, a text, true, false, null or a list of them")


#: What is written as a mapping, and is one value all the same: no key of it is a key of the sweep.
NamedValues = Annotated[
    Pairs,
    BeforeValidator(_pairs),
    PlainSerializer(dict),
    WithJsonSchema({"type": "object"}),
]


class OwnNetConfig(InstanceNormConfig):
    """A net of your own: a torch module that is built by `Class(shape, **options)`.

    It maps (batch, channels, lookback) to (batch, targets, horizon), all of which `shape` says.
    """

    built_by: ClassVar[str] = "pyheta.nets.zoo.own:build_own"
    resumable: ClassVar[bool] = False  # it may keep from epoch to epoch what nobody knows of
    stackable: ClassVar[bool] = False  # it may let the nets of a stack hear of each other

    name: str = Field(
        pattern=NAME,
        max_length=200,
        description="module:Class, or a name under which an installed package offers a net.",
    )
    options: NamedValues = Field(
        default=(),
        description="What the class is given by name; a list arrives as a tuple.",
        json_schema_extra={"default": {}},
    )
    version: int = Field(
        default=1,
        ge=1,
        description="To be raised when the class changes: what it computed before is kept.",
    )


def is_own(name: str) -> bool:
    """Whether a name is written as `module:Class`, or is one that an installed package offers."""
    return bool(re.fullmatch(NAME, name)) and (":" in name or name in offered())


@cache
def offered() -> Mapping[str, str]:
    """Nets of installed packages: name -> `module:Class`. None is imported."""
    return {entry.name: f"{entry.module}:{entry.attr}" for entry in entry_points(group=GROUP)}
