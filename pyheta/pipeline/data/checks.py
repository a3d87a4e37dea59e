"""What a data set must be before anything is computed from it: regular times, finite numbers.

Nothing is repaired or imputed here: every fault is refused with its row and column, because each
way to mend it (drop, fill, resample) is a decision about the experiment and belongs to the user.
"""

import numpy as np
import polars as pl

from pyheta.errors import DataError, nearest
from pyheta.pipeline.data.rawfile import RawTable

TIME_NAMES = ("date", "time", "timestamp", "datetime")
TIME_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")
OFFSET = "%#z"  # +02:00, +0200, +02 or Z
MISSING = ["", "-", "na", "n/a", "nan", "null", "none"]
MICROSECONDS = pl.Datetime("us")


def check(raw: RawTable, time: str) -> pl.DataFrame:
    """The checked table: `time` (Datetime, µs, UTC where offsets were given), then Float64 columns.

    `time` is the time column's name in the file. Raises DataError at the first fault.
    """
    columns = [name for name in raw.frame.columns if name != time]
    _refuse_no_table(raw, time, columns)
    times = _times(raw, time)
    _refuse_irregular(raw, time, times)
    return pl.DataFrame([times.alias("time"), *(_numbers(raw, name) for name in columns)])


def find_time(raw: RawTable, wanted: str | None) -> str:
    """The time column: the wanted one, else one with a usual name, else the first of times."""
    names = raw.frame.columns
    if wanted is not None:
        if wanted not in names:
            raise DataError(f"no column '{wanted}'", where=raw.name, cure=nearest(wanted, names))
        return wanted
    by_lower = {name.lower(): name for name in reversed(names)}
    usual = [by_lower[name] for name in TIME_NAMES if name in by_lower]
    candidates = usual or [name for name in names if _holds_times(raw.frame[name])]
    if not candidates:
        raise _no_time(raw)
    return candidates[0]


def step_microseconds(frame: pl.DataFrame) -> int:
    """The distance of two rows of a checked table."""
    first, second = frame["time"].to_physical().head(2)
    return int(second - first)


def _no_time(raw: RawTable) -> DataError:
    if all(_reads_as_number(name) for name in raw.frame.columns):
        cure = "add a first line with the columns' names"
        return DataError("the first row looks like data, not names", where=raw.name, cure=cure)
    columns = ", ".join(raw.frame.columns[:12])
    cure = f"say which one it is with `time:`; columns: {columns}"
    return DataError("no time column found", where=raw.name, cure=cure)


def _refuse_no_table(raw: RawTable, time: str, columns: list[str]) -> None:
    rows = raw.frame.height
    if not columns:
        raise DataError(f"no column beside the time column '{time}'", where=raw.name)
    if "time" in columns:
        cure = "rename one: in a table of PyHeta `time` is the time column"
        raise DataError(f"both '{time}' and 'time' are columns", where=raw.name, cure=cure)
    if rows < 2:  # noqa: PLR2004 (two rows make a step)
        what = "only a header, no rows" if rows == 0 else "only one row"
        raise DataError(what, where=raw.name, cure="a series needs at least two rows")


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
        raise _missing_values(raw, name, column.is_null())
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
        raise _bad_time(raw, name, _first(times.is_null()), "write all times in one ISO format")
    return times


def _bad_time(raw: RawTable, name: str, index: int, cure: str) -> DataError:
    value = _quote(raw.frame[name][index])
    what = f"not an ISO time {value}" if index == 0 else f"not a time like the first row's: {value}"
    return DataError(what, where=raw.where(index=index, column=name), cure=cure)


def _refuse_irregular(raw: RawTable, name: str, times: pl.Series) -> None:
    """Times must grow, and by the same step everywhere."""
    steps = np.diff(times.to_physical().to_numpy())
    if (steps <= 0).any():
        raise _disorder(raw, name, times, steps)
    lengths, counts = np.unique(steps, return_counts=True)
    usual = lengths[counts.argmax()]
    if len(lengths) > 1:
        index = int((steps != usual).argmax()) + 1
        places = int((steps != usual).sum())
        what = f"{_span(steps[index - 1])} after the row before, where the step is {_span(usual)}"
        more = f" ({places} such places)" if places > 1 else ""
        cure = "fill the gaps or resample to a regular step first"
        raise DataError(what + more, where=raw.where(index=index, column=name), cure=cure)


def _disorder(raw: RawTable, name: str, times: pl.Series, steps: np.ndarray) -> DataError:
    index = int((steps <= 0).argmax()) + 1
    where = raw.where(index=index, column=name)
    if steps[index - 1] == 0:
        cure = "keep one row per time (clock changes? give times with their UTC offset)"
        return DataError(f"{times[index]} stands in the row before too", where=where, cure=cure)
    what = f"times must grow, but {times[index]} follows {times[index - 1]}"
    return DataError(what, where=where, cure="sort the rows by time")


def _span(microseconds: np.int64) -> str:
    return str(np.timedelta64(microseconds, "us").item())


def _numbers(raw: RawTable, name: str) -> pl.Series:
    column = raw.frame[name]
    if column.dtype == pl.String:
        values, missing = _numbers_of_text(raw, name)
    elif column.dtype.is_numeric():
        values = column.cast(pl.Float64)
        missing = values.is_null() | values.is_nan().fill_null(value=False)
    else:
        what = f"column '{name}' holds {column.dtype}, not numbers"
        raise DataError(what, where=raw.name, cure="convert or remove it")
    if missing.any():
        raise _missing_values(raw, name, missing)
    if not (finite := values.is_finite()).all():
        index = _first(~finite)
        where = raw.where(index=index, column=name)
        raise DataError(f"not finite: {_quote(column[index])}", where=where, cure="mend the value")
    return values


def _numbers_of_text(raw: RawTable, name: str) -> tuple[pl.Series, pl.Series]:
    """The numbers, and where they are missing. A text that is neither is refused."""
    text = raw.frame[name].str.strip_chars()
    missing = text.is_null() | text.str.to_lowercase().is_in(MISSING).fill_null(value=False)
    values = text.cast(pl.Float64, strict=False)
    wrong = values.is_null() & ~missing
    if wrong.any():
        index = _first(wrong)
        where = raw.where(index=index, column=name)
        what = f"not a number {_quote(text[index])}"
        raise DataError(what, where=where, cure=_number_cure(text[index]))
    return values, missing


def _number_cure(text: str) -> str:
    if _reads_as_number(text.replace(",", ".")):
        return "write the decimal comma as a point"
    if _reads_as_number("".join(c for c in text if c not in " ',\u2019\u00a0\u202f")):
        return "write it without thousands separators"
    return "mend the value, or remove the column if it holds no numbers"


def _reads_as_number(text: str) -> bool:
    return pl.Series([text]).cast(pl.Float64, strict=False).is_not_null().all()


def _missing_values(raw: RawTable, name: str, missing: pl.Series) -> DataError:
    what = f"{missing.sum()} missing values, the first here"
    where = raw.where(index=_first(missing), column=name)
    cure = "fill the values or leave out the column or rows: none are made up here"
    return DataError(what, where=where, cure=cure)


def _first(mask: pl.Series) -> int:
    position = mask.arg_max()
    return position if position is not None else 0


def _quote(value: object) -> str:
    """A value for a message, never longer than a line."""
    text = str(value)
    return f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'"  # noqa: PLR2004
