"""Which columns there are, what they mean, and which are made of others."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from pyheta.pipeline.data.options.named import Column, Named, mapping
from pyheta.pipeline.data.options.sparse import Inner, Sparse

T = TypeVar("T")

MAX_ROWS = 1_000_000

#: A country, and maybe a part of it.
_CODE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})?")


def as_tuple(value: object) -> object:
    """One is a list of one."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


Several = Annotated[
    tuple[T, ...],
    BeforeValidator(as_tuple),
    Field(strict=False, min_length=1, max_length=1000),
]
Rows = Annotated[int, Field(ge=1, le=MAX_ROWS)]
Statistic = Literal["mean", "std", "min", "max", "sum", "median"]
Calendar = Literal[
    "minute", "hour", "weekday", "day", "yearday", "week", "month", "quarter", "year", "weekend"
]


class ColumnOptions(Inner):
    """What a column is, beside its values."""

    role: Literal["past", "known"] = Field(
        default="past", description="known: nets see it over the horizon too."
    )
    delay: int = Field(
        default=0,
        ge=0,
        le=MAX_ROWS,
        description="Rows after its own at which a value became known.",
    )
    type: Literal["number", "category"] = Field(
        default="number", description="category: a column of 0 and 1 is made for each value."
    )

    @model_validator(mode="after")
    def _known_in_time(self) -> Self:
        if self.role == "known" and self.delay:
            raise ValueError("a column that is known ahead has no delay: leave one of them out")
        return self


def _each(value: object) -> object:
    """A list of names as pairs with nothing, a mapping as pairs with what stands there."""
    value = mapping(value)
    if isinstance(value, Mapping):
        return tuple(value.items())
    return tuple((name, None) for name in value) if isinstance(value, list | tuple) else value


def _list_or_mapping(columns: tuple[tuple[str, ColumnOptions | None], ...]) -> object:
    described = {name: options.model_dump(mode="json") for name, options in columns if options}
    return described or [name for name, _ in columns]


def _number(text: object) -> object:
    """Keys of JSON are texts, those of YAML numbers."""
    if not isinstance(text, str):
        return text
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        raise ValueError(f"expected a number of rows, got '{text[:40]}'") from None


def _by_period(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return tuple((_number(period), order) for period, order in value.items())


def _texts(value: tuple[tuple[float, int], ...]) -> dict[str, int]:
    """Numbers as keys of JSON: 24.0 is 24."""
    return {f"{int(p) if p == int(p) else p}": order for p, order in value}


def _windows(value: object) -> object:
    """(column, window, statistics) of {column: {window: …}}; no column of {window: …}."""
    return tuple(_each_window(value)) if isinstance(value, Mapping) else value


def _each_window(value: Mapping[Any, Any]) -> Iterator[tuple[Any, ...]]:
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            yield from ((name, _number(window), how) for window, how in inner.items())
        else:
            yield "", _number(name), inner


def _nested(value: tuple[tuple[str, int, tuple[str, ...]], ...]) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for column, window, how in value:
        place = written.setdefault(column, {}) if column else written
        place[str(window)] = list(how)
    return written


Fourier = Annotated[
    tuple[
        tuple[
            Annotated[float, Field(gt=1, le=MAX_ROWS, strict=False)],
            Annotated[int, Field(ge=1, le=100)],
        ],
        ...,
    ],
    BeforeValidator(_by_period, json_schema_input_type=dict[str, int]),
    PlainSerializer(_texts),
    WithJsonSchema({"type": "object"}),
    Field(strict=False),
]
Rolling = Annotated[
    tuple[tuple[Annotated[str, Field(max_length=200)], Rows, Several[Statistic]], ...],
    BeforeValidator(_windows, json_schema_input_type=dict[str, Any]),
    PlainSerializer(_nested),
    WithJsonSchema({"type": "object"}),
    Field(strict=False),
]


def _a_code(place: str) -> str:
    if not _CODE.fullmatch(place):
        raise ValueError(f"expected a country's code such as CH or CH-ZH, got '{place[:40]}'")
    return place


class Noise(Inner):
    """Noise as wide as a column."""

    like: Column
    seed: int = Field(default=0, ge=0, lt=1 << 32)


class Features(Inner):
    """Columns that are made: see `pipeline.features`, where each of these has a file."""

    calendar: Several[Calendar] | None = Field(
        default=None, description="Numbers of the calendar: hour, weekday (Monday is 0), month, …"
    )
    fourier: Fourier | None = Field(
        default=None, description="Period in rows, and how many waves of it: {24: 3}."
    )
    holidays: Annotated[str, AfterValidator(_a_code)] | None = Field(
        default=None, description="Of a country, or a part of it: CH or CH-ZH."
    )
    lags: Named[Several[Rows]] | None = Field(
        default=None, description="Columns so many rows before: {OT: [24, 168]}."
    )
    rolling: Rolling | None = Field(
        default=None,
        description="Statistics of the last rows: {OT: {24: [mean, std]}}, or of all columns: "
        "{24: [mean]}.",
    )
    returns: Several[Column] | None = Field(
        default=None, description="Changes from row to row, as fractions of the value before."
    )
    range: Annotated[tuple[Column, Column], Field(strict=False)] | None = Field(
        default=None, description="The first column less the second: [High, Low]."
    )
    noise: Noise | None = Field(default=None, description="A control: {like: OT}.")
    shuffled: Several[Column] | None = Field(
        default=None, description="A control: columns whose values stand at other rows."
    )


class Columns(Sparse):
    """Options of `pipeline.data.roles` and `pipeline.features`."""

    columns: Annotated[
        tuple[tuple[Column, ColumnOptions | None], ...],
        BeforeValidator(_each, json_schema_input_type=list[str] | dict[str, ColumnOptions]),
        PlainSerializer(_list_or_mapping),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "array", "items": {"type": "string"}},
                    {"type": "object", "additionalProperties": ColumnOptions.model_json_schema()},
                ]
            }
        ),
        Field(strict=False),
    ] = Field(default=(), description="Those to take, as a list, or what some of them are.")
    features: Annotated[Features, BeforeValidator(mapping)] | None = Field(
        default=None, description="Columns that are made of others, or of the times."
    )

    @property
    def taken(self) -> tuple[str, ...]:
        """The columns to take; all where it is empty."""
        return tuple(name for name, options in self.columns if options is None)

    @property
    def described(self) -> Mapping[str, ColumnOptions]:
        """Columns of which something is said."""
        return {name: options for name, options in self.columns if options is not None}
