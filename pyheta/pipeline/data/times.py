"""When the rows of a file are: its time column, and what is written there.

The column is found by its name or by what it holds, and so is the way in which times are written.
"""

from dataclasses import dataclass

import polars as pl

from pyheta.errors import DataError, nearest
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.rawfile import RawTable, first, quoted, reads_as_number

TIME_NAMES = ("date", "time", "timestamp", "datetime")
TIME_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")
OFFSET = "%#z"  # +02:00, +0200, +02 or Z
MICROSECONDS = pl.Datetime("us")


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The times of a file's rows, in the order of the file.

    `values`: Datetime (µs, without a zone, no nulls): UTC where an offset or a zone is known, as
    they stand otherwise. Where rows are `counted`, they are whole numbers: 3 is 3 µs after 1970.
    """

    columns: tuple[str, ...]  # those that are times; none where rows are counted
    values: pl.Series
    counted: bool = False
    notes: tuple[str, ...] = ()  # what was found, for people


def find_time(raw: RawTable, options: DataOptions) -> tuple[str, ...]:
    """The time column: the wanted one, else one with a usual name, else the first of times.

    Empty where there is none. Raises DataError where a wanted one is not there.
    """
    names = raw.frame.columns
    for wanted in options.time:
        if wanted not in names:
            raise DataError(f"no column '{wanted}'", where=raw.name, cure=nearest(wanted, names))
    if options.time:
        return options.time
    by_lower = {name.lower(): name for name in reversed(names)}
    usual = [by_lower[name] for name in TIME_NAMES if name in by_lower]
    candidates = usual or [name for name in names if _holds_times(raw.frame[name])]
    if not candidates:
        raise _no_time(raw)
    return (candidates[0],)


def read_times(raw: RawTable, columns: tuple[str, ...], options: DataOptions) -> TimeAxis:
    """The times that stand in the columns that `find_time` found. Raises DataError."""
    del options  # TODO: formats, zones
    return TimeAxis(columns, _times(raw, columns[0]))


def _no_time(raw: RawTable) -> DataError:
    if all(reads_as_number(name) for name in raw.frame.columns):
        cure = "add a first line with the columns' names"
        return DataError("the first row looks like data, not names", where=raw.name, cure=cure)
    columns = ", ".join(raw.frame.columns[:12])
    cure = f"say which one it is with `time:`; columns: {columns}"
    return DataError("no time column found", where=raw.name, cure=cure)


def _holds_times(column: pl.Series) -> bool:
    return column.dtype.is_temporal() or _time_format(column.drop_nulls().head(1)) is not None


def _time_format(column: pl.Series) -> str | None:
    """The format in which all of these texts are times, if there is one."""
    if column.dtype != pl.String or column.is_empty():
        return None
    formats = [stem + offset for stem in TIME_FORMATS for offset in ("", OFFSET)]
    return next((f for f in formats if not _parse_times(column, f).has_nulls()), None)


def _parse_times(column: pl.Series, form: str) -> pl.Series:
    text = column.str.strip_chars().str.replace("T", " ", literal=True)
    return _without_zone(text.str.to_datetime(form, time_unit="us", strict=False))


def _without_zone(times: pl.Series) -> pl.Series:
    """Times in UTC where they had an offset, as they stand where they had none."""
    zone = getattr(times.dtype, "time_zone", None)
    if zone is not None:
        times = times.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return times.cast(MICROSECONDS)


def _times(raw: RawTable, name: str) -> pl.Series:
    column = raw.frame[name]
    if column.has_nulls():
        what = f"{column.null_count()} missing values, the first here"
        where = raw.where(index=first(column.is_null()), column=name)
        raise DataError(what, where=where, cure="leave out the rows")
    if column.dtype in (pl.Datetime, pl.Date):
        return _without_zone(column)
    if column.dtype != pl.String:
        what = f"column '{name}' holds {column.dtype}, not times"
        raise DataError(what, where=raw.name, cure="say which column does with `time:`")
    form = _time_format(column.head(1))
    if form is None:
        raise _bad_time(raw, name, 0, "write times as 2026-01-31 18:00:00")
    times = _parse_times(column, form)
    if times.has_nulls():
        raise _bad_time(raw, name, first(times.is_null()), "write all times in one ISO format")
    return times


def _bad_time(raw: RawTable, name: str, index: int, cure: str) -> DataError:
    value = quoted(raw.frame[name][index])
    what = f"not an ISO time {value}" if index == 0 else f"not a time like the first row's: {value}"
    return DataError(what, where=raw.where(index=index, column=name), cure=cure)
