"""Elapsed times: read as pandas, Python and ISO 8601 write them, and never in place of moments."""

import io
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyheta.errors import DataError
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.read import Reading, read
from pyheta.pipeline.data.times.elapsed import elapsed, is_elapsed

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001
NOTE = "times in 'time' are elapsed times"
LONGEST = 999_999 * 86_400 * 10**6


def reading(raw: bytes, **options: Any) -> Reading:
    return read(raw, "x.csv", DataOptions.of(options))


def written(**columns: Sequence[object]) -> bytes:
    return (
        pl.DataFrame({name: [str(c) for c in cells] for name, cells in columns.items()})
        .write_csv()
        .encode()
    )


def clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def iso(microseconds: int) -> str:
    return str(pl.Series([microseconds]).cast(pl.Duration("us")).dt.to_string("iso")[0])


WAYS: dict[str, Callable[[int], str]] = {
    "pandas": lambda us: str(pd.Timedelta(us, unit="us")),
    "Python": lambda us: str(timedelta(microseconds=us)),
    "ISO 8601 of pandas": lambda us: pd.Timedelta(us, unit="us").isoformat(),
    "ISO 8601 of Polars": iso,
}


@pytest.mark.parametrize("way", WAYS)
@given(lengths=st.lists(st.integers(0, LONGEST), min_size=1, max_size=5))
def test_what_others_write_is_read_to_the_microsecond(way: str, lengths: list[int]) -> None:
    texts = [WAYS[way](length) for length in lengths]
    assert all(map(is_elapsed, texts))
    assert elapsed(pl.Series(texts)).to_list() == lengths


@pytest.mark.parametrize("way", ["pandas", "Python", "ISO 8601 of Polars"])
def test_a_time_before_the_start_is_negative(way: str) -> None:
    lengths = [-90_000_000_000, -1, -3_600_000_001]
    assert elapsed(pl.Series([WAYS[way](length) for length in lengths])).to_list() == lengths


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "-", " ", "12:30", "00:61:00", "days", "1 day 5", "2020-01-01", "7", "x"],
)
def test_other_texts_are_no_elapsed_times(text: str) -> None:
    assert not is_elapsed(text)
    assert elapsed(pl.Series([text])).to_list() == [None]


@pytest.mark.parametrize(
    ("unit", "seconds", "step"),
    [("D", 86_400, "every day"), ("h", 3600, "every hour"), ("s", 1, "every second")],
)
def test_an_index_of_pandas_counts_from_the_epoch(unit: Any, seconds: int, step: str) -> None:
    values = np.arange(40) * 1.5
    frame = pd.DataFrame({"time": pd.to_timedelta(np.arange(40), unit=unit), "y": values})
    parquet = io.BytesIO()
    frame.to_parquet(parquet)
    for raw in (frame.to_csv(index=False).encode(), parquet.getvalue()):
        found = reading(raw)
        assert (found.times, found.counted, found.notes) == (("time",), False, (NOTE,))
        assert found.cadence.name == step
        expected = [EPOCH + timedelta(seconds=row * seconds) for row in range(40)]
        assert found.frame["time"].to_list() == expected
        assert found.frame["y"].to_list() == values.tolist()


def test_clocks_that_grow_are_elapsed_times_beyond_a_day_too() -> None:
    cells = [clock(900 * row) for row in range(200)]
    found = reading(written(time=cells, y=range(200)), time_zone="Europe/Zurich")
    useless = "`time_zone: Europe/Zurich` does nothing: times are elapsed times"
    assert (found.cadence.name, found.notes) == ("every 15 minutes", (NOTE, useless))
    assert found.frame["time"][-1] == EPOCH + timedelta(minutes=15 * 199)


def test_clocks_that_go_back_lack_their_days() -> None:
    raw = written(time=[clock(3600 * (row % 24)) for row in range(48)], y=range(48))
    with pytest.raises(DataError, match="times of the day alone: '00:00:00' follows '23:00:00'"):
        reading(raw)


def test_a_date_goes_before_elapsed_times_and_takes_a_clock_along() -> None:
    clocks = [clock(3600 * row) for row in range(24)]
    found = reading(written(time=clocks, datum=["01.02.2020"] * 24, y=range(24)))
    assert found.times == ("datum", "time")
    days = [f"2020-01-{day:02}" for day in range(1, 25)]
    assert reading(written(ride=clocks, day=days, y=range(24))).times == ("day",)


def test_elapsed_times_may_be_named_and_a_gap_is_asked_about() -> None:
    raw = written(
        y=[row * row + 5 for row in range(24)],
        run=[clock(3600 * (row + (row > 6))) for row in range(24)],
    )
    assert reading(raw).times == ()
    with pytest.raises(DataError, match="2:00:00 after the row before"):
        reading(raw, time_format="elapsed")
    found = reading(raw, time="run", missing={"fill": "forward", "limit": 1})
    assert found.frame.height == 25


def test_series_whose_times_begin_anew_are_a_panel() -> None:
    times = [pd.Timedelta(row % 24, unit="h") for row in range(48)]
    raw = written(time=times, id=["a"] * 24 + ["b"] * 24, y=range(48))
    with pytest.raises(DataError, match="a panel of 2 series, told apart by 'id'"):
        reading(raw)
    assert reading(raw, series="id", pick="b").frame["y"].to_list() == list(range(24, 48))
