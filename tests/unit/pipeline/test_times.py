"""Times are read in every format that people write; what can be read in two ways is asked."""
# ruff: noqa: DTZ001 (times of files have no zone)

import io
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pyheta.errors import DataError
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.questions import Question
from pyheta.pipeline.data.read import Reading, read
from pyheta.pipeline.data.times.formats import (
    BETWEEN,
    CLOCKS,
    DATES,
    SHORT_YEARS,
    WHOLE,
    ZONES,
    formats_of,
    settled,
)
from pyheta.pipeline.data.times.parsing import parse_times


def table(header: str, cells: Sequence[str]) -> bytes:
    lines = [f"{header},y", *(f"{cell},{row % 7}" for row, cell in enumerate(cells))]
    return "\n".join(lines).encode()


def checked(raw: bytes, **options: Any) -> Reading:
    return read(raw, "x.csv", DataOptions.of(options))


def times(reading: Reading) -> list[datetime]:
    return reading.frame["time"].to_list()


def hours(count: int, start: datetime = datetime(2019, 12, 31)) -> list[datetime]:
    return [start + timedelta(hours=hour) for hour in range(count)]


def days(count: int, start: datetime = datetime(2019, 12, 20)) -> list[datetime]:
    return [start + timedelta(days=day) for day in range(count)]


# Every format of the tables


def written(moment: datetime, form: str) -> str:
    """A moment as a format has it, by Python's own strftime."""
    quarter = str((moment.month + 2) // 3)
    return moment.strftime(form.replace("%q", quarter).replace("%z", "+0000"))


def resolved(moment: datetime, form: str) -> datetime:
    """The moment as far as a format says it."""
    if "%S" not in form:
        moment = moment.replace(second=0)
    if "%M" not in form:
        moment = moment.replace(minute=0)
    if "%H" not in form and "%I" not in form:
        moment = moment.replace(hour=0)
    if "%V" in form:
        return moment if "%u" in form else moment - timedelta(days=moment.weekday())
    if "%d" in form or "%j" in form:
        return moment
    month = moment.month if "%m" in form or "%B" in form else 1
    month = (moment.month - 1) // 3 * 3 + 1 if "%q" in form else month
    return moment.replace(month=month, day=1)


ALL = [
    *WHOLE,
    *DATES,
    *(f"{day}{' ' if 'Y' in day else 'T'}{clock}" for day in DATES for clock in CLOCKS),
    *(f"%Y-%m-%d{between}%H:%M:%S{zone}" for between in BETWEEN for zone in ZONES),
    *SHORT_YEARS,
]


@hypothesis_settings(deadline=None, max_examples=400)
@given(
    st.sampled_from(ALL),
    st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)),
)
def test_any_moment_in_any_format_is_read_back(form: str, moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    text = written(moment, form)
    assert form in formats_of(text)
    assert parse_times(pl.Series([text, f" {text} ", "no"]), form).to_list() == [
        resolved(moment, form),
        resolved(moment, form),
        None,
    ]


@hypothesis_settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([form for form in ALL if "%S" in form]),
    st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)),
    st.sampled_from(".,"),
)
def test_a_fraction_may_follow_the_seconds(form: str, moment: datetime, sign: str) -> None:
    text = written(moment, form.replace("%S", f"%S{sign}%f"))
    assert form in formats_of(text)
    assert parse_times(pl.Series([text]), form).item() == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2013-01-01T24:00", datetime(2013, 1, 2)),
        ("20131231T24", datetime(2014, 1, 1)),
        ("2013-12-31 24:00:00Z", datetime(2014, 1, 1)),
        ("2013-01-01T06:00:00-08:00", datetime(2013, 1, 1, 14)),
        ("2013-01-01T06:00:00.123456789Z", datetime(2013, 1, 1, 6, 0, 0, 123456)),
        ("2015-W02", datetime(2015, 1, 5)),
        ("2015W023", datetime(2015, 1, 7)),
        ("2013-032", datetime(2013, 2, 1)),
        ("20130101T0600", datetime(2013, 1, 1, 6)),
        ("q3 2009", datetime(2009, 7, 1)),
        ("JANUARY 5, 2013", datetime(2013, 1, 5)),
        ("Fri, 15 Oct 2021 18:00:00 GMT", datetime(2021, 10, 15, 18)),
        ("Sat Jan 31 18:00:00 +0100 2026", datetime(2026, 1, 31, 17)),
        ("1/31/2020 6PM", datetime(2020, 1, 31, 18)),
        ("1/31/2020 12:05 am", datetime(2020, 1, 31, 0, 5)),
    ],
)
def test_odd_times_are_read_as_they_are_meant(text: str, moment: datetime) -> None:
    read_as = {parse_times(pl.Series([text]), form).item() for form in formats_of(text)}
    assert moment in read_as
    assert read_as <= {moment, None}


# What is found in files


def hourly(form: str) -> tuple[str, list[str], list[datetime]]:
    return "date", [written(moment, form) for moment in hours(60)], hours(60)


def daily(form: str) -> tuple[str, list[str], list[datetime]]:
    return "date", [written(moment, form) for moment in days(60)], days(60)


@pytest.mark.parametrize(
    ("made", "note"),
    [
        (hourly("%Y-%m-%d %H:%M"), ""),
        (hourly("%Y-%m-%dT%H:%M:%SZ"), ""),
        (hourly("%Y/%m/%d %H:%M"), "times in 'date' are written as %Y/%m/%d %H:%M"),
        (hourly("%d.%m.%Y %H:%M"), "as %d.%m.%Y %H:%M"),
        (hourly("%d/%m/%Y %H:%M"), "as %d/%m/%Y %H:%M"),
        (hourly("%m/%d/%Y %I:%M %p"), "as %m/%d/%Y %I:%M %p"),
        (hourly("%Y%m%dT%H%M"), "as %Y%m%dT%H%M"),
        (hourly("%Y%m%d%H"), "as %Y%m%d%H"),
        (daily("%Y%m%d"), "as %Y%m%d"),
        (daily("%Y.%m.%d"), "as %Y.%m.%d"),
        (daily("%d/%m/%Y"), "as %d/%m/%Y"),
        (daily("%m/%d/%Y"), "as %m/%d/%Y"),
        (daily("%b %d %Y"), "as %B %d %Y"),
        (daily("%d-%b-%Y"), "as %d-%B-%Y"),
        (daily("%G-W%V-%u"), "as %G-W%V-%u"),
        (daily("%Y-%j"), "as %Y-%j"),
        (daily("%Y%j"), "as %Y%j"),
    ],
)
def test_the_format_is_found_and_told(
    made: tuple[str, list[str], list[datetime]], note: str
) -> None:
    header, cells, moments = made
    reading = checked(table(header, cells))
    assert times(reading) == moments
    assert reading.notes[:1] == () if not note else note in reading.notes[0]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("name", ["timestamp", "unix", "Time (UTC)"])
def test_epochs_are_found_by_their_size(unit: str, name: str) -> None:
    scale = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    cells = [str(int(t.replace(tzinfo=UTC).timestamp()) * scale) for t in hours(60)]
    reading = checked(table(name, cells))
    assert times(reading) == hours(60)
    assert f"(epoch {unit})" in reading.notes[0]


def test_an_epoch_may_have_a_fraction() -> None:
    moments = [datetime(2020, 1, 1) + timedelta(milliseconds=100 * i) for i in range(50)]
    cells = [f"{moment.replace(tzinfo=UTC).timestamp():.1f}" for moment in moments]
    assert times(checked(table("timestamp", cells))) == moments


@pytest.mark.parametrize(
    ("cells", "step"),
    [
        ([str(year) for year in range(1871, 1971)], "each year (start)"),
        ([f"{year}.0" for year in range(1871, 1971)], "each year (start)"),
        ([f"{1949 + month / 12:.3f}" for month in range(60)], "each month (start)"),
        ([f"{1949 + month / 12:.2f}" for month in range(60)], "each month (start)"),
        ([f"{1949 + (month + 0.5) / 12:.4f}" for month in range(60)], "each month (start)"),
        ([f"{1949 + quarter / 4}" for quarter in range(60)], "each quarter (start)"),
        ([f"{2000 + m // 12}{m % 12 + 1:02}" for m in range(60)], "each month (start)"),
        ([f"{2000 + m // 12}.{m % 12 + 1:02}" for m in range(60)], "each month (start)"),
        ([f"{2000 + m // 12}M{m % 12 + 1:02}" for m in range(60)], "each month (start)"),
        ([f"{2000 + q // 4}Q{q % 4 + 1}" for q in range(40)], "each quarter (start)"),
        ([f"Q{q % 4 + 1} {2000 + q // 4}" for q in range(40)], "each quarter (start)"),
        ([f"{t:%b-%Y}" for t in days(1000) if t.day == 1], "each month (start)"),
        ([f"{t:%G-W%V}" for t in days(300) if t.weekday() == 0], "every week"),
    ],
)
def test_years_months_quarters_and_weeks_are_times(cells: list[str], step: str) -> None:
    assert checked(table("date", cells)).cadence.name == step


def test_october_is_no_january_where_months_are_written_as_fractions() -> None:
    cells = [f"{2000 + m // 12}.{m % 12 + 1:02}" for m in range(60)]
    found = checked(table("month", cells))
    months = [datetime(2000 + m // 12, m % 12 + 1, 1) for m in range(60)]
    assert found.frame["time"].to_list() == months


def test_values_that_look_like_such_months_are_the_numbers_that_they_are() -> None:
    values = [1013.1 + month / 100 for month in range(3)]
    cells = ",".join(f"{value:.2f}" for value in values)
    raw = "".join(f"2020-01-0{day + 1},{cell}\n" for day, cell in enumerate(cells.split(",")))
    found = checked(f"date,pressure\n{raw}".encode())
    assert found.frame["pressure"].to_list() == [1013.10, 1013.11, 1013.12]


# Two readings


@pytest.mark.parametrize(
    ("cells", "lines"),
    [
        ([f"{day:02}/01/2020" for day in range(1, 13)], ["%d/%m/%Y", "%m/%d/%Y"]),
        ([f"{day:02}-01-2020" for day in range(1, 13)], ["%d-%m-%Y", "%m-%d-%Y"]),
        ([f"20-01-{day:02}" for day in range(1, 29)], ["%y-%m-%d", "%d-%m-%y"]),
        ([f"20-01-{day:02} 10:00" for day in range(1, 13)], ["%y-%m-%d %H:%M", "%d-%m-%y %H:%M"]),
        ([f"{moment:%y-%m-%d}" for moment in days(400)], ["%y-%m-%d"]),
        ([f"{day:02}.01.20" for day in range(1, 29)], ["%d.%m.%y"]),
        ([f"{day}-Jan-20" for day in range(1, 29)], ["%d-%B-%y"]),
        ([f"2001{day:02}" for day in range(1, 13)], ["%Y%m", "%y%m%d"]),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked_and_each_line_is_an_answer(
    cells: list[str], lines: list[str]
) -> None:
    with pytest.raises(DataError, match="write under dataset") as caught:
        checked(table("date", cells))
    printed = re.findall(r'`time_format: "([^"]*)"`', str(caught.value))
    assert printed == lines
    readings = [times(checked(table("date", cells), time_format=form)) for form in printed]
    assert all(min(found).year > 1999 for found in readings)
    assert len({tuple(found) for found in readings}) == len(lines)


def test_one_row_or_the_step_decides_between_two_readings() -> None:
    late = [f"{moment:%d/%m/%Y}" for moment in days(13, datetime(2020, 2, 1))]
    assert times(checked(table("date", late)))[-1] == datetime(2020, 2, 13)
    short = [f"{m.month}/{m.day}/{m.year} {m.hour}:00" for m in hours(60, datetime(2020, 1, 1))]
    reading = checked(table("date", short))
    assert times(reading)[-1] == datetime(2020, 1, 3, 11)
    assert "since no other reading has regular steps" in reading.notes[0]


def test_a_deciding_row_is_found_wherever_it_is() -> None:
    cells = [f"{1 + row % 12:02}/{1 + row % 11:02}/2020" for row in range(5000)]
    cells[3333] = "03/25/2020"
    with pytest.raises(DataError, match="follows"):  # out of order, but no question about its form
        checked(table("date", cells))


# Rows that are no times


@pytest.mark.parametrize(
    ("bad", "row", "message"),
    [
        ("Total", 300, "row 302, column 'date': not a time like the others: 'Total'"),
        ("Total", 0, "row 2, column 'date': not a time like the others: 'Total'"),
        ("2019-02-30", 7, "row 9, column 'date': not a time like the others: '2019-02-30'"),
        ("20-01-05", 400, "row 402, column 'date': not a time like the others: '20-01-05'"),
        ("2020-01-05 06:00", 400, "row 402, column 'date': not a time like the others"),
        ("", 400, "row 402, column 'date': a missing time"),
    ],
)
def test_a_bad_row_is_named_with_its_value(bad: str, row: int, message: str) -> None:
    cells = [f"{moment:%Y-%m-%d}" for moment in days(500)]
    cells[row] = bad
    with pytest.raises(DataError) as caught:
        checked(table("date", cells))
    assert message in str(caught.value)


def test_times_with_and_without_an_offset_do_not_mix() -> None:
    cells = [f"{moment:%Y-%m-%dT%H:%M}Z" for moment in hours(30)]
    cells[20] = cells[20].removesuffix("Z")
    with pytest.raises(DataError, match=r"row 22.*not a time like the others: '2019-12-31T20:00'"):
        checked(table("date", cells))


def test_a_wrong_format_names_the_first_row_and_unknown_texts_ask_for_one() -> None:
    cells = [f"{moment:%d/%m/%Y}" for moment in days(40)]
    with pytest.raises(DataError, match=r"row 2.*not a time like the others: '20/12/2019'"):
        checked(table("date", cells), time_format="%m/%d/%Y")
    with pytest.raises(DataError, match=r"not a time that is known: 'first'.*`time_format:`"):
        checked(table("date", ["first", "second", "third"]))


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("%d/%m", "has no year"),
        ("dd/mm/yyyy", "says no format"),
        ("%Q %Y", "unknown %Q"),
        ("%Y-%m-%d %I:%M", "without %p"),
        ("%Y %d", "a day without a month"),
        ("epoch", "did you mean 'epoch s'"),
    ],
)
def test_a_format_that_is_none_is_refused_when_it_is_written(form: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DataOptions.of({"time_format": form})


def test_a_format_may_be_written_as_python_has_it() -> None:
    assert settled("%d-%b-%y %T") == "%d-%B-%y %H:%M:%S"
    assert settled("%F %H:%M:%S.%f") == "%Y-%m-%d %H:%M:%S"
    assert settled("%-d/%-m/%Y") == "%d/%m/%Y"


# Which column


@pytest.mark.parametrize(
    ("header", "found", "is_counted"),
    [
        ("value,when=d", ("when",), False),
        ("date=d,time=c", ("date", "time"), False),
        ("DATE=d,HOUR=h", ("DATE", "HOUR"), False),
        ("year,month,day,value", ("year", "month", "day"), False),
        ("Jahr,Monat,Tag,value", ("Jahr", "Monat", "Tag"), False),
        ("value,Date/Time=d", ("Date/Time",), False),
        ("t,value", ("t",), True),
        ("value,id", (), True),
        ("start,value", ("start",), True),
        ("year=years,TIME", ("year",), False),
        ("value,Zeitpunkt=d", ("Zeitpunkt",), False),
        ("updated=other,date=d", ("date",), False),
        ("shuffled=s,stamp=d", ("stamp",), False),
    ],
)
def test_the_time_columns_are_found(header: str, found: tuple[str, ...], is_counted: bool) -> None:
    parts = days(48)
    step = hours(48) if "=c" in header or "=h" in header else parts
    cells: dict[str, Callable[[int], object]] = {
        "d": lambda row: f"{step[row]:%Y-%m-%d}",
        "c": lambda row: f"{step[row]:%H:%M}",
        "h": lambda row: step[row].hour,
        "other": lambda row: f"{parts[0]:%Y-%m-%d}",
        "s": lambda row: f"{parts[row * 7 % 48]:%Y-%m-%d}",
        "years": lambda row: 1900 + row,
        "t": lambda row: 5 + row,
        "TIME": lambda row: 1 + row,
        "start": lambda row: row,
        "year": lambda row: parts[row].year,
        "month": lambda row: parts[row].month,
        "day": lambda row: parts[row].day,
        "Jahr": lambda row: parts[row].year,
        "Monat": lambda row: f"{parts[row]:%b}",
        "Tag": lambda row: parts[row].day,
        "value": lambda row: 1900 + row * 3 % 50,
        "id": lambda row: 20190101 + row * 5 % 31,
    }
    names = [part.partition("=") for part in header.split(",")]
    lines = [",".join(name for name, _, _ in names) + ",y"]
    lines += [
        ",".join(str(cells[kind or name](row)) for name, _, kind in names) + f",{row % 5}"
        for row in range(48)
    ]
    reading = checked("\n".join(lines).encode())
    assert (reading.times, reading.counted) == (found, is_counted)
    if found and not is_counted and "years" not in header:
        assert times(reading) == step


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        (["year", "month", "day", "hour"], "%Y,%m,%d,%H"),
        (["year", "month", "day", "hour", "minute"], "%Y,%b,%d,%H,%M"),
        (["year", "doy", "hour"], "%Y,%j,%H"),
        (["date", "time"], "%d/%m/%Y,%H:%M"),
        (["date", "time"], "%d/%m/%Y,%H.%M.%S"),
        (["date", "time"], "%Y-%m-%d,%I:%M %p"),
        (["day", "clock"], "%Y%m%d,%H%M"),
    ],
)
def test_several_columns_make_a_time_together(columns: list[str], cells: str) -> None:
    raw = table(",".join(columns), [f"{moment:{cells}}" for moment in hours(60)])
    reading = checked(raw, time=columns)
    assert reading.times == tuple(columns)
    assert times(reading) == hours(60)


def test_hour_24_of_a_day_is_its_end() -> None:
    cells = [f"2020-01-{day:02},{hour}" for day in range(1, 4) for hour in range(1, 25)]
    reading = checked(table("date,hour", cells))
    assert times(reading) == hours(72, datetime(2020, 1, 1, 1))


# Rows that are counted


def test_without_a_time_column_rows_are_counted_from_zero() -> None:
    reading = checked(b"a,b\n1.5,2\n3.1,4\n5,6\n")
    assert (reading.times, reading.counted, reading.cadence.name) == ((), True, "each row")
    assert reading.frame["time"].to_physical().to_list() == [0, 1, 2]
    assert reading.notes == ("no time column: rows are counted",)


def test_whole_numbers_are_kept_and_even_ones_are_numbered() -> None:
    whole = checked(table("t", [str(5 * row + 100) for row in range(20)]))
    assert whole.frame["time"].to_physical().to_list() == list(range(100, 200, 5))
    even = checked(table("time", [f"{row / 30:.4f}" for row in range(20)]))
    assert even.counted
    assert even.frame["time"].to_physical().to_list() == list(range(20))


def test_numbers_are_counts_where_the_format_says_so() -> None:
    cells = [str(1800 + row) for row in range(50)]
    assert not checked(table("time", cells)).counted
    assert checked(table("time", cells), time_format="count").counted


@pytest.mark.parametrize("cell", ["inf", "nan", "1e300", "9" * 30, "-" + "9" * 18])
def test_numbers_that_are_too_large_are_no_times(cell: str) -> None:
    for form in ("count", "epoch s", "epoch ns", "decimal year", "%Y"):
        with pytest.raises(DataError):
            checked(table("t", ["2000", "2001", cell]), time_format=form)


# Typed columns


def parquet(column: pl.Series) -> bytes:
    buffer = io.BytesIO()
    values = np.arange(len(column), dtype=float)
    pl.DataFrame([column, pl.Series("y", values)]).write_parquet(buffer)
    return buffer.getvalue()


def _epoch(moments: list[datetime]) -> list[int]:
    return [int(moment.replace(tzinfo=UTC).timestamp()) for moment in moments]


@pytest.mark.parametrize(
    "column",
    [
        pl.Series("when", days(30)).cast(pl.Date),
        pl.Series("when", days(30)).cast(pl.Datetime("ns")),
        pl.Series("when", days(30)).cast(pl.Datetime("ms")),
        pl.Series("when", days(30)).dt.replace_time_zone("UTC"),
        pl.Series("date", [f"{day:%Y-%m-%d}" for day in days(30)]).cast(pl.Categorical),
        pl.Series("date", [f"{day:%d.%m.%Y}" for day in days(30)]),
        pl.Series("date", [int(f"{day:%Y%m%d}") for day in days(30)], dtype=pl.Int32),
        pl.Series("date", [float(f"{day:%Y%m%d}") for day in days(30)]),
        pl.Series("date", [Decimal(f"{day:%Y%m%d}.00") for day in days(30)]),
        pl.Series("date", _epoch(days(30))),
        pl.Series("date", [float(second) for second in _epoch(days(30))]),
        pl.Series("date", [second * 1000 for second in _epoch(days(30))], dtype=pl.UInt64),
    ],
)
def test_typed_columns_are_read_like_texts(column: pl.Series) -> None:
    assert times(checked(parquet(column))) == days(30)


def test_columns_of_other_types_are_no_times() -> None:
    column = pl.Series("flag", [True, False, True])
    with pytest.raises(DataError, match="column 'flag' holds Boolean, not times"):
        checked(parquet(column), time="flag")
    gaps = pl.Series("when", [date(2020, 1, 1), None, date(2020, 1, 3)])
    with pytest.raises(DataError, match="row 2, column 'when': a missing time"):
        checked(parquet(gaps), time="when")


@pytest.mark.parametrize("days_off", [2**31 - 1, -(2**31), 3_000_000, -720_000])
def test_dates_that_nobody_can_write_are_refused(days_off: int) -> None:
    far = pl.Series("date", [0, 1, days_off], dtype=pl.Int32).cast(pl.Date)
    with pytest.raises(DataError, match="row 3, column 'date': not a time like the others"):
        checked(parquet(far))
    if abs(days_off) < 2**31 - 1:
        with pytest.raises(DataError, match="row 3"):
            checked(parquet(far.cast(pl.Datetime("us"))))


@hypothesis_settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=12),
            st.sampled_from(["2020-01-01", "01/02/2020", "24:00", "Q1", "1e308", "-5", "2020Q1"]),
            st.from_regex(r"[0-9/:. TQWZ+-]{1,20}", fullmatch=True),
        ),
        min_size=2,
        max_size=8,
    ),
    st.sampled_from(["date", "t", "year", "x"]),
)
def test_whatever_the_cells_are_the_answer_is_a_table_or_a_data_error(
    cells: list[str], name: str
) -> None:
    buffer = io.BytesIO()
    pl.DataFrame({name: cells, "y": range(len(cells))}).write_csv(buffer)
    try:
        assert checked(buffer.getvalue()).frame.height >= 2
    except DataError as error:
        assert str(error)  # noqa: PT017 (either outcome is right)


# Files of services


@pytest.mark.parametrize(
    ("form", "between"),
    [("%d.%m.%Y %H:%M", " - "), ("%d/%m/%Y %H:%M:%S", " - "), ("%Y-%m-%dT%H:%M", "/")],
)
def test_a_row_whose_time_is_an_interval_stands_where_it_starts(form: str, between: str) -> None:
    starts = hours(60)
    texts = [
        between.join(moment.strftime(form) for moment in (start, start + timedelta(hours=1)))
        for start in starts
    ]
    for header in ("MTU (CET/CEST)", "when it was"):
        found = checked(table(header, texts))
        assert times(found) == starts
        assert f"times in '{header}' are intervals: where they start is taken" in found.notes
    texts[7] = "later"
    with pytest.raises(DataError, match=r"row 9, .*not a time like the others: 'later'"):
        checked(table("MTU (CET/CEST)", texts))


def test_the_hour_at_which_a_row_ends_is_one_from_1_to_24() -> None:
    starts = hours(72)
    for header, form in (("HE", "{}"), ("Hour Ending", "{:02}:00")):
        texts = [f"{start:%Y-%m-%d},{form.format(start.hour + 1)}" for start in starts]
        found = checked(table(f"OPR DATE,{header}", texts))
        assert times(found) == [start + timedelta(hours=1) for start in starts]


def test_short_names_of_the_parts_of_a_day_are_known() -> None:
    texts = [f"{day.year},{day.month},{day.day}" for day in days(40)]
    assert times(checked(table("Yr,Mo,Dy", texts))) == days(40)


def test_a_column_that_always_says_the_same_is_not_the_times() -> None:
    texts = [f"2024-01-23,{day:%d %b %Y}" for day in reversed(days(9))]
    assert checked(table("LAST UPDATE,Of", texts), sort=True).times == ("Of",)


@pytest.mark.parametrize(
    "names", [[str(year) for year in range(1960, 2020)], [f"1/{day}/20" for day in range(1, 31)]]
)
def test_a_table_with_its_times_in_the_line_of_names_is_refused(names: list[str]) -> None:
    rows = [["country", "lat", *names], *([name, *"1" * (len(names) + 1)] for name in "AB")]
    raw = "\n".join(map(",".join, rows))
    with pytest.raises(DataError, match=r"times are the names of its columns .* turn it"):
        checked(raw.encode())
    assert checked(raw.encode(), columns=names[:1]).counted


@pytest.mark.parametrize("form", ["%Y%m%d", "%Y%m%d%H%M", "%Y%m%d_%H%M"])
def test_numbers_that_are_all_times_and_grow_are_found_whatever_their_name(form: str) -> None:
    moments = days(70) if form == "%Y%m%d" else hours(70)
    found = checked(table("YR--MODA", [moment.strftime(form) for moment in moments]))
    assert times(found) == moments


def test_numbers_of_which_one_is_no_time_stay_numbers() -> None:
    found = checked(table("id", ["20200101", "20200102", "20200199"]))
    assert found.counted
    assert found.frame["id"].to_list() == [20200101, 20200102, 20200199]


def test_years_above_quarters_are_refused_by_their_row() -> None:
    cells = ["1988", "1989", "1988 Q1", "1988 Q2", "1988 Q3", "1988 Q4", "1989 Q1"]
    with pytest.raises(DataError, match="row 2, column 'Title': not a time like the others"):
        checked(table("Title", cells))


def test_a_part_may_have_its_letter_before_its_number() -> None:
    months = [datetime(2019 + month // 12, month % 12 + 1, 1) for month in range(30)]
    texts = [f"{month.year},M{month.month:02}" for month in months]
    assert times(checked(table("Year,Month", texts))) == months
    texts = [f"{month.year},Q{month.month // 3 + 1}" for month in months[::3]]
    assert times(checked(table("Year,Quarter", texts))) == months[::3]


def test_the_name_of_a_zone_is_asked_about_and_the_answer_is_taken() -> None:
    texts = [f"{moment} EST" for moment in hours(50)]
    with pytest.raises(Question, match="names a zone, but not its offset") as caught:
        checked(table("date", texts))
    options = caught.value.answers[0].options
    assert options == {"time_format": "%Y-%m-%d %H:%M:%S EST"}
    assert times(checked(table("date", texts), **options)) == hours(50)
    moments = times(checked(table("date", texts), **options, time_zone="America/Panama"))
    assert moments == [moment + timedelta(hours=5) for moment in hours(50)]


@pytest.mark.parametrize(("step", "digits"), [(timedelta(days=1), 0), (timedelta(hours=1), 6)])
def test_days_of_a_sheet_are_told_of_and_read_where_the_format_says_so(
    step: timedelta, digits: int
) -> None:
    moments = [datetime(2020, 1, 1) + row * step for row in range(60)]
    texts = [f"{(m - datetime(1899, 12, 30)) / timedelta(days=1):.{digits}f}" for m in moments]
    told = checked(table("Date", texts))
    assert told.counted
    assert "write `time_format: excel` if they are days as sheets count them" in told.notes
    assert times(checked(table("Date", texts), time_format="excel")) == moments


def test_days_without_a_year_are_no_intervals() -> None:
    texts = [f"{day}/1" for day in range(1, 32)]
    with pytest.raises(DataError, match="not a time that is known: '1/1'"):
        checked(table("date", texts))


@pytest.mark.parametrize("between", ["/", " - "])
def test_an_interval_may_end_with_a_time_of_the_day(between: str) -> None:
    texts = [f"{start:%d.%m.%Y %H:%M}{between}{start.hour + 1:02}:00" for start in hours(50)]
    assert times(checked(table("date", texts))) == hours(50)


def test_what_is_too_far_from_utc_is_no_offset() -> None:
    texts = [f"{start:%d.%m.%Y %H:%M}-{start.hour + 1:02}:00" for start in hours(24)]
    with pytest.raises(DataError, match=r"row 16, .*like the others: '31.12.2019 14:00-15:00'"):
        checked(table("date", texts))
    far = ["2020-01-01T06:30:00+14:00", "2020-01-01T07:45:00-12:00", "2020-01-02T09:00:00Z"]
    assert times(checked(table("date", far), step="rows")) == [
        datetime(2019, 12, 31, 16, 30),
        datetime(2020, 1, 1, 19, 45),
        datetime(2020, 1, 2, 9),
    ]


def test_a_period_of_a_statistical_office_is_a_time_if_it_reads_as_one() -> None:
    years = [datetime(year, 1, 1) for year in range(1990, 2020)]
    assert times(checked(table("geo,TIME_PERIOD", [f"DE,{y.year}" for y in years]))) == years
    halves = [f"DE,{year}-S{half}" for year in range(1990, 2000) for half in (1, 2)]
    assert checked(table("geo,TIME_PERIOD", halves)).counted
