"""When the rows of a file are: its time column, and what is written there.

The column is found by its name or by what it holds, and so is the way in which times are written.
"""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from pyheta.errors import DataError, nearest
from pyheta.pipeline.data.files.rawfile import RawTable, first, reads_as_number
from pyheta.pipeline.data.files.rawtable import listed
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.times.columns import are_times, as_text, candidates, in_format, parts_of
from pyheta.pipeline.data.times.formats import COUNT, ELAPSED, has_zone, settled
from pyheta.pipeline.data.times.intervals import separator_of
from pyheta.pipeline.data.times.parsing import MICROSECONDS, is_far, parse_times, without_zone
from pyheta.pipeline.data.times.reading import (
    Found,
    and_others,
    read_texts,
    refuse_bad,
    refuse_missing,
)
from pyheta.pipeline.data.times.zones import to_utc

OWN_OFFSET = "times have their own offset"
NO_CLOCKS = {COUNT: "rows are counted", ELAPSED: "times are elapsed times"}


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The times of a file's rows, in the order of the file.

    `values`: Datetime (µs, without a zone, no nulls): UTC where an offset or a zone is known, as
    they stand otherwise. Days of a local calendar stay days. Elapsed times count
    from 1970. Where rows are `counted`, they are whole numbers: 3 is 3 µs after 1970.
    """

    columns: tuple[str, ...]  # those that are times; none where there is no such column
    values: pl.Series
    counted: bool = False
    notes: tuple[str, ...] = ()  # what was found, for people


def find_time(raw: RawTable, options: DataOptions) -> tuple[str, ...]:
    """The time columns: the wanted ones, else those that look most like it.

    Empty where there is none. Raises DataError where a wanted one is not there.
    """
    names = raw.frame.columns
    for wanted in options.time:
        if wanted not in names:
            raise DataError(f"no column '{wanted}'", where=raw.name, cure=nearest(wanted, names))
    found = options.time or _in_format(raw, options) or next(candidates(raw), ())
    if not found and all(reads_as_number(name) for name in names):
        cure = "add a first line with the columns' names"
        raise DataError("the first row looks like data, not names", where=raw.name, cure=cure)
    if not found and not options.taken:
        _refuse_wide(raw)
    return found


def _refuse_wide(raw: RawTable) -> None:
    """Raises DataError where times stand in the line of names."""
    if are_times(raw.frame.columns):
        what = (
            f"times are the names of its columns ({listed(raw.frame.columns[-3:])}), not its rows"
        )
        cure = "turn it, so that each time is a row (in pandas: df.T, or df.melt)"
        raise DataError(what, where=raw.name, cure=cure)


def _in_format(raw: RawTable, options: DataOptions) -> tuple[str, ...]:
    written = options.time_format
    return next(in_format(raw, settled(written)), ()) if written else ()


def read_times(raw: RawTable, columns: tuple[str, ...], options: DataOptions) -> TimeAxis:
    """The times that stand in the columns that `find_time` found. Raises DataError."""
    if not columns:
        return _row_numbers(raw, options)
    column = raw.frame[columns[0]]
    if len(columns) == 1 and column.dtype in (pl.Date, pl.Datetime):
        return _typed(raw, column, options)
    text, form = _texts(raw, columns)
    form = settled(options.time_format) if options.time_format else form
    axis = _axis(raw, columns, text, read_texts(raw, columns, text, form), options)
    return replace(axis, notes=(*axis.notes, *_of_intervals(column)))


def _of_intervals(column: pl.Series) -> tuple[str, ...]:
    is_told = column.dtype == pl.String and separator_of(column)
    return (
        (f"times in '{column.name}' are intervals: where they start is taken",) if is_told else ()
    )


def _axis(
    raw: RawTable, columns: tuple[str, ...], text: pl.Series, found: Found, options: DataOptions
) -> TimeAxis:
    """What was read, as moments if possible."""
    if why := NO_CLOCKS.get(found.form):
        notes = found.notes + _useless("time_zone", options.time_zone, why)
        return TimeAxis(columns, found.values, counted=found.form == COUNT, notes=notes)
    if has_zone(found.form):
        notes = found.notes + _useless("time_zone", options.time_zone, OWN_OFFSET)
        return TimeAxis(columns, _moments(text, found), notes=notes)
    local = _local(raw, columns, found.values, options.time_zone)
    return TimeAxis(columns, local, notes=found.notes)


def _row_numbers(raw: RawTable, options: DataOptions) -> TimeAxis:
    for option in ("time_format", "time_zone"):
        if option in options.model_fields_set:
            cure = f"name it with `time:` (columns: {', '.join(raw.frame.columns[:12])})"
            raise DataError(f"no time column found for `{option}`", where=raw.name, cure=cure)
    rows = pl.Series(np.arange(raw.frame.height)).cast(MICROSECONDS)
    return TimeAxis((), rows, counted=True, notes=("no time column: rows are counted",))


# Texts


def _texts(raw: RawTable, columns: tuple[str, ...]) -> tuple[pl.Series, str]:
    """What stands in the time columns, as one text, and its format where columns' names say it."""
    try:
        texts = {name: as_text(raw.frame[name]) for name in columns}
    except DataError as error:
        cure = "say which column does with `time:`"
        raise DataError(error.what, where=raw.name, cure=cure) from error
    if len(columns) == 1:
        return texts[columns[0]], ""
    if parts := parts_of(columns):
        return _from_parts({part: texts[name] for part, name in parts.items()})
    return pl.DataFrame(texts).select(pl.concat_str(pl.all(), separator=" ")).to_series(), ""


#: How the parts of a time are put together: a part, what stands before it, its format and digits.
_PARTS = (
    ("year", "", "%Y", 4),
    ("quarter", "-Q", "%q", 1),
    ("month", "-", "%m", 2),
    ("week", "-W", "%V", 2),
    ("yearday", "-", "%j", 3),
    ("day", "-", "%d", 2),
    ("hour", " ", "%H", 2),
    ("minute", ":", "%M", 2),
    ("second", ":", "%S", 2),
)


#: Before the number of a part: M01, Q1, W05.
LETTER = r"^\s*[MQWmqw](\d{1,2})\s*$"


def _from_parts(parts: dict[str, pl.Series]) -> tuple[pl.Series, str]:
    pieces: list[pl.Expr] = []
    form = ""
    parts = {part: text.str.replace(LETTER, "$1") for part, text in parts.items()}
    named = parts.get("month", pl.Series([""])).str.contains("[A-Za-z]").any()
    for part, before, directive, digits in _PARTS:
        if part in parts:
            whole = pl.lit(parts[part]).str.strip_chars().str.replace(r"\.0*$", "")
            pieces += [pl.lit(before), whole.str.zfill(digits)]
            form += before + ("%B" if part == "month" and named else directive)
    form = form.replace("%Y", "%G") if "week" in parts else form
    return pl.select(pl.concat_str(pieces)).to_series(), form


# Zones


def _typed(raw: RawTable, column: pl.Series, options: DataOptions) -> TimeAxis:
    """A column of dates or times."""
    names = (column.name,)
    refuse_missing(raw, names, column.is_null())
    if (far := is_far(column)).any():
        text = column.to_physical().cast(pl.String)
        refuse_bad(raw, names, text, Found(str(column.dtype), column.set(far, None)))
    moments = without_zone(column)
    notes = _useless("time_format", options.time_format, "the file has times, not texts")
    if getattr(column.dtype, "time_zone", None) is None:
        return TimeAxis(names, _local(raw, names, moments, options.time_zone), notes=notes)
    notes += _useless("time_zone", options.time_zone, OWN_OFFSET)
    wall = column.dt.replace_time_zone(None).cast(MICROSECONDS)
    return TimeAxis(names, _or_days(moments, wall), notes=notes)


def _useless(option: str, value: str | None, why: str) -> tuple[str, ...]:
    """That an option which is written has no effect."""
    return (f"`{option}: {value}` does nothing: {why}",) if value else ()


def _moments(text: pl.Series, found: Found) -> pl.Series:
    """Times with offsets, in UTC."""
    if not found.form.endswith("%z") or not _few_clocks(found.values):
        return found.values
    wall = text.str.strip_chars().str.replace(r" *(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$", "")
    return _or_days(found.values, parse_times(wall, found.form.removesuffix("%z")))


def _or_days(moments: pl.Series, wall: pl.Series) -> pl.Series:
    """Moments; but days of a calendar whose clocks change stay days, which are not of 24 hours."""
    if _few_clocks(moments) and moments.dt.time().n_unique() > 1 == wall.dt.time().n_unique():
        return wall
    return moments


def _few_clocks(times: pl.Series) -> bool:
    """Whether times may be days, as far as the first ones tell."""
    return times.head(1000).dt.time().n_unique() <= 2  # noqa: PLR2004 (summer and winter)


def _local(raw: RawTable, columns: tuple[str, ...], wall: pl.Series, zone: str | None) -> pl.Series:
    """What clocks show, in UTC if their zone is known. Raises DataError for a time that none does.

    Days of a local calendar stay as they stand.
    """
    if zone is None or (_few_clocks(wall) and wall.dt.time().n_unique() == 1):
        return wall
    moments = to_utc(wall, zone)
    if (never := moments.is_null()).any():
        index = first(never)
        what = f"clocks in {zone} never showed {wall[index]}{and_others(raw, never)}"
        cure = "name the file's own zone, or leave out `time_zone` if the times are in UTC"
        raise DataError(what, where=raw.where(index=index, column=", ".join(columns)), cure=cure)
    return moments
