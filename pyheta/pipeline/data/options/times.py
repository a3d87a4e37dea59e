"""When rows are: the time column, how it is written, and what a season is."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from pyheta.pipeline.data.options.named import Column
from pyheta.section import Section


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _one_or_list(columns: tuple[str, ...]) -> str | list[str]:
    return columns[0] if len(columns) == 1 else list(columns)


class Times(Section):
    """Options of `pipeline.data.times` and `pipeline.data.cadence`."""

    time: Annotated[
        tuple[Column, ...],
        BeforeValidator(_as_tuple, json_schema_input_type=Column | list[Column]),
        PlainSerializer(_one_or_list),
        Field(strict=False),
    ] = Field(
        default=(),
        description="The time column, or those that make a time together, such as [year, month, "
        "day]; found by itself when absent.",
    )
    time_format: str | None = Field(
        default=None, max_length=100, description="How times are written, as in %d/%m/%Y %H:%M."
    )
    time_zone: str | None = Field(
        default=None, max_length=100, description="Of local wall time, as in Europe/Zurich."
    )
    step: Literal["rows"] | None = Field(
        default=None,
        description="rows: rows are counted; times give their order, splits and labels alone.",
    )
    season: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Rows of one season; follows from the step."
    )
