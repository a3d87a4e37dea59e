"""Nets of one's own: how they are written in a sweep, and how their classes are found."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from pyheta.nets.configs.base import GradientConfig

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


class OwnNetConfig(GradientConfig):
    """A net of your own: a torch module that is built by `Class(shape, **options)`.

    It maps (batch, channels, lookback) to (batch, targets, horizon), all of which `shape` says.
    """

    name: str = Field(
        pattern=NAME,
        max_length=200,
        description="module:Class, or a name under which an installed package offers a net.",
    )
    options: Annotated[
        Pairs,
        BeforeValidator(_pairs),
        PlainSerializer(dict),
        WithJsonSchema({"type": "object"}),
    ] = Field(
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
    """Whether a name is written as `module:Class`, or an installed package offers a net under
    it.
    """
    return bool(re.fullmatch(NAME, name)) and (":" in name or name in offered())


@cache
def offered() -> Mapping[str, str]:
    """The nets of installed packages: where the class of each is, `module:Class`. None is
    imported.
    """
    return {entry.name: f"{entry.module}:{entry.attr}" for entry in entry_points(group=GROUP)}
