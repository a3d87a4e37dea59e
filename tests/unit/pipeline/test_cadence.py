"""The step between rows is found, whatever it is; what is irregular is never called regular."""
# ruff: noqa: DTZ001 (times of files have no zone)

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.errors import DataError
from pyheta.pipeline.data.draft import ROW, TIME, Draft
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.steps.cadence import Cadence, Unit
from pyheta.pipeline.data.steps.finding import find_cadence, full_times
from pyheta.pipeline.data.steps.grids import find_grid

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

Index = Any  # a DatetimeIndex: pandas has no types here


def microseconds(index: Index) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.asarray(index).astype("datetime64[us]").astype(np.int64)


def draft(times: Any, *, counted: bool = False) -> Draft:
    values = pl.Series(np.asarray(times, dtype=np.int64)).cast(pl.Datetime("us"))
    rows = pl.Series(range(2, len(values) + 2), dtype=pl.UInt32)
    frame = pl.DataFrame([values.alias(TIME), rows.alias(ROW)])
    return Draft(name="x.csv", frame=frame, times="date", counted=counted)


def cadence(times: Any, *, gaps: bool = False, counted: bool = False, **options: Any) -> Cadence:
    return find_cadence(draft(times, counted=counted), DataOptions.of(options), gaps=gaps)


def name(index: Index) -> str | None:
    try:
        return cadence(microseconds(index)).name
    except DataError:
        return None


def span(frequency: str, rows: int = 60, start: str = "2019-03-04") -> Index:
    return pd.date_range(start, periods=rows, freq=frequency)


def weekly(days: str, rows: int = 60) -> Index:
    return pd.bdate_range("2019-03-04", periods=rows, freq="C", weekmask=days)


def rate(hertz: float, unit: str, rows: int = 600) -> Index:
    """So many rows a second, cut off after a unit."""
    ns = (np.arange(rows) * 1e9 / hertz).astype(np.int64).astype("datetime64[ns]")
    return pd.DatetimeIndex(ns.astype(f"datetime64[{unit}]"))


def sessions(minutes: Sequence[int], days: int = 40, zone: str | None = None) -> Index:
    """The same minutes of each business day."""
    opens = pd.date_range("2019-03-04", periods=days, freq="B", tz=zone)
    moments = [day + pd.Timedelta(minutes=m) for day in opens for m in minutes]
    index = pd.DatetimeIndex(moments)
    return index.tz_convert("UTC").tz_localize(None) if zone else index


def without(index: Index, *rows: int) -> Index:
    return index.delete(list(rows))


#: What it is, its times, what pandas says, what is said here (None: there is no step).
KINDS: list[tuple[str, Index, str | None, str | None]] = [
    ("microseconds", span("10us"), "10us", "every 1/100000 second (100,000 a second)"),
    ("milliseconds", span("10ms"), "10ms", "every 1/100 second (100 a second)"),
    ("tenths of a second", span("100ms"), "100ms", "every 1/10 second (10 a second)"),
    ("seconds", span("s"), "s", "every second"),
    ("5 seconds", span("5s"), "5s", "every 5 seconds"),
    ("2.5 seconds", span("2500ms"), "2500ms", "every 2.5 seconds"),
    ("30 Hz in µs", rate(30, "us"), None, "every 1/30 second (30 a second)"),
    ("30 Hz in ms", rate(30, "ms"), None, "every 1/30 second (30 a second)"),
    ("60 Hz in µs", rate(60, "us"), None, "every 1/60 second (60 a second)"),
    ("60 Hz in ms", rate(60, "ms"), None, "every 1/60 second (60 a second)"),
    ("a third of a second", rate(3, "ms"), None, "every 1/3 second (3 a second)"),
    ("50 Hz", rate(50, "us"), "20ms", "every 1/50 second (50 a second)"),
    ("minutes", span("min"), "min", "every minute"),
    ("7 minutes", span("7min"), "7min", "every 7 minutes"),
    ("10 minutes", span("10min"), "10min", "every 10 minutes"),
    ("quarter hours", span("15min"), "15min", "every 15 minutes"),
    ("half hours", span("30min"), "30min", "every 30 minutes"),
    ("90 minutes", span("90min"), "90min", "every 90 minutes"),
    ("hours", span("h"), "h", "every hour"),
    ("hours from half past", span("h", start="2019-03-04 00:30"), "h", "every hour"),
    ("3 hours", span("3h"), "3h", "every 3 hours"),
    ("12 hours", span("12h"), "12h", "every 12 hours"),
    ("days", span("D"), "D", "every day"),
    ("3 days", span("D", 3), "D", "every day"),
    ("days at noon", span("D", start="2019-03-04 12:00"), "D", "every day"),
    ("2 days", span("2D"), "2D", "every 2 days"),
    ("10 days", span("10D"), "10D", "every 10 days"),
    ("business days", span("B"), "B", "each business day"),
    ("3 business days", span("B", 3, "2019-03-07"), "B", "each business day"),
    ("with holidays", without(span("B"), 20, 33, 34), None, "each business day"),
    ("from Sunday to Thursday", weekly("Sun Mon Tue Wed Thu"), None, "each business day"),
    ("but Sundays", weekly("Mon Tue Wed Thu Fri Sat"), None,
     "each Monday, Tuesday, Wednesday, Thursday, Friday and Saturday"),
    ("three days a week", weekly("Mon Wed Fri"), None, "each Monday, Wednesday and Friday"),
    ("two days a week", weekly("Tue Thu"), None, "each Tuesday and Thursday"),
    ("weeks", span("W"), "W-SUN", "every week"),
    ("weeks from Wednesday", span("W-WED"), "W-WED", "every week"),
    ("2 weeks", span("2W"), "2W-SUN", "every 2 weeks"),
    ("4 weeks", span("28D"), "4W-MON", "every 4 weeks"),
    ("month starts", span("MS"), "MS", "each month (start)"),
    ("3 month starts", span("MS", 3, "2019-07-01"), "MS", "each month (start)"),
    ("month ends", span("ME"), "ME", "each month (end)"),
    ("first business days", span("BMS"), "BMS", "each month (first business day)"),
    ("last business days", span("BME"), "BME", "each month (last business day)"),
    ("the 15th", span("MS") + pd.Timedelta(days=14), None, "each month (day 15)"),
    ("the 30th", span("ME").map(lambda day: day.replace(day=min(day.day, 30))), None,
     "each month (day 30)"),
    ("last trading days", without(span("BME"), 0).map(
        lambda day: day - pd.Timedelta(days=1) if day.month == 3 and day.weekday() else day),
     None, "each month (last trading day)"),
    ("third Fridays", span("WOM-3FRI"), "WOM-3FRI", "each month (third Friday)"),
    ("2 months", span("2MS"), "2MS", "every 2 months (start)"),
    ("6 months", span("6MS"), "2QS-JAN", "every 6 months (start)"),
    ("quarter starts", span("QS"), "QS-JAN", "each quarter (start)"),
    ("quarter ends", span("QE"), "QE-DEC", "each quarter (end)"),
    ("last business days of quarters", span("BQE"), "BQE-DEC",
     "each quarter (last business day)"),
    ("year starts", span("YS"), "YS-JAN", "each year (start)"),
    ("years from July", span("YS-JUL"), "YS-JUL", "each year (start)"),
    ("year ends", span("YE"), "YE-DEC", "each year (end)"),
    ("years to March", span("YE-MAR"), "YE-MAR", "each year (end)"),
    ("two years from 1700", pd.DatetimeIndex(["1700-01-01", "1701-01-01", "1702-01-01"]),
     "YS-JAN", "each year (start)"),
    ("business hours", span("bh"), "bh", "every hour of a session"),
    ("trading sessions", sessions(range(570, 961, 30)), None, "every 30 minutes of a session"),
    ("sessions with lunch", sessions([*range(570, 691, 5), *range(780, 901, 5)]), None,
     "every 5 minutes of a session"),
    ("sessions in UTC", sessions(range(570, 961, 30), 60, "America/New_York"), None,
     "every 30 minutes of a session"),
    ("sessions in Sydney", sessions(range(600, 961, 60), 60, "Australia/Sydney"), None,
     "every hour of a session"),
    ("hours with a jitter of a second",
     pd.DatetimeIndex((np.arange(99) * 3600 + np.arange(99) % 2).astype("datetime64[s]")),
     None, "every hour"),
    # What has no step.
    ("a clock that drifts", pd.DatetimeIndex(
        np.cumsum(3.6e12 * (1 + np.linspace(0, 1e-3, 300))).astype(np.int64)
        .astype("datetime64[ns]")), None, None),
    ("steps that wander", pd.DatetimeIndex(np.cumsum(
        3600 + np.random.default_rng(0).integers(-1, 2, 300)).astype("datetime64[s]")),
     None, None),
    ("events", pd.DatetimeIndex(np.cumsum(
        1 + np.random.default_rng(0).integers(0, 999, 300)).astype("datetime64[s]")), None, None),
    ("the 1st and the 15th", span("SMS"), None, None),
    ("some days", span("D", 400)[np.sort(np.random.default_rng(0).permutation(400)[:150])],
     None, None),
    ("seconds and a half, in seconds", rate(2 / 3, "s", 60), None, None),
    ("a day is missing", without(span("D"), 30), None, None),
    ("a bar is missing", without(sessions(range(570, 961, 30)), 100), None, None),
]  # fmt: skip


@pytest.mark.parametrize(("index", "pandas", "here"), [kind[1:] for kind in KINDS],
                         ids=[kind[0] for kind in KINDS])  # fmt: skip
def test_what_pandas_finds_is_found_and_more(
    index: Index, pandas: str | None, here: str | None
) -> None:
    assert pd.infer_freq(index) == pandas
    assert name(index) == here


def test_there_are_sixty_kinds_and_pandas_finds_none_that_is_not_found_here() -> None:
    assert len(KINDS) >= 60
    assert all(here for _, _, pandas, here in KINDS if pandas)


@pytest.mark.parametrize("index", [kind[1] for kind in KINDS if kind[3]],
                         ids=[kind[0] for kind in KINDS if kind[3]])  # fmt: skip
def test_a_grid_has_the_times_of_its_rows(index: Index) -> None:
    times = microseconds(index)
    grid = find_grid(times)
    assert grid is not None
    np.testing.assert_array_equal(grid.full(), times)


@pytest.mark.parametrize(
    ("frequency", "season"),
    [
        ("s", None),
        ("min", 1440),
        ("5min", 288),
        ("10min", 144),
        ("15min", 96),
        ("30min", 48),
        ("h", 24),
        ("2h", 12),
        ("7min", None),
        ("12h", 2),
        ("D", 7),
        ("2D", None),
        ("B", 5),
        ("W", 52),
        ("2W", 26),
        ("MS", 12),
        ("2MS", 6),
        ("QE", 4),
        ("YS", None),
    ],
)
def test_the_season_follows_from_the_step(frequency: str, season: int | None) -> None:
    assert cadence(microseconds(span(frequency))).season == season
    assert cadence(microseconds(span(frequency)), season=9).season == 9


def test_a_session_is_a_season_and_days_that_end_early_are_told() -> None:
    index = sessions(range(570, 961, 30))
    short = index[(index.normalize() != pd.Timestamp("2019-03-20")) | (index.hour < 13)]
    found = cadence(microseconds(short))
    assert (found.unit, found.season) == (Unit.SESSION, 14)
    assert found.notes == ("1 of 40 days ends early",)


def test_holidays_are_listed() -> None:
    found = cadence(microseconds(without(span("B", 300), 20, 33, 34)))
    assert (found.unit, found.calendar) == (Unit.BUSINESS_DAY, True)
    assert found.notes == (
        "3 weekdays are missing and taken for holidays: 2019-04-01, 2019-04-18, 2019-04-19",
    )


@pytest.mark.parametrize(
    ("index", "unit", "seconds"),
    [
        (span("h"), Unit.SECOND, 3600),
        (rate(30, "ms"), Unit.SECOND, 1 / 30),
        (span("D"), Unit.SECOND, 86400),
        (span("MS"), Unit.MONTH, 365.2425 * 86400 / 12),
    ],
)
def test_a_cadence_has_its_unit_and_length(index: Index, unit: Unit, seconds: float) -> None:
    found = cadence(microseconds(index))
    assert found.unit == unit
    assert found.seconds == pytest.approx(seconds, rel=1e-12)


# Gaps


@pytest.mark.parametrize(
    ("whole", "gone", "limit"),
    [
        (span("h", 200), [5, 50, 51], 2),
        (span("D", 200), [5, 6, 7, 100], 3),
        (span("W", 60), [17], 1),
        (span("MS", 60), [5, 20, 21], 2),
        (span("BME", 60), [5], 1),
        (span("QE", 60), [30, 31, 32], 3),
        (span("YS", 60), [30], 1),
        (span("WOM-3FRI", 60), [30], 1),
        (span("B", 400), range(100, 115), 15),
        (rate(30, "ms"), [77, 78, 300], 2),
        (sessions(range(570, 961, 30)), [100, 101], 2),
    ],
)
def test_gaps_are_asked_about_and_with_a_policy_the_rows_of_the_grid_are_known(
    whole: Index, gone: Sequence[int], limit: int
) -> None:
    times = microseconds(without(whole, *gone))
    with pytest.raises(DataError) as caught:
        cadence(times)
    assert f"`missing: {{fill: forward, limit: {limit}}}`" in str(caught.value)
    assert "`step: rows`" in str(caught.value)
    assert cadence(times, gaps=True).name == cadence(microseconds(whole)).name
    full = full_times(draft(times))
    np.testing.assert_allclose(full, microseconds(whole), atol=1000)  # between two ms of 30 Hz
    assert np.isin(times, full).all()
    assert cadence(times, step="rows").unit == Unit.ROW


def test_the_first_gap_is_named_and_all_are_counted() -> None:
    times = microseconds(without(span("h", 200), 5, 50, 51))
    with pytest.raises(DataError) as caught:
        cadence(times)
    assert str(caught.value).startswith(
        "x.csv: row 7, column 'date': 2:00:00 after the row before, where there is one every hour "
        "(2 such places, 3 rows); write under dataset: "
    )


def test_rows_off_the_grid_are_irregular_whatever_is_missing() -> None:
    times = microseconds(span("h", 60)).copy()
    times[30] += 60_000_000
    with pytest.raises(DataError, match="no regular step; write under dataset: `step: rows`"):
        cadence(times, gaps=True)
    assert cadence(times, step="rows").name == "each row"


# Rows that are counted


def test_numbers_are_a_grid_of_their_own() -> None:
    assert cadence(range(0, 100, 5), counted=True) == cadence(range(20), counted=True)
    assert cadence(range(20), counted=True).season is None
    with pytest.raises(DataError, match=r"3 after the row before.*limit: 2"):
        cadence([0, 1, 2, 5, 6], counted=True)
    assert full_times(draft([0, 1, 2, 5, 6], counted=True)).tolist() == list(range(7))
    with pytest.raises(DataError, match="`step: rows`"):
        cadence([0, 1, 5, 7, 16], counted=True)


# Properties


@hypothesis_settings(deadline=None, max_examples=200)
@given(
    st.integers(1, 10**12),
    st.integers(2, 200),
    st.datetimes(datetime(1700, 1, 1), datetime(2100, 1, 1)),
)
def test_any_constant_step_is_found_exactly(step: int, rows: int, start: datetime) -> None:
    first = int(np.datetime64(start, "us").astype(np.int64))
    times = first + np.arange(rows) * step
    grid = find_grid(times)
    assert grid is not None
    assert grid.whole
    if grid.cadence.unit == Unit.SECOND:  # a few steps of 31 days may be months
        assert grid.cadence.seconds == step / 1e6
    np.testing.assert_array_equal(grid.full(), times)


@hypothesis_settings(deadline=None, max_examples=200)
@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=60))
def test_whatever_the_steps_are_a_grid_holds_all_rows(steps: list[int]) -> None:
    times = np.cumsum([0, *steps])
    if (grid := find_grid(times)) is None:
        return
    assert (np.diff(grid.numbers) >= 1).all()
    assert np.isin(times, grid.full()).all()


@hypothesis_settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(["h", "D", "B", "W", "MS", "ME", "BME", "QE", "YS", "30min"]),
    st.sets(st.integers(1, 97), max_size=3),
)
def test_missing_rows_are_put_where_they_were(frequency: str, gone: set[int]) -> None:
    whole = microseconds(span(frequency, 99))
    times = np.delete(whole, sorted(gone))
    grid = find_grid(times)
    assert grid is not None
    if frequency != "B":  # there they are holidays
        np.testing.assert_array_equal(grid.full(), whole)
