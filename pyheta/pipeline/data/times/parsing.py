"""Texts in a known format as times. A row that is not in the format is null."""

from datetime import datetime

import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.times.elapsed import elapsed
from pyheta.pipeline.data.times.formats import (
    COUNT,
    DECIMAL_YEAR,
    ELAPSED,
    EPOCHS,
    EXCEL,
    FIRST_YEAR,
    LAST_YEAR,
    around,
    pattern,
)

MICROSECONDS = pl.Datetime("us")
EARLIEST = datetime(1000, 1, 1)  # noqa: DTZ001 (no zone) before it a year would not have four digits
FIRST_MOMENT, LAST_MOMENT = -62 * 10**15, 253 * 10**15  # µs since 1970: the years 5 to 9987
LARGEST_COUNT = 10**15
NO_OFFSET = r"[+-](?:1[5-9]|2\d)(?::?\d{2})?(?:\s*|\s+\d{4})$"  # no clock is so far from UTC
DAY = 86_400 * 10**6  # µs
EXCEL_1970 = 25569  # 1970-01-01, in days as sheets count them
MONTHS = 12
UNEVEN = 0.02  # of a step: seconds have a few digits
NEAR_MONTH = 0.06  # of a month: decimal years have two or three digits


def parse_times(text: pl.Series, form: str) -> pl.Series:
    """Datetime (µs, without a zone) of texts; UTC where the format has a zone.

    Raises DataError where the format says too little for a time.
    """
    if form in EPOCHS:
        return _epochs(text, EPOCHS[form])
    if form == DECIMAL_YEAR:
        return _decimal_years(text)
    if form == EXCEL:
        return _excel_days(text)
    if form == COUNT:
        return _counts(text).cast(MICROSECONDS)
    if form == ELAPSED:
        return elapsed(text).cast(MICROSECONDS)
    ways = (_strptime, _stripped, _with_fraction, _next_midnight)
    top = text.drop_nulls().head(10)
    best = next((way for way in ways if not way(top, form).has_nulls()), _strptime)
    values = best(text, form)
    for way in ways[1:]:
        failed = values.is_null() & text.is_not_null()
        if not failed.any():
            break
        values = values.scatter(failed.arg_true(), way(text.filter(failed), form))
    return values


def numbers(text: pl.Series) -> pl.Series:
    """Float64; null where a text is no number."""
    return text.str.strip_chars().cast(pl.Float64, strict=False)


def _strptime(text: pl.Series, form: str) -> pl.Series:
    text, form = _completed(text, form)
    try:
        times = text.str.to_datetime(form.replace("%z", "%#z"), time_unit="us", strict=False)
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"'{form}' says too little for a time", cure="mend `time_format`"
        ) from error
    times = without_zone(times)
    if "%z" in form:
        times = times.set(text.str.contains(NO_OFFSET), None)
    return times.set(times < EARLIEST, None)


def is_far(times: pl.Series) -> pl.Series:
    """Which dates or times are too far from 1970 to be read, or even shown."""
    units = {"ms": 1000, "us": 1}
    unit = units.get(times.dtype.time_unit) if isinstance(times.dtype, pl.Datetime) else DAY
    if unit is None:
        return times.is_null() & False  # nanoseconds are never far
    return ~times.to_physical().is_between(FIRST_MOMENT // unit, LAST_MOMENT // unit)


def without_zone(times: pl.Series) -> pl.Series:
    """Times in UTC where they had a zone, as they stand where they had none."""
    if getattr(times.dtype, "time_zone", None) is not None:
        times = times.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return times.cast(MICROSECONDS, strict=False)


def _stripped(text: pl.Series, form: str) -> pl.Series:
    return _strptime(text.str.strip_chars(), form)


def _with_fraction(text: pl.Series, form: str) -> pl.Series:
    """A fraction after the seconds, with a point or a comma."""
    text = text.str.strip_chars()
    if "%S" in form and text.str.contains(r"\d,\d").any():
        comma = around(form, "%S", r"[0-6]?\d),(\d{1,9}")
        text = text.str.replace(comma, "${1}${2}.${3}${4}")
    return _strptime(text, form.replace("%S", "%S%.f"))


def _next_midnight(text: pl.Series, form: str) -> pl.Series:
    """24:00 is 0:00 of the next day."""
    if "%H" not in form:
        return pl.repeat(None, len(text), dtype=MICROSECONDS, eager=True)
    text = text.str.strip_chars()
    midnight = text.str.replace(around(form, "%H", "24"), "${1}00${3}")
    times = _with_fraction(midnight, form)
    late = times.dt.offset_by("1d")
    same_day = (times.dt.hour() == 0) & (times.dt.minute() == 0) & (midnight != text)
    return late.set(~same_day.fill_null(value=False), None)


def _completed(text: pl.Series, form: str) -> tuple[pl.Series, str]:
    """The first minute, day or month of what is named, where only that is named."""
    if "%q" in form:
        text, form = _quarters(text, form)
    for hour in ("%H", "%I"):
        if hour in form and "%M" not in form:
            text = text.str.replace(around(form, hour), "${1}${2}:00${3}")
            form = form.replace(hour, f"{hour}:%M")
    for needs, has, more, value in _DAYS:
        if needs in form and not any(directive in form for directive in has):
            text, form = text + value, form + more
    return text, form


#: A directive, others that would make a day of it, and else what is added to the text.
_DAYS = (
    ("%V", ("%u", "%A"), " %u", " 1"),
    ("%m", ("%d",), " %d", " 1"),
    ("%B", ("%d",), " %d", " 1"),
    ("%Y", ("%m", "%B", "%j"), " %m %d", " 1 1"),
    ("%y", ("%m", "%B", "%j"), " %m %d", " 1 1"),
)


def _quarters(text: pl.Series, form: str) -> tuple[pl.Series, str]:
    text = text.str.strip_chars().str.to_uppercase()
    text = text.set(~text.str.contains(f"^{pattern(form)}$"), None)
    for quarter, month in enumerate(("01", "04", "07", "10"), start=1):
        text = text.str.replace(around(form, "%q", str(quarter)), f"${{1}}{month}${{3}}")
    return text, form.replace("%q", "%m")


def _epochs(text: pl.Series, microseconds: float) -> pl.Series:
    """Whole numbers to the last digit, others as exactly as a float is."""
    values = numbers(text) * microseconds
    whole = text.str.strip_chars().cast(pl.Int64, strict=False)
    if whole.null_count() > text.null_count():
        exact = values.round().cast(pl.Int64, strict=False)
    elif microseconds < 1:
        exact = whole // round(1 / microseconds)
    else:
        exact = whole * int(microseconds)
    inside = values.is_between(FIRST_MOMENT, LAST_MOMENT)
    return exact.set(~inside, None).cast(MICROSECONDS)


def _excel_days(text: pl.Series) -> pl.Series:
    """To the second: days have five or six digits after the point."""
    seconds = ((numbers(text) - EXCEL_1970) * (DAY / 1e6)).round() * 1e6
    inside = seconds.is_between(FIRST_MOMENT, LAST_MOMENT)
    return seconds.set(~inside, None).cast(pl.Int64).cast(MICROSECONDS)


def _counts(text: pl.Series) -> pl.Series:
    """Int64: whole numbers as they are, others (seconds, say) as multiples of their step.

    Where they have no step, they are in millionths, so that their order at least is kept.
    """
    values = numbers(text)
    if not (values == values.round()).all():
        places = _places(values)
        uneven = places.null_count() > values.null_count()
        values = (values * 1e6).round() if uneven else places
    return values.set(~(values.abs() <= LARGEST_COUNT), None).cast(pl.Int64)


def _places(values: pl.Series) -> pl.Series:
    """Float64: which multiple of the usual step each value is; null if it is near none."""
    steps = values.diff()
    usual = steps.median()
    if not isinstance(usual, float) or not usual:
        return values.set(values.is_not_null(), None)
    places = (steps / usual).round().fill_null(0).cum_sum()
    mean = (values[-1] - values[0]) / (places[-1] or 1) if values[0] is not None else usual
    off = ((values - values[0]) / mean - places).abs()
    return places.set(~(off <= UNEVEN).fill_null(value=False), None)


def _decimal_years(text: pl.Series) -> pl.Series:
    """1949.083 is February 1949 where all are months; else a moment, to the second."""
    values = numbers(text)
    values = values.set(~values.is_between(FIRST_YEAR, LAST_YEAR + 1), None)
    months = values * MONTHS
    nearest = months.round()
    if ((months - nearest).abs() <= NEAR_MONTH).all():
        return _months(nearest.cast(pl.Int64))
    running = (months + NEAR_MONTH).floor().cast(pl.Int64)
    if (running.diff().drop_nulls() == 1).all():  # the middle of each month
        return _months(running)
    return _moments_of_years(values)


def _months(months: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"year": months // MONTHS, "month": months % MONTHS + 1})
    return frame.select(pl.datetime("year", "month", 1, time_unit="us")).to_series()


def _moments_of_years(values: pl.Series) -> pl.Series:
    starts = _months(values.floor().cast(pl.Int64) * MONTHS).to_physical()
    ends = _months((values.floor().cast(pl.Int64) + 1) * MONTHS).to_physical()
    seconds = ((values - values.floor()) * (ends - starts) / 1e6).round()
    return pl.Series((seconds * 1e6).cast(pl.Int64) + starts).cast(MICROSECONDS)
