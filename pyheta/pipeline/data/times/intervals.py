"""Times that are written as an interval, such as 01.01.2026 00:00 - 01.01.2026 01:00."""

import re

import polars as pl

BETWEEN = (" - ", " \u2013 ", " -- ", "/")
CLOCK = "00:00"  # the digits of one
YEAR = 4  # digits; 12/31 is a day
_DIGIT = re.compile(r"\d")


def separator_of(text: pl.Series) -> str:
    """What stands between the two times of a column's first cell; empty if it is no interval."""
    first = next(iter(text.drop_nulls().head(1)), "")
    return next((between for between in BETWEEN if _is_interval(first, between)), "")


def starts(text: pl.Series) -> pl.Series:
    """The first of the two times, where a column has intervals."""
    if not (between := separator_of(text)):
        return text
    return text.str.splitn(between, 2).struct.field("field_0").alias(text.name)


def _is_interval(text: str, between: str) -> bool:
    """Whether both sides are written alike, and say a year at least; or the second a clock."""
    start, _, end = (_DIGIT.sub("0", side.strip()) for side in text.partition(between))
    alike = start == end or (CLOCK in end and start.endswith(f" {end}"))
    return alike and start.count("0") >= YEAR
