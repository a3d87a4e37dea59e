"""The types that several sections of data options share."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, cast

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

Column = Annotated[str, Field(min_length=1, max_length=200, strict=True)]
Columns = Annotated[tuple[Column, ...], Field(strict=False, min_length=1)]

T = TypeVar("T")


def as_tuple(value: object) -> object:
    """One name is a list of one."""
    return (value,) if isinstance(value, str) else value


def one_or_list(columns: tuple[str, ...]) -> str | list[str]:
    return columns[0] if len(columns) == 1 else list(columns)


def mapping(value: object) -> object:
    """What `longform` writes as pairs, as the mapping that it was."""
    is_pairs = isinstance(value, list) and all(isinstance(item, list) for item in value)
    return dict(cast("list[list[Any]]", value)) if value and is_pairs else value


def _pairs(value: object) -> object:
    return tuple(value.items()) if isinstance(value, Mapping) else value


#: Names and what they stand for: written as a mapping, kept as pairs, which never change.
Named = Annotated[
    tuple[tuple[Column, T], ...],
    BeforeValidator(_pairs, json_schema_input_type=dict[str, T]),
    PlainSerializer(dict),
    WithJsonSchema({"type": "object"}),
    Field(strict=False),
]
