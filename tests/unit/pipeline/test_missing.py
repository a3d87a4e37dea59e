"""What is done about missing values: the same as pandas does, counted, and from the past alone."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pyheta.pipeline.data.draft import ROW, TIME, Draft
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.rows.gaps import recounted
from pyheta.pipeline.data.rows.missing import settle
from pyheta.pipeline.data.steps.cadence import Cadence, Unit
from pyheta.pipeline.leakage import leaks
from pyheta.sweep.longform import flat

HOUR = 3600.0
HOURLY = Cadence(Unit.SECOND, HOUR, HOUR, season=4)
START = datetime(2020, 1, 1)  # noqa: DTZ001
NAN = float("nan")


def draft(hours: Any = None, /, **columns: list[float]) -> Draft:
    """A row at each of these hours; NaN is missing."""
    count = len(next(iter(columns.values())))
    times = [START + timedelta(hours=hour) for hour in hours or range(count)]
    rows = pl.Series(range(2, count + 2), dtype=pl.UInt32)
    values = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Float64)).fill_nan(None)
    frame = pl.DataFrame({TIME: pl.Series(times, dtype=pl.Datetime("us")), ROW: rows})
    return Draft(name="x", frame=frame.hstack(values), times="date", counted=False)


def settled(before: Draft, missing: Any, cadence: Cadence = HOURLY) -> Draft:
    return settle(before, DataOptions.of({"missing": missing} if missing else {}), cadence)


def values(after: Draft, column: str = "y") -> list[float | None]:
    """None where a value is not known yet."""
    return [None if np.isnan(value) else value for value in after.frame[column]]


HOLES = [NAN, 1.0, NAN, NAN, 4.0, 5.0, NAN]


@pytest.mark.parametrize(
    ("policy", "expected", "changed"),
    [
        ({"fill": "forward"}, [None, 1, 1, 1, 4, 5, 5], [2, 3, 6]),
        ({"fill": "forward", "limit": 2}, [None, 1, 1, 1, 4, 5, 5], [2, 3, 6]),
        ("mask", [None, 1, 1, 1, 4, 5, 5], [2, 3, 6]),
        ({"fill": "linear"}, [None, 1, 2, 3, 4, 5, 5], [2, 3, 6]),
        ({"fill": "seasonal"}, [None, 1, 10, 7, 4, 5, 10], [2, 3, 6]),
        ("drop", [1, 4, 5], []),
    ],
)
def test_a_policy_does_what_it_says_and_counts_what_it_changed(
    policy: Any, expected: list[float | None], changed: list[int]
) -> None:
    series = HOLES if policy != {"fill": "seasonal"} else [*HOLES, 7.0, 8.0, 9.0, 10.0]
    after = settled(draft(y=series), policy)
    assert values(after)[: len(expected)] == expected
    assert list(after.meaning.changed.get("y", [])) == changed


def test_a_mask_is_one_where_the_file_has_no_value() -> None:
    after = settled(draft(y=HOLES, z=[1.0] * 7), "mask")
    assert after.columns == ["y", "z", "y missing"]
    assert after.frame["y missing"].to_list() == [1, 0, 1, 1, 0, 0, 1]
    assert after.meaning.masks == {"y": "y missing"}
    assert list(after.meaning.changed["y"]) == [2, 3, 6]


def test_a_mask_cannot_have_the_name_of_a_column() -> None:
    after = settled(draft(**{"y": HOLES, "y missing": [1.0] * 7}), "mask")
    assert "'y missing' is a column too" in str(after.left_out["y"])


def test_without_a_policy_the_column_is_left_out_with_the_question() -> None:
    after = settled(draft(y=HOLES, z=[1.0] * 7), None)
    assert after.columns == ["z"]
    assert str(after.left_out["y"]) == (
        "x: row 2, column 'y': 4 missing values, the first here; write under dataset: `missing: "
        "{fill: forward, limit: 2}` (or mask, or drop)"
    )


def test_a_gap_that_is_longer_than_the_limit_is_named() -> None:
    after = settled(draft(y=[1, NAN, 3, NAN, NAN, NAN, 7]), {"fill": "forward", "limit": 2})
    assert str(after.left_out["y"]) == (
        "x: row 5, column 'y': 3 values in a row are missing, and the limit is 2; write under "
        "dataset: `missing: {fill: forward, limit: 3}`"
    )


def test_each_column_may_have_its_own_policy() -> None:
    missing = {"a": "mask", "b": {"fill": "forward"}, "c": "drop"}
    columns = {name: [1.0, NAN, 3.0, 4.0] for name in "abd"}
    after = settled(draft(**columns, c=[1.0, 2.0, 3.0, NAN]), missing)
    assert after.columns == ["a", "b", "c", "a missing"]
    assert after.frame.height == 3
    assert {name: list(rows) for name, rows in after.meaning.changed.items()} == {
        "a": [1],
        "b": [1],
    }
    cure = "missing: {a: mask, b: {fill: forward}, c: drop, d: {fill: forward, limit: 1}}"
    assert cure in str(after.left_out["d"])


def test_rows_that_lack_in_a_constant_step_are_missing_like_cells() -> None:
    before = draft([0, 1, 4, 5], y=[1.0, NAN, 4.0, 5.0])
    after = settled(before, {"fill": "forward", "limit": 3})
    assert after.frame[TIME].to_list() == [START + timedelta(hours=h) for h in range(6)]
    assert values(after) == [1, 1, 1, 1, 4, 5]
    assert after.frame[ROW].to_list() == [2, 3, None, None, 4, 5]
    assert list(after.meaning.changed["y"]) == [1, 2, 3]
    assert after.notes[0] == "2 rows that the file lacks"


def test_where_rows_are_dropped_inside_those_that_stay_are_counted() -> None:
    before = draft([0, 1, 4, 5], y=[NAN, 2.0, 4.0, 5.0])
    options = DataOptions.of({"missing": "drop"})
    after = settle(before, options, HOURLY)
    assert values(after) == [2, 4, 5]
    assert "1 of 4 rows dropped" in after.notes
    counted = recounted(after, HOURLY, options)
    assert counted.unit is Unit.ROW
    assert "rows are counted" in counted.notes[-1]


def test_where_rows_are_dropped_at_an_end_the_step_stays() -> None:
    options = DataOptions.of({"missing": "drop"})
    after = settle(draft(y=[NAN, 2.0, 3.0, NAN]), options, HOURLY)
    assert recounted(after, HOURLY, options) is HOURLY


@pytest.mark.parametrize(
    ("rule", "count"), [("MS", 1), ("ME", 1), ("QS", 3), ("QE", 3), ("YS", 12), ("YE", 12)]
)
def test_months_that_lack_are_those_of_pandas(rule: str, count: int) -> None:
    times = pd.date_range("2019-01-01", periods=40, freq=rule)
    kept = [*range(5), *range(7, 20), *range(26, 40)]
    some = draft(y=[float(row) for row in kept])
    months = pl.Series(TIME, times[kept].to_numpy()).cast(pl.Datetime("us"))
    cadence = Cadence(Unit.MONTH, count, count * 30 * 86_400, 12 // count)
    after = settled(some.with_frame(some.frame.with_columns(months)), "mask", cadence)
    np.testing.assert_array_equal(after.frame[TIME].to_numpy(), times.to_numpy())


def test_steps_that_are_rounded_are_no_gaps() -> None:
    stamps = np.rint(np.arange(300) * 1000 / 30).astype(np.int64) * 1000  # 30 Hz in milliseconds
    kept = np.setdiff1d(np.arange(300), [50, 51, 200])
    some = draft(y=[float(row) for row in kept])
    times = pl.Series(TIME, stamps[kept]).cast(pl.Datetime("us"))
    cadence = Cadence(Unit.SECOND, 1 / 30, 1 / 30)
    after = settled(some.with_frame(some.frame.with_columns(times)), "mask", cadence)
    assert after.frame.height == 300
    apart = np.abs(after.frame[TIME].to_physical().to_numpy() - stamps)
    assert apart.max() <= 1000


def test_holidays_are_no_gaps() -> None:
    business = Cadence(Unit.BUSINESS_DAY, 1, 86_400, 5)
    assert settled(draft([0, 24, 96], y=[1.0, 2.0, 3.0]), "mask", business).frame.height == 3


def test_a_seasonal_fill_needs_a_season() -> None:
    after = settled(draft(y=HOLES), {"fill": "seasonal"}, Cadence(Unit.SECOND, HOUR, HOUR))
    assert "write under dataset: `season: 24` where" in str(after.left_out["y"])
    after = settled(draft(y=[1.0, NAN, 3.0, 4.0]), {"fill": "seasonal"})
    assert "no value at one time of the season" in str(after.left_out["y"])


holed = st.lists(st.one_of(st.just(NAN), st.integers(-99, 99).map(float)), min_size=2, max_size=40)


def by_pandas(fill: str, series: "pd.Series[float]") -> "pd.Series[float]":
    if fill == "forward":
        return series.ffill()
    if fill == "linear":
        return series.interpolate(limit_area="inside").ffill()
    known = series.notna().cummax()
    phases = series.groupby(np.arange(len(series)) % 4)
    full = phases.transform(lambda phase: phase.interpolate(limit_area="inside").ffill().bfill())
    return full.where(known)


@hypothesis_settings(deadline=None, max_examples=100)
@given(holed, st.sampled_from(["forward", "linear", "seasonal"]))
def test_each_fill_is_that_of_pandas(series: list[float], fill: str) -> None:
    assume(not np.isnan(series).all())
    after = settled(draft(y=series), {"fill": fill})
    expected = by_pandas(fill, pd.Series(series)).to_numpy()
    if "y" in after.left_out:
        first = int(np.flatnonzero(~np.isnan(series))[0])
        assert np.isnan(expected[first:]).any()
        return
    np.testing.assert_allclose(after.frame["y"].to_numpy(), expected, rtol=1e-12, atol=1e-12)


Columns = Mapping[str, NDArray[np.float64]]


def table(after: Draft, until: datetime) -> Columns:
    head = after.frame.filter(pl.col(TIME) <= until)
    return {name: head[name].to_physical().to_numpy() for name in (TIME, *after.columns)}


CAUSAL = ["mask", "drop", {"fill": "forward"}, {"fill": "forward", "values": [7]}]


@hypothesis_settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.booleans(), holed.map(lambda some: some[0])), min_size=6, max_size=40),
    st.integers(2, 30),
    st.lists(st.one_of(st.just(NAN), st.integers(-99, 99).map(float)), min_size=40, max_size=40),
    st.sampled_from(CAUSAL),
)
def test_what_comes_after_a_row_never_changes_the_table_up_to_it(
    rows: list[tuple[bool, float]], border: int, noise: list[float], policy: Any
) -> None:
    # Given rows with gaps and missing cells, and the same with other cells and rows after a border
    hours = [hour for hour, (kept, _) in enumerate(rows) if kept or hour in (0, border)]
    assume(len(hours) > 2 and border < len(rows) - 1 and border in hours)
    one = [rows[hour][1] for hour in hours]
    other = [noise[hour] if hour > border else rows[hour][1] for hour in hours]
    assume(not np.isnan(one).all() and not np.isnan(other).all())
    until = START + timedelta(hours=border)
    # When both are settled
    first = table(settled(draft(hours, y=one, z=one), policy), until)
    again = table(settled(draft(hours[: len(other)], y=other, z=one), policy), until)
    # Then they agree up to the border; a mask that one of them lacks says nothing before it
    for name in first.keys() | again.keys():
        silent = np.zeros(len(first[TIME]))
        np.testing.assert_array_equal(first.get(name, silent), again.get(name, silent), name)


def test_a_fill_from_later_values_is_a_leak() -> None:
    config = {"dataset": {"path": "x.csv", "missing": {"a": {"fill": "linear"}, "b": "mask"}}}
    assert leaks(config) == ("a fill from later values",)
    assert leaks({"dataset": {"path": "x.csv", "missing": {"fill": "seasonal", "limit": 3}}})
    assert leaks({"dataset": {"path": "x.csv", "missing": {"fill": "forward"}}}) == ()
    assert leaks({"dataset": {"path": "x.csv", "missing": "drop"}}) == ()


@pytest.mark.parametrize(
    ("written", "short"),
    [
        ("drop", "drop"),
        ({"how": "mask"}, "mask"),
        ({"fill": "forward", "limit": 3}, {"fill": "forward", "limit": 3}),
        ({"values": [1e20, -999.0, "X", -999]}, {"values": [-999, 1e20, "X"]}),
        ({"values": []}, {"values": []}),
        ({"how": "drop", "values": ["-99"]}, {"how": "drop", "values": [-99]}),
        ({"p": "mask", "t": {"fill": "linear"}}, {"p": "mask", "t": {"fill": "linear"}}),
        ({"fill": "forward", "t": {"values": []}}, {"fill": "forward", "t": {"values": []}}),
    ],
)
def test_the_short_form_means_the_same_and_is_the_same_again(written: Any, short: Any) -> None:
    options = DataOptions.of({"missing": written})
    assert options.as_params() == {"missing": short}
    assert DataOptions.of({"missing": short}) == options
    pairs = dict(flat("dataset.missing", written))["dataset.missing"]
    assert DataOptions.model_validate({"missing": pairs}) == options
    assert hash(options) == hash(DataOptions.of({"missing": short}))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("forward", "'drop' or 'mask'"),
        ({}, "expected drop, mask, or a mapping such as"),
        ({"fill": "backward"}, "'forward', 'linear' or 'seasonal'"),
        ({"fill": "forward", "how": "drop"}, "are two ways: write one of them"),
        ({"limit": 3}, "'limit' is that of a 'fill'"),
        ({"fill": "forward", "limit": 0}, "greater than or equal to 1"),
        ({"a": {"limt": 3}}, "unknown key 'limt'; did you mean 'limit'"),
        ({"limt": 3}, "expected for a column: drop, mask"),
        ({"values": [True]}, "valid number"),
        (3, "expected drop, mask, or a mapping"),
    ],
)
def test_a_policy_that_says_nothing_clear_is_refused(written: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DataOptions.of({"missing": written})
