"""Made columns are what pandas would make of the others, and never know what comes after a row."""

import sys
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.errors import DataError
from pyheta.pipeline.data.draft import ROW, TIME, Draft, Meaning
from pyheta.pipeline.data.options.columns import Columns
from pyheta.pipeline.features import FEATURES, add

FIRST = datetime.fromisoformat("2023-12-28")
RANDOM = np.random.default_rng(3)


def draft(rows: int = 400, *, counted: bool = False, **columns: Any) -> Draft:
    """An hourly table; two prices, unless other columns are given."""
    last = FIRST + timedelta(hours=rows - 1)
    hours = pl.datetime_range(FIRST, last, "1h", time_unit="us", eager=True)
    given = columns or {"High": RANDOM.uniform(5, 9, rows), "Low": RANDOM.uniform(1, 4, rows)}
    frame = pl.DataFrame({TIME: hours, **given}).with_row_index(ROW, offset=2)
    return Draft(name="f.csv", frame=frame, times="time", counted=counted)


def made(table: Draft, features: dict[str, Any], zone: str | None = None) -> Draft:
    return add(table, Columns.of({"features": features}), zone)


def in_pandas(table: Draft) -> pd.DataFrame:
    frame = table.frame.drop(ROW)
    return pd.DataFrame(
        {name: frame[name].to_numpy() for name in frame.columns[1:]},
        index=pd.DatetimeIndex(frame[TIME].to_numpy()),
    )


def same(made: pl.Series, expected: Any) -> None:
    np.testing.assert_allclose(made.to_numpy(), np.asarray(expected, float), rtol=1e-12, atol=1e-12)


def test_without_features_nothing_changes() -> None:
    table = draft()
    assert add(table, Columns()) is table


def test_the_calendar_is_that_of_pandas() -> None:
    names = ["minute", "hour", "weekday", "day", "yearday", "week", "month", "quarter", "year"]
    table = made(draft(), {"calendar": [*names, "weekend"]})
    index = in_pandas(table).index

    expected = {"weekday": index.day_of_week, "yearday": index.day_of_year}
    expected |= {"week": index.isocalendar().week, "weekend": index.day_of_week >= 5}
    for name in [*names, "weekend"]:
        same(table.frame[name], expected[name] if name in expected else getattr(index, name))
    assert table.meaning.known == {*names, "weekend"}
    assert not table.meaning.declared


def test_the_calendar_of_a_zone_is_that_of_its_clocks() -> None:
    table = made(draft(), {"calendar": "hour"}, "Europe/Zurich")

    local = in_pandas(table).index.tz_localize("UTC").tz_convert("Europe/Zurich")
    same(table.frame["hour"], local.hour)


def test_waves_turn_once_in_their_period_and_are_known() -> None:
    table = made(draft(), {"fourier": {"24": 2, "36.5": 1}})

    rows = np.arange(400)
    same(table.frame["fourier 24 sin 1"], np.sin(2 * np.pi * rows / 24))
    same(table.frame["fourier 24 cos 2"], np.cos(4 * np.pi * rows / 24))
    same(table.frame["fourier 36.5 cos 1"], np.cos(2 * np.pi * rows / 36.5))
    assert len(table.meaning.known) == 6
    assert made(draft(counted=True), {"fourier": {"24": 2}}).columns[-1] == "fourier 24 cos 2"


def test_holidays_are_those_of_the_country() -> None:
    table = made(draft(), {"holidays": "CH"})

    free = table.frame.filter(pl.col("holiday") == 1)[TIME].dt.date().unique().sort()
    assert [str(day) for day in free] == ["2024-01-01"]
    assert table.meaning.known == {"holiday"}
    in_bern = made(draft(), {"holidays": "CH-BE"}).frame["holiday"].sum()
    assert in_bern == 48  # Berchtold's day


def test_a_missing_package_is_said_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)

    with pytest.raises(DataError, match=r"pip install 'pyheta\[holidays\]'"):
        made(draft(), {"holidays": "CH"})


def test_lags_are_earlier_values_known_as_far_ahead() -> None:
    table = made(draft(), {"lags": {"Low": [1, 24]}})

    frame = in_pandas(table)
    same(table.frame["Low lag 1"], frame["Low"].shift(1))
    same(table.frame["Low lag 24"], frame["Low"].shift(24))
    assert table.meaning.reach == {"Low lag 1": 1, "Low lag 24": 24}
    assert not table.meaning.known


@hypothesis_settings(deadline=None, max_examples=50)
@given(
    window=st.integers(1, 30),
    unknown=st.integers(0, 20),
    how=st.sampled_from(["mean", "std", "min", "max", "sum", "median"]),
)
def test_rolling_statistics_are_those_of_pandas(window: int, unknown: int, how: str) -> None:
    values = np.where(np.arange(60) < unknown, np.nan, RANDOM.normal(size=60))
    table = made(draft(60, a=values), {"rolling": {"a": {str(window): [how]}}})

    rolling = pd.Series(values).rolling(window)
    expected = rolling.std(ddof=0) if how == "std" else getattr(rolling, how)()
    np.testing.assert_allclose(
        table.frame[f"a {how} {window}"].to_numpy(), expected, rtol=1e-9, atol=1e-9
    )


def test_rolling_without_a_column_is_over_all_that_were_measured() -> None:
    # Given a table with a mask and a category
    meaning = Meaning(masks={"a": "a missing"}, groups={"s": ("s=x", "s=y")})
    columns = {name: np.ones(50) for name in ("a", "b", "s=x", "s=y", "a missing")}
    table = replace(draft(50, counted=False, **columns), meaning=meaning)

    features = made(table, {"rolling": {"3": ["mean"], "b": {"5": ["max"]}}}).columns[5:]
    assert features == ["a mean 3", "b mean 3", "b max 5"]


def test_returns_and_ranges_of_prices() -> None:
    table = made(draft(), {"returns": ["High", "Low"], "range": ["High", "Low"]})

    frame = in_pandas(table)
    same(table.frame["Low return"], frame["Low"].pct_change())
    same(table.frame["High-Low range"], frame["High"] - frame["Low"])


def test_what_is_made_of_known_columns_is_known() -> None:
    table = draft()
    known = Draft(
        name="f",
        frame=table.frame,
        times="",
        counted=False,
        meaning=Meaning(known=frozenset({"High"})),
    )
    features = {"lags": {"High": 3}, "rolling": {"3": "mean"}, "range": ["High", "Low"]}

    meaning = made(known, features).meaning
    assert meaning.known == {"High", "High lag 3", "High mean 3"}
    assert meaning.reach == {}


def test_noise_is_as_wide_as_its_column_and_always_the_same() -> None:
    values = RANDOM.normal(100, 7, 20_000)
    features = {"noise": {"like": "a"}}
    noise = made(draft(20_000, a=values), features).frame["noise"].to_numpy()

    assert np.std(noise[1000:]) == pytest.approx(7, rel=0.05)
    assert np.mean(noise) == pytest.approx(0, abs=0.2)
    assert abs(np.corrcoef(noise, values)[0, 1]) < 0.03
    again = made(draft(500, a=values[:500]), features).frame["noise"].to_numpy()
    np.testing.assert_array_equal(again, noise[:500])
    other = made(draft(500, a=values[:500]), {"noise": {"like": "a", "seed": 1}}).frame["noise"]
    assert not np.isclose(other.to_numpy()[1:], noise[1:500]).any()


def test_a_shuffled_column_has_the_values_of_the_column_at_other_rows() -> None:
    values = RANDOM.permutation(20_000.0 + np.arange(20_000))
    shuffled = made(draft(20_000, a=values), {"shuffled": "a"}).frame["a shuffled"].to_numpy()

    rows = {value: row for row, value in enumerate(values)}
    assert all(rows[value] <= row for row, value in enumerate(shuffled))
    assert abs(np.corrcoef(shuffled, values)[0, 1]) < 0.03
    assert np.mean(shuffled) == pytest.approx(values.mean(), rel=0.01)
    assert np.std(shuffled) == pytest.approx(values.std(), rel=0.05)


EVERY = {
    "calendar": ["hour", "month"],
    "fourier": {"24": 2},
    "holidays": "CH",
    "lags": {"a": [1, 7]},
    "rolling": {"5": ["mean", "std", "min", "max", "sum", "median"]},
    "returns": ["a"],
    "range": ["a", "b"],
    "noise": {"like": "a"},
    "shuffled": ["a", "b"],
}


@hypothesis_settings(deadline=None, max_examples=40)
@given(start=st.integers(1, 119), unknown=st.integers(0, 30), seed=st.integers(0, 9))
def test_no_feature_knows_what_comes_after_a_row(start: int, unknown: int, seed: int) -> None:
    # Given two tables that are the same up to a row, in which a column may begin late
    random = np.random.default_rng(seed)
    columns = {name: random.uniform(1, 9, 120) for name in ("a", "b")}
    columns["b"][:unknown] = np.nan
    others = {
        name: np.where(np.arange(120) < start, values, random.uniform(1, 900, 120))
        for name, values in columns.items()
    }

    # When every kind of feature is made of both
    assert EVERY.keys() == FEATURES.keys()
    first, second = (made(draft(120, **each), EVERY).frame for each in (columns, others))

    # Then these are the same up to it too, and known from some row on
    assert first[: min(start, unknown or start)].equals(second[: min(start, unknown or start)])
    for name in first.columns:
        ours, theirs = (frame[name][:start].to_numpy() for frame in (first, second))
        np.testing.assert_array_equal(ours, theirs) if unknown <= start else None
    for name in first.columns[2:]:
        known = np.isfinite(first[name].to_numpy())
        assert known[int(known.argmax()) :].all()


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"lags": {"Hihg": 3}}, "f.csv: features: no column 'Hihg'; did you mean 'High'?"),
        ({"lags": {"High": 400}}, "a lag of 400 rows of 'High', and there are 400"),
        ({"rolling": {"401": ["mean"]}}, "rolling over 401 rows, and there are 400"),
        ({"fourier": {"24": 12}}, "fourier 24: 12 waves are more than its rows can show"),
        ({"holidays": "XY"}, "no holidays are known of 'XY'"),
        ({"holidays": "CH-XX"}, "no holidays are known of 'XX' in CH; known: AG"),
        ({"calendar": ["hour", "hour"]}, "a feature would be called 'hour'"),
        ({"returns": ["zero"]}, "f.csv: row 12, column 'zero': a value of 0 has no return"),
        ({"returns": ["words"]}, "x: not a number"),
    ],
)
def test_what_cannot_be_made_is_refused(features: dict[str, Any], message: str) -> None:
    zero = np.where(np.arange(400) == 10, 0.0, 1.0)
    left_out = {"words": DataError("not a number", where="x")}
    table = replace(draft(High=np.ones(400), zero=zero), left_out=left_out)

    with pytest.raises(DataError) as raised:
        made(table, features)
    assert message in str(raised.value)


@pytest.mark.parametrize("kind", ["calendar", "holidays"])
def test_what_needs_times_is_refused_where_rows_are_counted(kind: str) -> None:
    with pytest.raises(DataError, match=f"the rows have no times, which '{kind}' needs"):
        made(draft(counted=True), {kind: EVERY[kind]})
