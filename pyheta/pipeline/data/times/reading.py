"""Texts of a time column as times: their format is found, or asked for where two are possible."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.files.rawfile import RawTable, first, quoted
from pyheta.pipeline.data.questions import Answer, Question
from pyheta.pipeline.data.steps.grids import find_grid
from pyheta.pipeline.data.times.columns import COUNT_NAMES, likely, plain, some_texts
from pyheta.pipeline.data.times.elapsed import is_clock
from pyheta.pipeline.data.times.formats import COUNT, DECIMAL_YEAR, ELAPSED, EPOCHS, is_iso
from pyheta.pipeline.data.times.parsing import numbers, parse_times

ZONE_NAME = re.compile(r"(.*\d)( ?[A-Z]{2,5})")
SHOWN = 5  # rows, or formats, in a message
SHEET_DAYS = (29_221, 58_440)  # from 1980 to 2059
EPOCH_NAMES = dict(
    zip(EPOCHS, ("seconds", "milliseconds", "microseconds", "nanoseconds"), strict=True)
)


@dataclass(frozen=True, slots=True)
class Found:
    """Texts that were read in a format: null where one is not in it."""

    form: str
    values: pl.Series
    notes: tuple[str, ...] = ()


def read_texts(raw: RawTable, columns: tuple[str, ...], text: pl.Series, form: str) -> Found:
    """The times of all rows, in a format if it is known (else empty). Raises DataError."""
    refuse_missing(raw, columns, text.is_null() | (text.str.strip_chars() == ""))
    found = Found(form, parse_times(text, form)) if form else _choose(raw, columns, text)
    refuse_bad(raw, columns, text, found)
    return found


def refuse_missing(raw: RawTable, columns: tuple[str, ...], missing: pl.Series) -> None:
    if not missing.any():
        return
    count = int(missing.sum())
    what = f"{count:,} missing times, the first here" if count > 1 else "a missing time"
    what += and_others(raw, missing)
    where = raw.where(index=first(missing), column=", ".join(columns))
    raise DataError(what, where=where, cure="write the times or remove the rows")


def refuse_bad(raw: RawTable, columns: tuple[str, ...], text: pl.Series, found: Found) -> None:
    """Name the first row that is no time."""
    if not (wrong := found.values.is_null()).any():
        return
    index = first(wrong)
    which = f"in the format {found.form}" if wrong.all() else "like the others"
    what = f"not a time {which}: {quoted(text[index])}{and_others(raw, wrong)}"
    where = raw.where(index=index, column=", ".join(columns))
    others = "" if wrong.all() else f"; others are written as {found.form}"
    raise DataError(what, where=where, cure=f"mend or remove the row{others}")


def and_others(raw: RawTable, which: pl.Series) -> str:
    """All rows of a kind, for a message that names the first."""
    if (count := which.sum()) == 1:
        return ""
    shown = ", ".join(str(row) for row in raw.rows.filter(which).head(SHOWN))
    return f" (rows {shown}{', …' if count > SHOWN else ''}: {count} in all)"


def _choose(raw: RawTable, columns: tuple[str, ...], text: pl.Series) -> Found:
    """The format of all rows. Raises DataError where there is none, or where rows leave two."""
    forms = likely(some_texts(text), counting=plain(columns[0]) in COUNT_NAMES)
    if not forms:
        raise _unknown(raw, columns, text)
    read = {form: parse_times(text, form) for form in forms}
    fewest = min(values.null_count() for values in read.values())
    read = {form: values for form, values in read.items() if values.null_count() == fewest}
    long = [form for form in read if "%y" not in form]
    if long and (fewest or all(values.equals(read[long[0]]) for values in read.values())):
        best, why = long[0], ""  # a row that is no time is named later
    else:
        regular = [form for form, values in read.items() if _regular(values)]
        if len(regular) != 1 or regular[0] not in long:
            raise _question(raw, columns, text, regular or list(read))
        best, why = regular[0], "since no other reading has regular steps"
    if best == ELAPSED and is_clock(text):
        _refuse_days_unsaid(raw, columns, text, read[best])
    hints = _hints(text) if best == COUNT else ()
    return Found(best, read[best], (*_told(columns, best, why), *hints))


def _hints(text: pl.Series) -> tuple[str, ...]:
    """That numbers may be the days of a sheet, which are no moments unless that is said."""
    looks = numbers(text).is_between(*SHEET_DAYS).all()
    return ("write `time_format: excel` if they are days as sheets count them",) if looks else ()


def _refuse_days_unsaid(
    raw: RawTable, columns: tuple[str, ...], text: pl.Series, values: pl.Series
) -> None:
    """Clocks that go back tell the time of several days."""
    if (back := (values.to_physical().diff() < 0).fill_null(value=False)).any():
        index = first(back)
        what = f"times of the day alone: {quoted(text[index])} follows {quoted(text[index - 1])}"
        cure = "name the column of the days too, as in `time: [date, time]`"
        raise DataError(what, where=raw.where(index=index, column=", ".join(columns)), cure=cure)


def _regular(values: pl.Series) -> bool:
    times = values.drop_nulls().to_physical().to_numpy()
    times = times[::-1] if len(times) and times[0] > times[-1] else times
    if len(times) < 2 or (np.diff(times) <= 0).any():  # noqa: PLR2004
        return False
    grid = find_grid(times)
    return grid is not None and grid.whole


def _unknown(raw: RawTable, columns: tuple[str, ...], text: pl.Series) -> DataError:
    cure = (
        'say how it is written with `time_format:`, such as "%d/%m/%Y %H:%M", or which column has '
        f"the times with `time:` (columns: {', '.join(raw.frame.columns[:12])})"
    )
    where = raw.where(index=0, column=", ".join(columns))
    if answers := list(_with_zone_name(text)):
        what = f"{quoted(text[0])} names a zone, but not its offset"
        return Question(what, *answers, where=where)
    return DataError(f"not a time that is known: {quoted(text[0])}", where=where, cure=cure)


def _with_zone_name(text: pl.Series) -> Iterator[Answer]:
    """Formats of texts that all end in the same letters, such as EST."""
    match = ZONE_NAME.fullmatch(text[0].strip())
    if match and text.str.strip_chars().str.ends_with(match[2]).all():
        for form in likely(some_texts(text.str.strip_chars().str.strip_suffix(match[2]))):
            yield Answer({"time_format": form + match[2]}, "to take its clocks as they stand")


def _question(
    raw: RawTable, columns: tuple[str, ...], text: pl.Series, forms: list[str]
) -> DataError:
    """Two ways to read the same texts, or years of which the century is not written."""
    answers = [Answer({"time_format": form}) for form in forms[:SHOWN]]
    ways = f"can be read in {len(forms)} ways, and no row decides which"
    trouble = "has a year of two digits" if any("%y" in form for form in forms) else ways
    where = raw.where(index=0, column=", ".join(columns))
    return Question(f"{quoted(text[0])} {trouble}", *answers, where=where)


def _told(columns: tuple[str, ...], form: str, why: str = "") -> tuple[str, ...]:
    """A sentence about the format that was found; none about plain ISO times."""
    names = ", ".join(columns)
    if form in EPOCHS:
        return (f"numbers in '{names}' are {EPOCH_NAMES[form]} since 1970 ({form})",)
    if form == ELAPSED:
        return (f"times in '{names}' are elapsed times",)
    if form == COUNT:
        return (f"numbers in '{names}' are no moments: rows are counted",)
    if form in ("%Y", DECIMAL_YEAR):
        return (f"numbers in '{names}' are {'years' if form == '%Y' else 'decimal years'}",)
    reason = f", {why}" if why else ""
    return () if is_iso(form) else (f"times in '{names}' are written as {form}{reason}",)
