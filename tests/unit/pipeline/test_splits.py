"""Training, validation and test share out the rows in the order of time."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pandas as pd
import pytest
from builders import facts
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.errors import StepError
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.steps.cadence import Cadence, Unit
from pyheta.pipeline.spans import Length, moment_of
from pyheta.pipeline.splits import Part, Split
from pyheta.sweep.split import Split as SplitSection

PARTS: tuple[Part, ...] = ("train", "val", "test")


def test_borders_of_the_usual_shares_of_etth1() -> None:
    split = Split.by_shares({"train": 0.6, "val": 0.1, "test": 0.3}, rows=17_420)

    assert split.targets("train") == (0, 10_452)
    assert split.targets("val") == (10_452, 12_194)
    assert split.targets("test") == (12_194, 17_420)


def test_borders_are_those_of_the_decimals_that_were_written() -> None:
    assert int(10 * (0.7 + 0.1)) == 7  # what binary floating point makes of it
    assert Split.by_shares({"train": 0.7, "val": 0.1, "test": 0.2}, rows=10).targets("val") == (
        7,
        8,
    )


@hypothesis_settings(deadline=None)
@given(st.integers(1, 98), st.integers(1, 98), st.integers(0, 10**7))
def test_the_parts_cover_every_row_once_and_come_close_to_their_shares(
    train: int, val: int, rows: int
) -> None:
    if train + val > 99:
        train, val = train // 2, val // 2
    split = Split.by_shares(
        {"train": train / 100, "val": val / 100, "test": (100 - train - val) / 100}, rows
    )

    parts = [split.targets(part) for part in PARTS]

    assert [parts[0][0], parts[1][0], parts[2][0]] == [0, parts[0][1], parts[1][1]]
    assert parts[2][1] == rows
    for (start, stop), share in zip(parts, (train, val, 100 - train - val), strict=True):
        assert abs((stop - start) - rows * share / 100) <= 1


def test_a_split_in_rows_leaves_later_rows_alone() -> None:
    split = Split.by_shares({"train": 8640, "val": 2880, "test": 2880}, rows=17_420)

    assert [split.targets(part) for part in PARTS] == [(0, 8640), (8640, 11_520), (11_520, 14_400)]


@hypothesis_settings(deadline=None)
@given(st.tuples(*[st.integers(1, 10**6)] * 3), st.integers(0, 10**6))
def test_parts_in_rows_have_so_many_rows_whatever_the_series(
    rows: tuple[int, int, int], more: int
) -> None:
    train, val, test = rows

    split = Split.by_shares({"train": train, "val": val, "test": test}, sum(rows) + more)

    parts = [split.targets(part) for part in PARTS]
    assert [stop - start for start, stop in parts] == list(rows)
    assert [start for start, _ in parts] == [0, train, train + val]


# ---- what sweeps write, on the rows of a data set ------------------------------------------------

HOURS = Cadence(Unit.SECOND, 3600, 3600, 24)
DAYS = Cadence(Unit.SECOND, 86_400, 86_400, 7)
BUSINESS_DAYS = Cadence(Unit.BUSINESS_DAY, 1, 86_400, 5)
MONTHS = Cadence(Unit.MONTH, 1, 30.4 * 86_400, 12)


def data(times: pd.DatetimeIndex, cadence: Cadence, **changed: Any) -> DatasetFacts:
    """The facts of a file with these times."""
    micros = times.as_unit("us")
    return facts(
        rows=len(times),
        times=micros.asi8,
        first=micros[0].to_pydatetime(),
        last=micros[-1].to_pydatetime(),
        cadence=cadence,
        **changed,
    )


def lengths(section: SplitSection, given: DatasetFacts) -> dict[str, int]:
    """How many rows each part has; one begins where the one before ends."""
    (split,) = section.splits(given)
    spans = [split.targets(part) for part in PARTS]
    assert [start for start, _ in spans] == [0, *(stop for _, stop in spans[:-1])]
    return {part: stop - start for part, (start, stop) in zip(PARTS, spans, strict=True)}


@pytest.mark.parametrize(
    ("step_seconds", "rows"), [(3600.0, 8640), (900.0, 34_560), (86_400.0, 360)]
)
@pytest.mark.parametrize("known", [False, True])
def test_months_are_thirty_days_of_rows(step_seconds: float, rows: int, *, known: bool) -> None:
    times = pd.date_range("2016-07-01", periods=2 * rows, freq=f"{step_seconds:.0f}s")
    given = data(times, Cadence(Unit.SECOND, step_seconds, step_seconds))
    config = SplitSection(train="12mo", val="4mo", test="4mo")

    # When the data are at hand, or nothing but their step
    shares = lengths(config, given if known else replace(given, times=None))

    assert shares == {"train": rows, "val": rows // 3, "test": rows // 3}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (("8d", "2d", "2d"), (192, 48, 48)),
        (("36h", "90min", "1d"), (36, 2, 24)),  # an hour that begins within 90 minutes counts
        (("1w", "3600s", "1h"), (168, 1, 1)),
    ],
)
def test_lengths_of_time_hold_the_rows_that_begin_within_them(
    written: tuple[str, str, str], expected: tuple[int, int, int]
) -> None:
    train, val, test = written
    config = SplitSection(train=train, val=val, test=test)

    shares = lengths(config, data(pd.date_range("2020-01-01", periods=300, freq="h"), HOURS))

    assert tuple(shares.values()) == expected


def test_months_and_years_of_calendar_data_are_those_of_the_calendar() -> None:
    months = data(pd.date_range("2001-01-31", periods=48, freq="ME"), MONTHS)
    business = data(pd.bdate_range("2018-01-01", "2020-12-31"), BUSINESS_DAYS)

    by_month = lengths(SplitSection(train="24mo", val="1y", test="12mo"), months)
    by_day = lengths(SplitSection(train="1y", val="12mo", test="6mo"), business)

    assert by_month == {"train": 24, "val": 12, "test": 12}
    years = pd.bdate_range("2018-01-01", "2020-12-31").year.value_counts()
    assert (by_day["train"], by_day["val"]) == (years[2018], years[2019])


def test_a_year_of_hours_is_a_year_of_the_calendar() -> None:
    hours = data(pd.date_range("2019-06-01", "2021-12-31", freq="h"), HOURS)

    shares = lengths(SplitSection(train="1y", val="6mo", test="6mo"), hours)

    assert shares == {"train": 366 * 24, "val": 180 * 24, "test": 180 * 24}


@hypothesis_settings(deadline=None, max_examples=50)
@given(st.integers(1, 700), st.integers(1, 50), st.sampled_from(["D", "B", "h", "W", "MS"]))
def test_dates_divide_the_rows_as_pandas_does(first: int, more: int, freq: str) -> None:
    times = pd.date_range("2018-01-01", periods=800, freq=freq)
    val, test = times[first], times[first + more]

    section = SplitSection(val=val.isoformat(), test=f"{test:%Y-%m-%d %H:%M}")
    shares = lengths(section, data(times, DAYS))

    counts = (times < val, (times >= val) & (times < test), times >= test)
    assert list(shares.values()) == [int(rows.sum()) for rows in counts]


@pytest.mark.parametrize(
    ("written", "zone", "row"),
    [
        ("2020-01-03", None, 48),
        ("2020-01-03T06:00+02:00", None, 52),
        ("2020-01-03T00:30:00Z", None, 49),  # the first row from then on
        ("2020-01-03", "Europe/Zurich", 47),  # tables are in UTC where the zone is known
        ("20200103", None, 48),
        ("2020-W01-5", None, 48),
    ],
)
def test_a_date_may_be_written_in_any_iso_form(written: str, zone: str | None, row: int) -> None:
    source = {"time": "date", "time_zone": zone} if zone else {"time": "date"}
    hours = data(pd.date_range("2020-01-01", periods=100, freq="h"), HOURS, source=source)

    shares = lengths(SplitSection(val=written, test="2020-01-04"), hours)

    assert shares["train"] == row


@pytest.mark.parametrize(
    ("text", "moment"),
    [("2019-07", "2019-07-01"), ("2019Q3", "2019-07-01"), ("2019q1", "2019-01-01")],
)
def test_months_and_quarters_are_their_first_days(text: str, moment: str) -> None:
    assert moment_of(text) == datetime.fromisoformat(moment)


@hypothesis_settings(deadline=None)
@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.integers(1, 600))  # noqa: DTZ001
def test_months_later_is_what_pandas_says(start: datetime, months: int) -> None:
    later = Length(months=months).after(start, calendar=True)

    assert later == (pd.Timestamp(start) + pd.DateOffset(months=months)).to_pydatetime()


def test_a_length_beyond_all_time_ends_when_time_does() -> None:
    for text in ("9999999y", "9999999w", "9999999mo"):
        length = Length.of(text)
        assert length
        assert length.after(datetime(2020, 1, 1), calendar=True).year == 9999  # noqa: DTZ001


@pytest.mark.parametrize(
    ("split", "changed", "said"),
    [
        (
            {"val": "2019-01-01", "test": "2020-01-02"},
            {},
            "2019-01-01 is not within the data, which go from 2020-01-01 00:00:00 to 2020-01-05",
        ),
        ({"val": "2020-01-02", "test": "2021-01-01"}, {}, "2021-01-01 is not within the data"),
        ({"train": "3d", "val": "1d", "test": "1d"}, {}, "go on until 2020-01-06 00:00:00"),
        ({"train": "3d", "val": "1d", "test": "9999y"}, {}, "go on until 9999"),
        (
            {"val": "2020-01-02", "test": "2020-01-03"},
            {"counted": True},
            "the rows of this data set have none: they are counted; write rows",
        ),
        ({"train": "3d", "val": "1d", "test": "1d"}, {"counted": True}, "'3d' is a time"),
    ],
)
def test_moments_that_the_data_lack_are_refused(
    split: dict[str, Any], changed: dict[str, Any], said: str
) -> None:
    hours = data(pd.date_range("2020-01-01", periods=100, freq="h"), HOURS, **changed)

    with pytest.raises(StepError) as caught:
        SplitSection(**split).splits(hours)

    assert said in str(caught.value)
    assert caught.value.where.startswith("split")


def test_fractions_are_shares_of_the_rows_and_rows_are_what_they_are() -> None:
    given = facts("load", rows=4000)

    assert SplitSection().splits(given) == (Split((0, 2400), (2400, 2800), (2800, 4000)),)
    assert SplitSection(train=5, val=1, test=2).splits(given) == (Split((0, 5), (5, 6), (6, 8)),)


def test_what_is_learned_from_has_no_test_part() -> None:
    split = Split((0, 5), (5, 6), (6, 8))

    assert split.learning.stop == 6
    assert Split.of(split.learning.as_params()) == split.learning
    with pytest.raises(StepError, match="knows of no test part"):
        split.learning.targets("test")
    with pytest.raises(StepError, match="unknown parts: tset"):
        Split.of({"train": [0, 5], "val": [5, 6], "tset": [6, 8]})
