"""When rows are: the time column, how it is written, and what a season is."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from pyheta.pipeline.data.options.named import Column, as_tuple, one_or_list
from pyheta.section import Section


class Times(Section):
    """Options of `pipeline.data.times` and `pipeline.data.cadence`."""

    time: Annotated[
        tuple[Column, ...],
        BeforeValidator(as_tuple, json_schema_input_type=Column | list[Column]),
        PlainSerializer(one_or_list),
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
