"""Local times become moments; a clock change in a file that names no zone is called one."""
# ruff: noqa: DTZ001 (times of files have no zone)

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pyheta.errors import DataError
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.read import Reading, read
from pyheta.pipeline.data.times.zones import EXAMPLES, clock_change, to_utc

#: A zone, a day before its clocks go forward, and one before they go back.
CHANGES = [
    ("Europe/Zurich", datetime(2019, 3, 29, 12), datetime(2019, 10, 25, 12)),
    ("America/New_York", datetime(2019, 3, 8, 12), datetime(2019, 11, 1, 12)),
    ("Australia/Sydney", datetime(2019, 10, 4, 12), datetime(2019, 4, 5, 12)),
    ("Australia/Lord_Howe", datetime(2019, 10, 4, 12), datetime(2019, 4, 5, 12)),
]
FORWARD = [(zone, start) for zone, start, _ in CHANGES]
BACK = [(zone, start) for zone, _, start in CHANGES]


def moments(start: datetime, minutes: int, rows: int = 400) -> list[datetime]:
    """In UTC, without a zone."""
    return [start + timedelta(minutes=minutes * row) for row in range(rows)]


def wall(utc: Sequence[datetime], zone: str) -> list[datetime]:
    """What the clocks of a zone show, by Python's own zones."""
    shown = (moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)) for moment in utc)
    return [clock.replace(tzinfo=None, fold=0) for clock in shown]


def table(times: Sequence[object]) -> bytes:
    lines = ["date,y", *(f"{time},{row % 7}" for row, time in enumerate(times))]
    return "\n".join(lines).encode()


def checked(raw: bytes, **options: Any) -> Reading:
    return read(raw, "x.csv", DataOptions.of(options))


@pytest.mark.parametrize(("zone", "start"), FORWARD + BACK)
@pytest.mark.parametrize("minutes", [60, 30, 15, 1])
def test_wall_times_become_moments_in_both_directions(
    zone: str, start: datetime, minutes: int
) -> None:
    utc = moments(start, minutes, 400 if minutes > 1 else 5000)
    reading = checked(table(wall(utc, zone)), time_zone=zone)
    assert reading.frame["time"].to_list() == utc
    assert reading.cadence.seconds == minutes * 60


@pytest.mark.parametrize(("zone", "start"), FORWARD + BACK)
def test_the_newest_row_may_come_first(zone: str, start: datetime) -> None:
    utc = moments(start, 30)[::-1]
    assert to_utc(pl.Series(wall(utc, zone)), zone).to_list() == utc


@hypothesis_settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(EXAMPLES),
    st.datetimes(datetime(1985, 1, 1), datetime(2030, 1, 1)),
    st.sampled_from([5, 10, 15, 20, 30, 60]),
)
def test_what_clocks_show_is_undone(zone: str, start: datetime, minutes: int) -> None:
    noon = start.replace(hour=12, minute=0, second=0, microsecond=0)  # no clock changes then
    utc = moments(noon, minutes, 90 * 24)
    assert to_utc(pl.Series(wall(utc, zone)), zone).to_list() == utc


def test_a_time_that_no_clock_showed_is_named() -> None:
    times = [datetime(2019, 3, 31) + timedelta(hours=hour) for hour in range(10)]
    with pytest.raises(DataError) as caught:
        checked(table(times), time_zone="Europe/Zurich")
    assert str(caught.value).startswith(
        "x.csv: row 4, column 'date': clocks in Europe/Zurich never showed 2019-03-31 02:00:00"
    )


def test_an_hour_of_the_change_that_stands_once_is_the_first() -> None:
    utc = moments(datetime(2019, 10, 26, 12), 60, 30)
    shown = wall(utc, "Europe/Zurich")
    second = next(row for row in range(1, 30) if shown[row] == shown[row - 1])
    once = shown[:second] + shown[second + 1 :]
    found = to_utc(pl.Series(once), "Europe/Zurich").to_list()
    assert found == [moment for row, moment in enumerate(utc) if row != second]


@pytest.mark.parametrize(
    ("zone", "message"),
    [
        ("Zurich", "unknown zone 'Zurich'; did you mean 'Europe/Zurich'?"),
        ("europe/zurich", "did you mean 'Europe/Zurich'?"),
        ("America/NewYork", "did you mean 'America/New_York'?"),
        ("Mars/Olympus", "such as Europe/Zurich"),
        ("../../etc/passwd", "unknown zone"),
        ("localtime", "unknown zone"),
    ],
)
def test_an_unknown_zone_is_answered_with_the_nearest(zone: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        DataOptions.of({"time_zone": zone})
    assert message in str(caught.value)


# Days


@pytest.mark.parametrize("zone", [zone for zone, _, _ in CHANGES])
def test_days_of_a_calendar_whose_clocks_change_stay_days(zone: str) -> None:
    days = [datetime(2019, 1, 1) + timedelta(days=day) for day in range(400)]
    offsets = [day.replace(tzinfo=ZoneInfo(zone)).isoformat() for day in days]
    dates = [f"{day:%Y-%m-%d}" for day in days]
    buffer = io.BytesIO()
    typed = pl.Series("date", days).dt.replace_time_zone(zone)
    pl.DataFrame([typed, pl.Series("y", range(400))]).write_parquet(buffer)
    for reading in (
        checked(table(offsets)),
        checked(table(dates), time_zone=zone),
        checked(buffer.getvalue()),
    ):
        assert reading.frame["time"].to_list() == days
        assert reading.cadence.name == "every day"


def test_months_of_a_calendar_whose_clocks_change_stay_months() -> None:
    zone = ZoneInfo("Europe/Zurich")
    months = [datetime(2019 + month // 12, month % 12 + 1, 1) for month in range(30)]
    reading = checked(table([month.replace(tzinfo=zone).isoformat() for month in months]))
    assert reading.frame["time"].to_list() == months
    assert reading.cadence.name == "each month (start)"


def test_days_of_one_offset_are_in_utc() -> None:
    reading = checked(table([f"2020-01-{day:02}T00:00+02:00" for day in range(1, 20)]))
    assert reading.frame["time"][0] == datetime(2019, 12, 31, 22)


def test_hours_with_offsets_and_typed_zones_are_in_utc() -> None:
    utc = moments(datetime(2019, 10, 25, 12), 60)
    typed = pl.Series("date", utc).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")
    buffer = io.BytesIO()
    pl.DataFrame([typed, pl.Series("y", range(len(utc)))]).write_parquet(buffer)
    zurich = ZoneInfo("Europe/Zurich")
    texts = [moment.replace(tzinfo=UTC).astimezone(zurich).isoformat() for moment in utc]
    assert checked(buffer.getvalue()).frame["time"].to_list() == utc
    assert checked(table(texts)).frame["time"].to_list() == utc
    told = checked(table(texts), time_zone="Europe/Zurich").notes
    assert "`time_zone: Europe/Zurich` does nothing: times have their own offset" in told


def test_a_zone_needs_times() -> None:
    with pytest.raises(DataError, match="no time column found for `time_zone`"):
        checked(b"a,b\n1.5,2\n3,4\n", time_zone="Europe/Zurich")


# Clock changes in files that name no zone


@pytest.mark.parametrize(("zone", "start"), FORWARD)
@pytest.mark.parametrize(("minutes", "name"), [(30, "every 30 minutes"), (60, "every hour")])
def test_an_hour_that_is_missing_in_spring_is_called_a_clock_change(
    zone: str, start: datetime, minutes: int, name: str
) -> None:
    raw = table(wall(moments(start, minutes), zone))
    with pytest.raises(DataError, match="this is a clock change") as caught:
        checked(raw)
    example = str(caught.value).rpartition("`time_zone: ")[2].removesuffix("`")
    assert checked(raw, time_zone=example).cadence.name == name


@pytest.mark.parametrize(("zone", "start"), BACK)
@pytest.mark.parametrize("minutes", [60, 30, 10])
def test_an_hour_that_comes_twice_in_autumn_is_a_clock_change(
    zone: str, start: datetime, minutes: int
) -> None:
    shown = np.array(wall(moments(start, minutes), zone), "datetime64[us]").astype(np.int64)
    row = int((np.diff(shown) != minutes * 60_000_000).argmax()) + 1
    example = clock_change(shown, row)
    assert example
    assert to_utc(pl.Series(shown).cast(pl.Datetime("us")), example).diff().n_unique() == 2


@pytest.mark.parametrize(
    ("start", "rows", "gone"),
    [
        (datetime(2019, 7, 1), 400, 100),  # in summer
        (datetime(2019, 3, 30), 60, 30),  # on the day of the change, at another hour
        (datetime(2019, 10, 20), 400, 100),
    ],
)
def test_other_missing_hours_are_no_clock_change(start: datetime, rows: int, gone: int) -> None:
    times = moments(start, 60, rows)
    del times[gone]
    with pytest.raises(DataError, match="limit: 1") as caught:
        checked(table(times))
    assert "clock" not in str(caught.value)


def test_a_hole_of_spring_alone_is_no_clock_change_if_autumn_shows_no_hour_twice() -> None:
    """Hours of a year whose clocks changed, from which an hour was lost."""
    lost = datetime(2019, 3, 31, 2)
    times = [time for time in moments(datetime(2019, 1, 1), 60, 8760) if time != lost]
    with pytest.raises(DataError, match="limit: 1"):
        checked(table(times))
