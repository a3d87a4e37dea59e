"""Which rows there are, and what is done about those that are missing, double or out of order."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from pyheta.pipeline.data.options.missing import MissingOption
from pyheta.pipeline.data.options.moments import Moment
from pyheta.pipeline.data.options.named import Column, as_tuple, one_or_list
from pyheta.pipeline.data.options.resample import ResampleOption
from pyheta.section import Section


def _text(value: object) -> object:
    """Series are often numbered: 7 and 7.0 are the series 7."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if type(value) in (int, float) else value


class Rows(Section):
    """Options of the stations in `pipeline.data.rows`."""

    series: Annotated[
        tuple[Column, ...],
        BeforeValidator(as_tuple, json_schema_input_type=Column | list[Column]),
        PlainSerializer(one_or_list),
        Field(strict=False),
    ] = Field(
        default=(),
        description="The column that tells the series of a panel apart, or those that do together.",
    )
    pick: Annotated[Column, BeforeValidator(_text, json_schema_input_type=str | int)] | None = (
        Field(default=None, description="Which series of a panel; parts are joined by ' / '.")
    )
    from_: Moment | None = Field(
        default=None, alias="from", description="The first time that is taken: 2019-01, 2019-01-31."
    )
    to: Moment | None = Field(default=None, description="The last time that is taken.")
    sort: bool = Field(default=False, description="Sort rows that are out of order.")
    duplicates: Literal["first", "last", "mean"] | None = Field(
        default=None, description="Which of several rows of one time is taken."
    )
    resample: ResampleOption | None = Field(
        default=None, description="A longer step made out of a finer one: {every: 1d, how: mean}."
    )
    missing: MissingOption | None = Field(
        default=None,
        description="What is done about missing values: drop, mask, {fill: forward, limit: 3}, "
        "{values: [-999]}, or a policy for each column.",
    )
