"""A profile says what a loop over all errors says, and never takes more than 20 kB."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from statsmodels.tsa.stattools import acf

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Rows
from pyheta.pipeline.error_profile import LIMIT, profile_of, read_profile, write_profile
from pyheta.pipeline.losses import Judged

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass
class Case:
    """Forecasts of random windows, and the table that they are of."""

    rows: Rows
    targets: dict[str, Judged]
    time: Rows

    def document(self, season: int | None = None, *, counted: bool = False) -> dict[str, Any]:
        profile = profile_of(self.rows, self.targets, None if counted else self.time, season)
        return profile.document(96, ())


def hours(count: int, start: str = "2024-02-27T05:00") -> Rows:
    first = np.datetime64(start, "us").astype(np.int64)
    times: Rows = first + 3_600_000_000 * np.arange(count)
    return times


def business_days(count: int) -> Rows:
    days = np.busday_offset("2023-11-01", np.arange(count), roll="forward")
    times: Rows = days.astype("datetime64[us]").astype(np.int64)
    return times


def case(seed: int, rows: Rows, steps: int, time: Rows | None = None, targets: int = 1) -> Case:
    """Some truths occur several times."""
    random = np.random.default_rng(seed)
    table = int(rows.max()) + steps + 2
    made = {}
    for k in range(targets):
        series = (k + 1) * np.round(random.normal(size=table), 1) + 10 * k
        truth = sliding_window_view(series, steps)[rows]
        forecast = 0.7 * truth + random.normal(0.3, 0.5, size=truth.shape)
        made[f"T{k}"] = Judged(truth, forecast, 0.5 + k)
    return Case(rows, made, hours(table) if time is None else time)


class Oracle:
    """One number after the other: (row, step, truth, error), pooled over targets."""

    def __init__(self, given: Case) -> None:
        several = len(given.targets) > 1
        self.time = given.time
        self.errors: list[tuple[int, int, int, float]] = []
        for judged in given.targets.values():
            unit = judged.unit if several else 1.0
            truths = sorted(float(truth) for truth in judged.truth.flat)
            up_to = [truths[ceil(k * len(truths) / 10) - 1] for k in range(1, 11)]
            for window, row in enumerate(given.rows):
                for step in range(judged.truth.shape[1]):
                    truth = float(judged.truth[window, step])
                    decile = next(k + 1 for k, most in enumerate(up_to) if truth <= most)
                    error = (float(judged.forecast[window, step]) - truth) / unit
                    self.errors.append((int(row) + step, step + 1, decile, error))
        self.up_to = up_to

    def groups(self, key: Callable[[int, int, int], int]) -> dict[int, list[float]]:
        found: dict[int, list[float]] = defaultdict(list)
        for row, step, decile, error in self.errors:
            found[key(row, step, decile)].append(error)
        return dict(sorted(found.items()))

    def calendar(self, number: Callable[[datetime], int]) -> dict[int, list[float]]:
        return self.groups(lambda row, step, decile: number(self.moment(row)))

    def moment(self, row: int) -> datetime:
        return EPOCH + int(self.time[row]) * MICROSECOND


def close(found: Iterable[float | None], expected: Iterable[float]) -> bool:
    """To six digits."""
    return list(found) == [pytest.approx(value, rel=1e-5, abs=1e-9) for value in expected]


def same(found: Mapping[str, Any], name: str, groups: Mapping[int, Sequence[float]]) -> bool:
    errors = list(groups.values())
    return (
        found[name] == list(groups)
        and found.get("count", [len(each) for each in errors]) == [len(each) for each in errors]
        and close(found["mae"], (sum(map(abs, each)) / len(each) for each in errors))
        and close(found["rmse"], (sqrt(sum(e * e for e in each) / len(each)) for each in errors))
        and close(found["bias"], (sum(each) / len(each) for each in errors))
    )


@st.composite
def random_cases(draw: st.DrawFn) -> Case:
    windows, stride = draw(st.integers(7, 60)), draw(st.integers(1, 3))
    left_out = draw(st.lists(st.integers(0, windows - 2), max_size=5, unique=True))
    return case(
        draw(st.integers(0, 9_999)),
        stride * np.delete(np.arange(3, 3 + windows), left_out),
        draw(st.integers(1, 9)),
        business_days(400) if draw(st.booleans()) else None,
        draw(st.sampled_from([1, 1, 3])),
    )


cases = random_cases()


@hypothesis_settings(deadline=None, max_examples=60)
@given(cases, st.sampled_from([1, 50, 1 << 20]))
def test_groups_hold_what_a_loop_over_all_errors_finds(given: Case, block: int) -> None:
    oracle = Oracle(given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pyheta.pipeline.losses.BLOCK", block)
        found = given.document()

    assert same(found["by_step"], "last", oracle.groups(lambda row, step, decile: step))
    assert same(found["by_decile"], "decile", oracle.groups(lambda row, step, decile: decile))
    calendar: dict[str, Callable[[datetime], int]] = {
        "hour": lambda at: at.hour,
        "weekday": datetime.weekday,
        "month": lambda at: at.month,
    }
    for name, number in calendar.items():
        groups = oracle.calendar(number)
        if len(groups) > 1:
            assert same(found[f"by_{name}"], name, groups)
        else:
            assert f"by_{name}" not in found
    if len(given.targets) == 1:
        kept = [oracle.up_to[k - 1] for k in found["by_decile"]["decile"]]
        assert close(found["by_decile"]["up_to"], kept)


@hypothesis_settings(deadline=None, max_examples=30)
@given(cases)
def test_hours_of_the_week_begin_on_monday(given: Case) -> None:
    oracle, found = Oracle(given), given.document()

    groups = oracle.calendar(lambda at: 24 * at.weekday() + at.hour)

    if "by_hour_of_week" in found:
        values = found["by_hour_of_week"]["rmse"]
        assert len(values) == 24 * 7
        assert [hour for hour, value in enumerate(values) if value is not None] == list(groups)
        kept = [value for value in values if value is not None]
        assert close(kept, (sqrt(sum(e * e for e in g) / len(g)) for g in groups.values()))
    else:
        assert len({hour % 24 for hour in groups}) == 1 or len({h // 24 for h in groups}) == 1


@hypothesis_settings(deadline=None, max_examples=40)
@given(cases)
def test_quantiles_and_regression_are_those_of_numpy(given: Case) -> None:
    found = given.document()
    several = len(given.targets) > 1
    each = [
        np.quantile((judged.forecast - judged.truth) / (judged.unit if several else 1.0), at)
        for judged in given.targets.values()
        for at in [found["quantiles"]["at"]]
    ]
    expected = np.mean(each, axis=0)
    assert found["quantiles"]["error"] == pytest.approx(expected, rel=1e-5, abs=1e-6)

    lines = [
        np.polyfit(judged.forecast.ravel(), judged.truth.ravel(), 1)
        for judged in given.targets.values()
    ]
    if several:
        own = found["targets"]
        assert own["target"] == list(given.targets)
        assert own["slope"] == pytest.approx([line[0] for line in lines], rel=1e-5, abs=1e-9)
        assert own["intercept"] == pytest.approx([line[1] for line in lines], rel=1e-4, abs=1e-7)
        errors = [judged.forecast - judged.truth for judged in given.targets.values()]
        assert close(own["bias"], (float(error.mean()) for error in errors))
        assert close(own["mae"], (float(np.abs(error).mean()) for error in errors))
        assert close(own["rmse"], (sqrt(float(np.square(error).mean())) for error in errors))
    else:
        line = found["mincer_zarnowitz"]
        assert line["slope"] == pytest.approx(lines[0][0], rel=1e-5, abs=1e-9)
        assert line["intercept"] == pytest.approx(lines[0][1], rel=1e-4, abs=1e-7)


@hypothesis_settings(deadline=None, max_examples=30)
@given(cases)
def test_the_worst_and_the_middle_windows_are_named(given: Case) -> None:
    several = len(given.targets) > 1
    losses = np.mean(
        [
            np.square((j.forecast - j.truth) / (j.unit if several else 1.0)).mean(axis=1)
            for j in given.targets.values()
        ],
        axis=0,
    )
    ranked = sorted(zip(-losses, given.rows, strict=True))

    found = given.document()

    assert found["worst"]["row"] == [row for _, row in ranked[:32]]
    assert close(found["worst"]["rmse"], (sqrt(-loss) for loss, _ in ranked[:32]))
    assert found["worst"]["time"] == [given.time[row] for row in found["worst"]["row"]]
    ranks = [row for _, row in ranked]
    middle = [ranks.index(row) for row in found["median"]["row"]]
    assert len(middle) == min(8, len(ranks))
    assert abs(np.mean(middle) - (len(ranks) - 1) / 2) <= 0.5


@hypothesis_settings(deadline=None, max_examples=30)
@given(st.integers(0, 999), st.integers(20, 90), st.integers(1, 4), st.integers(1, 12))
def test_autocorrelations_are_those_of_statsmodels(
    seed: int, windows: int, stride: int, season: int
) -> None:
    given = case(seed, stride * np.arange(2, 2 + windows), 3)
    errors = (given.targets["T0"].forecast - given.targets["T0"].truth)[:, 0]

    found = given.document(season)

    lags = min(2 * season // stride, windows - 1)
    if lags:
        assert found["autocorrelation"]["every"] == stride
        values = found["autocorrelation"]["values"]
        assert values == pytest.approx(acf(errors, nlags=lags, fft=False)[1:], abs=6e-5)
        assert len(values) == lags
    else:
        assert "autocorrelation" not in found


def test_windows_that_are_left_out_add_nothing_to_autocorrelations() -> None:
    rows = np.delete(np.arange(40), [7, 8, 20])
    given = case(4, rows, 1)
    errors = dict(zip(rows.tolist(), given.targets["T0"].forecast[:, 0], strict=True))
    truths = dict(zip(rows.tolist(), given.targets["T0"].truth[:, 0], strict=True))
    mean = sum(errors[row] - truths[row] for row in errors) / len(rows)
    deviations = {row: errors[row] - truths[row] - mean for row in errors}

    def products(lag: int) -> float:
        pairs = [(row, row + lag) for row in errors if row + lag in deviations]
        return float(sum(deviations[row] * deviations[later] for row, later in pairs))

    expected = [products(lag) / products(0) for lag in range(1, 7)]
    values = given.document(3)["autocorrelation"]["values"]
    assert values == pytest.approx(expected, abs=6e-5)


def test_hours_are_those_of_the_table_also_where_clocks_were_changed() -> None:
    time = hours(100, "2024-03-30T00:00")  # Europe changed its clocks on the 31st
    rows = np.arange(10, 82)
    truth = np.zeros((72, 1))
    error = np.array([[1.0 if (row % 24) == 2 else 0.0] for row in rows])

    found = Case(rows, {"OT": Judged(truth, truth + error, 1.0)}, time).document()

    assert found["by_hour"]["count"] == [3] * 24
    assert found["by_hour"]["mae"] == [1.0 if hour == 2 else 0.0 for hour in range(24)]


def test_rows_that_are_counted_have_no_calendar() -> None:
    found = case(1, np.arange(50), 3).document(counted=True)

    assert not {"by_hour", "by_weekday", "by_month", "by_hour_of_week"} & found.keys()
    assert found["worst"].keys() == {"row", "rmse"}


def test_times_before_1970_have_hours_too() -> None:
    given = case(1, np.arange(30), 3, hours(40, "1969-12-31T00:00"))  # a Wednesday

    found = given.document()

    assert found["by_weekday"]["weekday"] == [2, 3]
    assert found["by_month"]["month"] == [1, 12]
    assert found["by_hour"]["hour"] == list(range(24))


def test_folds_that_overlap_count_each_of_their_errors() -> None:
    rows = np.concatenate([np.arange(5, 15), np.arange(11, 21)])
    given = case(3, rows, 2)

    found = given.document()

    assert found["windows"] == 20
    assert same(found["by_decile"], "decile", Oracle(given).groups(lambda row, step, d: d))
    assert sum(found["by_hour"]["count"]) == 40


def test_a_regression_on_forecasts_that_are_all_the_same_has_no_slope() -> None:
    truth = np.random.default_rng(0).normal(1e6, 1.0, size=(50, 2))
    forecast = np.full((50, 2), np.float32(1e6)) * (1 + 1e-16)

    found = Case(np.arange(50), {"OT": Judged(truth, forecast, 1.0)}, hours(60)).document()

    assert found["mincer_zarnowitz"] == {"intercept": None, "slope": None}


def test_a_high_level_costs_no_digits() -> None:
    low = case(8, np.arange(80), 4)
    judged = low.targets["T0"]
    high = Case(
        low.rows, {"T0": Judged(judged.truth + 2**20, judged.forecast + 2**20, 0.5)}, low.time
    )

    found, expected = high.document(12), low.document(12)

    for name in ("by_step", "by_hour", "quantiles", "autocorrelation", "worst"):
        for column, values in expected[name].items():
            assert found[name][column] == pytest.approx(values, rel=1e-5, abs=1e-7)
    assert found["mincer_zarnowitz"]["slope"] == pytest.approx(
        expected["mincer_zarnowitz"]["slope"], rel=1e-5
    )


@hypothesis_settings(deadline=None, max_examples=20)
@given(random_cases(), st.integers(-300, 300))
def test_a_profile_scales_with_the_unit_of_its_target(given: Case, exponent: int) -> None:
    def scaled(document: dict[str, Any], by: float) -> dict[str, Any]:
        """What is in units, in others."""
        return {
            name: {
                column: [by * value for value in values]
                for column, values in group.items()
                if column in {"mae", "rmse", "bias", "up_to", "error"}
            }
            for name, group in document.items()
            if isinstance(group, dict) and name not in {"by_hour_of_week", "targets"}
        }

    k = 2.0**exponent
    other = {
        name: Judged(k * judged.truth, k * judged.forecast, k * judged.unit)
        for name, judged in given.targets.items()
    }

    found, expected = Case(given.rows, other, given.time).document(12), given.document(12)

    unit = 1.0 if len(other) > 1 else k
    in_units = scaled(expected, unit)
    for name, columns in scaled(found, 1.0).items():
        for column, values in columns.items():
            assert values == pytest.approx(in_units[name][column], rel=1e-5, abs=1e-9 * unit)
    assert found["worst"]["row"] == expected["worst"]["row"]
    assert found["autocorrelation"] == expected["autocorrelation"]
    assert found["by_decile"]["decile"] == expected["by_decile"]["decile"]


def test_errors_that_are_all_the_same_have_no_autocorrelation() -> None:
    truth = np.random.default_rng(0).normal(size=(40, 1))

    found = Case(np.arange(40), {"OT": Judged(truth, truth + 0.1, 1.0)}, hours(50)).document(24)

    assert "autocorrelation" not in found


def large(steps: int, scale: float, targets: int = 1, windows: int = 400) -> Case:
    """Hours of more than a year, with errors that need all their digits and a sign."""
    random = np.random.default_rng(steps)
    rows = 1_000_000 + 30 * np.arange(windows)
    made = {}
    for k in range(targets):
        truth = scale * random.normal(size=(windows, steps))
        forecast = truth - scale * random.gamma(1.0, size=truth.shape)
        made[f"a column with a rather long name, like those of weather stations {k}"] = Judged(
            truth, forecast, scale
        )
    time = np.zeros(1_000_000 + 30 * windows + steps, np.int64)
    time[1_000_000:] = hours(30 * windows + steps)
    return Case(rows, made, time)


@pytest.mark.parametrize("scale", [1.0, 1e-5, 1e-100, 1.23e14, 1e90])
@pytest.mark.parametrize(("steps", "targets"), [(1, 1), (96, 1), (720, 1), (96, 21)])
def test_a_profile_has_at_most_20_kb(
    tmp_path: Path, steps: int, targets: int, scale: float
) -> None:
    given = large(steps, scale, targets, windows=400 if steps < 720 else 60)
    profile = profile_of(given.rows, given.targets, given.time, 5_760)
    path = tmp_path / "profile.json"

    write_profile(path, {"val": profile, "test": profile})

    assert path.stat().st_size <= LIMIT
    found = read_profile(path)
    assert found["test"]["windows"] == len(given.rows)
    for part in ("val", "test"):
        assert found[part]["by_step"]["last"][-1] == steps
        assert len(found[part]["by_step"]["mae"]) == len(found[part]["by_step"]["last"])


def test_usual_numbers_leave_every_step_up_to_96(tmp_path: Path) -> None:
    given = large(96, 1.0)
    profile = profile_of(given.rows, given.targets, given.time, 24)

    write_profile(tmp_path / "file", {"val": profile, "test": profile})

    assert read_profile(tmp_path / "file")["test"]["by_step"]["last"] == list(range(1, 97))


@hypothesis_settings(deadline=None, max_examples=20)
@given(st.integers(97, 400), st.sampled_from([12, 24, 48, 96]))
def test_later_steps_of_a_long_horizon_are_taken_together(steps: int, groups: int) -> None:
    given = case(steps, np.arange(12), steps)
    errors = given.targets["T0"].forecast - given.targets["T0"].truth

    found = profile_of(given.rows, given.targets, None, None).document(groups, ())["by_step"]

    last = found["last"]
    assert len(last) == groups
    assert last[: groups // 2] == list(range(1, groups // 2 + 1))
    bounds = list(zip([0, *last[:-1]], last, strict=True))
    assert close(found["mae"], (float(np.abs(errors[:, a:b]).mean()) for a, b in bounds))
    assert close(found["bias"], (float(errors[:, a:b].mean()) for a, b in bounds))
    lengths = [b - a for a, b in bounds[groups // 2 :]]
    assert max(lengths) - min(lengths) <= 1


def test_validation_says_what_it_leaves_out(tmp_path: Path) -> None:
    given = case(2, np.arange(60), 4)
    profile = profile_of(given.rows, given.targets, given.time, 24)

    write_profile(tmp_path / "file", {"val": profile, "test": profile})

    found = read_profile(tmp_path / "file")
    assert "left_out" not in found["test"]
    assert set(found["val"]["left_out"]) == set(found["test"]) - set(found["val"]) | {"by_month"}
    assert found["val"]["by_step"] == found["test"]["by_step"]


def test_targets_for_which_there_is_no_room_are_counted() -> None:
    found = case(2, np.arange(20), 2, targets=60).document()

    named = found["targets"]["target"]
    assert named == [f"T{k}" for k in range(len(named))]
    assert 21 <= len(named) < 60
    assert found["targets_left_out"] == 60 - len(named)


def test_a_run_that_diverged_has_null_and_never_nan(tmp_path: Path) -> None:
    truth = np.zeros((40, 3))
    forecast = truth + 1e200
    profile = profile_of(np.arange(40), {"OT": Judged(truth, forecast, 1.0)}, hours(50), 24)

    write_profile(tmp_path / "file", {"test": profile})

    def refuse(name: str) -> None:
        raise AssertionError(name)

    text = (tmp_path / "file").read_text()
    found = json.loads(text, parse_constant=refuse)["test"]
    assert found["by_step"]["rmse"] == [None] * 3
    assert found["by_step"]["mae"] == [1e200] * 3


def test_equal_forecasts_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        given = case(11, np.arange(50), 5, targets=2)
        profile = profile_of(given.rows, given.targets, given.time, 24)
        write_profile(tmp_path / name, {"val": profile, "test": profile})

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("content", [b"", b'{"version": 1', b"[]", b"{}", b"\xff\xfe", b"7"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "profile.json"
    path.write_bytes(content)

    with pytest.raises(StepError, match="not a profile, or a damaged one"):
        read_profile(path)


def test_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_bytes(b'{"version": 2}')

    with pytest.raises(StepError, match="a profile of version 2, where 1 can be read"):
        read_profile(path)
