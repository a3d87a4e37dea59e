"""A longer step made out of a finer one."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from pyheta.pipeline.data.options.named import Column, mapping
from pyheta.section import Section

How = Literal["mean", "sum", "last", "min", "max"]


def _pairs(value: object) -> object:
    """One way for all columns has no name."""
    if isinstance(value, Mapping):
        return tuple(value.items())
    return (("", value),) if isinstance(value, str) else value


def _written(pairs: tuple[tuple[str, How], ...]) -> Any:
    return pairs[0][1] if pairs[0][0] == "" else dict(pairs)


class Resample(Section):
    """Rows become those of intervals; the time of each is its interval's start."""

    every: str = Field(
        pattern=r"^[1-9][0-9]{0,6}(s|min|h|d|w|mo|q|y)$",
        description="The length of an interval: 15min, 1h, 1d, 1w, 1mo, 1q or 1y.",
    )
    how: Annotated[
        tuple[tuple[Annotated[str, Field(strict=True, max_length=200)], How], ...],
        BeforeValidator(_pairs, json_schema_input_type=How | dict[Column, How]),
        PlainSerializer(_written),
        Field(strict=False, min_length=1),
    ] = Field(
        default=(("", "mean"),),
        description="mean, sum, last, min or max, or one for each column; mean for all others.",
    )

    def of(self, column: str) -> How:
        ways = dict(self.how)
        return ways.get(column, ways.get("", "mean"))


ResampleOption = Annotated[Resample, BeforeValidator(mapping), WithJsonSchema({"type": "object"})]
