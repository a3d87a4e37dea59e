"""A longer step out of a finer one: the same as pandas makes, without parts of intervals."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from pyheta.errors import DataError
from pyheta.pipeline.data.draft import ROW, TIME, Draft
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.rows.resample import resample

RULES = {"6h": "6h", "1d": "D", "1w": "W-MON", "1mo": "MS", "1q": "QS", "1y": "YS"}


def hourly(start: datetime, count: int, *, holes: float = 0.0) -> Draft:
    random = np.random.default_rng(1)
    values = random.normal(size=(count, 2))
    values[random.random((count, 2)) < holes] = np.nan
    frame = pl.DataFrame(
        {
            TIME: [start + timedelta(hours=hour) for hour in range(count)],
            ROW: pl.Series(range(2, count + 2), dtype=pl.UInt32),
            "a": values[:, 0],
            "b": values[:, 1],
        }
    )
    return Draft(name="x", frame=frame.fill_nan(None), times="date", counted=False)


def resampled(draft: Draft, every: str, how: Any = "mean") -> Draft:
    return resample(draft, DataOptions.of({"resample": {"every": every, "how": how}}))


def by_pandas(draft: Draft, every: str, how: str) -> pd.DataFrame:
    frame = draft.frame.drop(ROW).to_pandas().set_index(TIME)
    left = frame.resample(RULES[every], label="left", closed="left")
    if how == "sum":  # nobody knows the sum of a part
        return left.sum().where(left.count() == left.size().to_numpy()[:, None])
    return getattr(left, how)()


@pytest.mark.parametrize("how", ["mean", "sum", "last", "min", "max"])
@pytest.mark.parametrize("every", RULES)
@pytest.mark.parametrize("holes", [0.0, 0.3])
def test_whole_intervals_are_those_of_pandas(every: str, how: str, holes: float) -> None:
    # Given three whole years that begin on a Monday
    draft = hourly(datetime(2018, 1, 1), 24 * (365 + 365 + 366), holes=holes)  # noqa: DTZ001
    # When, Then
    ours = resampled(draft, every, how).frame.drop(ROW).to_pandas().set_index(TIME)
    theirs = by_pandas(draft, every, how)
    if every == "1w":
        theirs = theirs[:-1]  # 2020-12-28 has four days
    np.testing.assert_array_equal(ours.index.to_numpy(), theirs.index.to_numpy())
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_parts_of_intervals_at_both_ends_are_left_out_and_said() -> None:
    draft = hourly(datetime(2020, 1, 1, 5), 24 * 3)  # noqa: DTZ001
    days = resampled(draft, "1d")
    assert [str(day)[:10] for day in days.frame[TIME]] == ["2020-01-02", "2020-01-03"]
    parts = ["2020-01-01 00:00:00", "2020-01-04 00:00:00"]
    assert days.notes == [
        "resampled: every 1d, mean",
        f"resampled: left out what the file has only a part of ({' and '.join(parts)})",
    ]


def test_a_short_month_at_the_end_is_whole() -> None:
    draft = hourly(datetime(2021, 1, 1), 24 * 59)  # noqa: DTZ001
    assert resampled(draft, "1mo").frame.height == 2


def test_a_week_of_working_days_is_whole() -> None:
    days = pd.bdate_range("2024-01-01", "2024-01-26")
    draft = hourly(datetime(2020, 1, 1), len(days))  # noqa: DTZ001
    times = pl.Series(days.to_numpy()).cast(pl.Datetime("us"))
    weeks = resampled(draft.with_frame(draft.frame.with_columns(times.alias(TIME))), "1w", "last")
    assert weeks.frame.height == 4
    assert weeks.frame["a"].to_list() == draft.frame["a"][4::5].to_list()


def test_columns_may_be_made_in_their_own_ways_and_others_are_averaged() -> None:
    draft = hourly(datetime(2020, 1, 1), 48)  # noqa: DTZ001
    days = resampled(draft, "1d", {"a": "sum"}).frame
    assert days["a"][0] == pytest.approx(draft.frame["a"][:24].sum())
    assert days["b"][0] == pytest.approx(draft.frame["b"][:24].mean())


@pytest.mark.parametrize("how", ["mean", "sum", "last", "min", "max"])
def test_what_comes_after_an_interval_never_changes_it(how: str) -> None:
    draft = hourly(datetime(2020, 1, 1), 24 * 9, holes=0.1)  # noqa: DTZ001
    other = hourly(datetime(2020, 1, 1), 24 * 20, holes=0.5)  # noqa: DTZ001
    later = draft.with_frame(pl.concat([draft.frame[: 24 * 5 + 7], other.frame[24 * 5 + 7 :]]))
    before = resampled(draft, "1d", how).frame[:5]
    assert before.equals(resampled(later, "1d", how).frame[:5])


def test_a_row_is_named_by_the_first_of_its_interval() -> None:
    draft = hourly(datetime(2020, 1, 1), 48)  # noqa: DTZ001
    assert resampled(draft, "1d").frame[ROW].to_list() == [2, 26]


def test_intervals_with_few_rows_are_counted() -> None:
    draft = hourly(datetime(2020, 1, 1), 24 * 5)  # noqa: DTZ001
    some = draft.with_frame(pl.concat([draft.frame[:30], draft.frame[40:]]))
    assert resampled(some, "1d").notes[-1] == (
        "resampled: 1 interval has less than nine tenths of the usual rows"
    )


@pytest.mark.parametrize(
    ("every", "how", "message"),
    [
        ("15min", "mean", "resample to a finer step: rows are 1:00:00 apart; 15min is shorter"),
        ("1d", {"c": "sum"}, "resample: no column 'c'; known: a, b"),
    ],
)
def test_what_cannot_be_made_is_refused(every: str, how: Any, message: str) -> None:
    draft = hourly(datetime(2020, 1, 1), 48)  # noqa: DTZ001
    with pytest.raises(DataError, match=message):
        resampled(draft, every, how)


def test_counted_rows_have_no_days() -> None:
    draft = hourly(datetime(1970, 1, 1), 48)  # noqa: DTZ001
    counted = Draft(name="x", frame=draft.frame, times="", counted=True)
    with pytest.raises(DataError, match="rows are counted"):
        resampled(counted, "1d")


@pytest.mark.parametrize("every", ["", "1", "d", "0d", "1 day", "-1d", "1h30m", "15m"])
def test_what_is_no_interval_is_refused_before_the_file_is_read(every: str) -> None:
    with pytest.raises(ValueError, match="every"):
        DataOptions.of({"resample": {"every": every}})


def test_the_short_form_is_kept() -> None:
    for how in ("last", {"a": "sum", "b": "max"}):
        written = {"resample": {"every": "1d", "how": how}}
        assert DataOptions.of(written).as_params() == written
