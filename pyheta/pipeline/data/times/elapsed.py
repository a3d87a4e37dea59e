"""Elapsed times: how long after the start a row is, as programs and people write it."""

import re

import polars as pl

#: The microseconds of each part that is written.
_SIZES = {"days": 86_400 * 10**6, "hours": 3_600 * 10**6, "minutes": 60 * 10**6, "seconds": 10**6}
_DIGITS = 6  # of a fraction of a second

_CLOCK = r"(?P<hours>\d{1,6}):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d)(?:[.,](?P<fraction>\d+))?"
_SECONDS = r"(?:(?P<seconds>\d{1,9})(?:[.,](?P<fraction>\d+))?S)?"
_TIME = rf"T(?:(?P<hours>\d{{1,6}})H)?(?:(?P<minutes>\d{{1,9}})M)?{_SECONDS}"

#: 26:00:00, "1 days 02:00:00.5" (pandas) and "1 day, 2:00:00" (Python); P1DT2H0.5S (ISO 8601).
_FORMS = (
    rf"^(?P<sign>)(?:(?P<days>-?\d{{1,6}}) days?(?:$|,? \+?))?(?:{_CLOCK})?$",
    rf"^(?P<sign>-?)P(?:(?P<days>\d{{1,6}})D)?(?:{_TIME})?$",
)
_COMPILED = tuple(map(re.compile, _FORMS))


def is_elapsed(text: str) -> bool:
    return any(form.match(text) for form in _COMPILED) and any(map(str.isdigit, text))


def is_clock(text: pl.Series) -> bool:
    """Whether all may be times of the day: none says a number of days."""
    return bool(text.str.contains(r"^\s*(?:[01]?\d|2[0-3]):").all())


def elapsed(text: pl.Series) -> pl.Series:
    """Microseconds (Int64); null where a text is no elapsed time."""
    text = text.str.strip_chars()
    words, iso = (_microseconds(text, form) for form in _FORMS)
    return words.fill_null(iso).set(~text.str.contains(r"\d"), None)


def _microseconds(text: pl.Series, form: str) -> pl.Series:
    parts = text.str.extract_groups(form).struct.unnest()
    whole = [pl.col(part).cast(pl.Int64).fill_null(0) * size for part, size in _SIZES.items()]
    fraction = pl.col("fraction").str.pad_end(_DIGITS, "0").str.slice(0, _DIGITS).cast(pl.Int64)
    size = pl.sum_horizontal(*whole, fraction.fill_null(0))
    signed = pl.when(pl.col("sign") == "-").then(-size).otherwise(size)
    return parts.select(signed.alias(text.name)).to_series().set(~text.str.contains(form), None)
