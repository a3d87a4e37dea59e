"""When rows are: the time column, how it is written, and what a season is."""

from difflib import get_close_matches
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from pyheta.pipeline.data.options.named import Column, as_tuple, one_or_list
from pyheta.pipeline.data.times.formats import settled
from pyheta.section import Section

NO_ZONES = ("Factory", "localtime", "posixrules")  # files beside the zones that are none


def _a_format(written: str) -> str:
    settled(written)
    return written


def _a_zone(written: str) -> str:
    known = sorted(available_timezones().difference(NO_ZONES))
    if written in known:
        return written
    place = written.rpartition("/")[2].casefold()
    near = [zone for zone in known if zone.casefold().endswith(f"/{place}")]
    near += get_close_matches(written, known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "such as Europe/Zurich or America/New_York"
    raise ValueError(f"unknown zone '{written}'; {hint}")


class Times(Section):
    """Options of `pipeline.data.times.axis` and `pipeline.data.steps.finding`."""

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
    time_format: Annotated[str, Field(max_length=100), AfterValidator(_a_format)] | None = Field(
        default=None,
        description="How times are written, as in %d/%m/%Y %H:%M; or what they are: epoch s, "
        "epoch ms, epoch us, epoch ns, decimal year, excel (days of a sheet), count, elapsed "
        "(since the start).",
    )
    time_zone: Annotated[str, Field(max_length=100), AfterValidator(_a_zone)] | None = Field(
        default=None, description="Of local wall time, as in Europe/Zurich."
    )
    step: Literal["rows"] | None = Field(
        default=None,
        description="rows: rows are counted; times give their order, splits and labels alone.",
    )
    season: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Rows of one season; follows from the step."
    )
