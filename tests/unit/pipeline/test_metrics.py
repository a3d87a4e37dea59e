"""Metrics are what their formulas say, and are left out where they have no value."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pyheta.errors import Diverged
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.metrics import METRICS, ZERO, Errors
from pyheta.pipeline.scoring import (
    Evaluation,
    errors_of,
    measure,
    naive_mae,
    named,
    together,
    zero,
)

TRUTH = np.array([[1.0, 2.0], [2.0, -4.0], [5.0, 1.0]])
FORECAST = np.array([[1.5, 2.0], [1.0, -2.0], [5.0, 4.0]])
LAST = np.array([[0.0], [1.0], [2.0]])
WORKED = Evaluation(TRUTH, FORECAST, LAST, naive_mae=2.0, zero=0.0)
UNIT = 4.0


def evaluation(
    truth: Floats, forecast: Floats, last: Floats, naive_mae: float = 1.0, zero: float = 0.0
) -> Evaluation:
    return Evaluation(truth, forecast, last, naive_mae, zero)


def values(given: Evaluation, unit: float = UNIT) -> dict[tuple[str, int], float]:
    metrics, _ = measure("test", errors_of(given), unit)
    return {(metric.name, metric.horizon): metric.value for metric in metrics}


def test_a_worked_example_by_hand() -> None:
    got = values(WORKED)  # errors: 0.5, 0, -1, 2, 0, 3
    naive = np.array([-1, -2, -1, 5, -3, 1])
    expected = {
        "mae": 6.5 / 6,
        "mse": 14.25 / 6,
        "rmse": (14.25 / 6) ** 0.5,
        "mae_scaled": 6.5 / 6 / 4,
        "mse_scaled": 14.25 / 6 / 16,
        "rmse_scaled": (14.25 / 6) ** 0.5 / 4,
        "mape": (0.5 / 1 + 1 / 2 + 2 / 4 + 3 / 1) / 6,
        "smape": (1 / 2.5 + 2 / 3 + 4 / 6 + 6 / 5) / 6,
        "wape": 6.5 / 15,
        "mase": 6.5 / 6 / 2,
        "r2": 1 - 14.25 / np.square(TRUTH - TRUTH.mean()).sum(),
        "skill": 1 - (14.25 / 6) ** 0.5 / np.square(naive).mean() ** 0.5,
    }
    assert {name for name, _ in got} == set(expected) == set(METRICS)
    for name, value in expected.items():
        assert got[name, 0] == pytest.approx(value, rel=1e-12), name


def test_one_step_ahead_is_measured_on_its_own_column() -> None:
    got = values(WORKED)
    assert got["mae", 1] == pytest.approx(0.5)
    assert got["mae", 2] == pytest.approx(5 / 3)
    assert got["mse", 2] == pytest.approx(13 / 3)
    assert ("r2", 2) not in got


def test_the_last_known_value_has_no_skill_and_the_truth_has_all() -> None:
    repeated = np.repeat(LAST, 2, axis=1)
    assert values(evaluation(TRUTH, repeated, LAST))["skill", 0] == 0
    exact = values(evaluation(TRUTH, TRUTH, LAST))
    assert exact["skill", 0] == exact["r2", 0] == 1


@hypothesis_settings(deadline=None, max_examples=50)
@given(
    arrays(np.float64, (6, 2), elements=st.floats(-100, 100)),
    arrays(np.float64, (6, 2), elements=st.floats(-100, 100)),
)
def test_laws_that_hold_for_any_forecast(truth: Floats, forecast: Floats) -> None:
    got = values(evaluation(truth, forecast, truth[:, :1]), 2.0)
    assert got["mae", 0] <= got["rmse", 0] + 1e-9
    assert got["rmse", 0] ** 2 == pytest.approx(got["mse", 0])
    assert got["mae_scaled", 0] * 2 == pytest.approx(got["mae", 0])
    assert 0 <= got["smape", 0] <= 2
    assert got["mse", 0] == pytest.approx((got["mse", 1] + got["mse", 2]) / 2)
    assert np.isfinite(list(got.values())).all()


@pytest.mark.parametrize(
    ("truth", "name", "reason"),
    [
        ([[0.0], [1.0]], "mape", "the truth contains zeros"),
        ([[0.0], [0.0]], "wape", "the truth is zero throughout"),
        ([[0.1], [0.1], [0.1]], "r2", "the truth is constant"),
    ],
)
def test_a_ratio_over_zero_is_left_out_with_its_reason(
    truth: list[list[float]], name: str, reason: str
) -> None:
    values = np.array(truth)
    metrics, omitted = measure("val", errors_of(evaluation(values, values + 1, values - 2)), 1.0)

    assert omitted[f"val/{name}"] == reason
    assert name not in {metric.name for metric in metrics}
    assert {metric.split for metric in metrics} == {"val"}


def test_a_target_that_never_moved_in_training_has_no_mase_and_an_exact_naive_no_skill() -> None:
    truth = np.array([[1.0], [2.0]])
    _, omitted = measure("test", errors_of(evaluation(truth, truth + 1, truth, naive_mae=0.0)), 1.0)
    assert omitted == {
        "test/mase": "training has no change from season to season",
        "test/skill": "the last known value is exact",
    }


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e200])
def test_a_forecast_that_is_not_finite_or_whose_square_is_not_fails(wrong: float) -> None:
    forecast = FORECAST.copy()
    forecast[1, 1] = wrong
    with pytest.raises(Diverged, match="not finite"):
        measure("test", errors_of(evaluation(TRUTH, forecast, LAST)), 1.0)


@hypothesis_settings(deadline=None, max_examples=50)
@given(arrays(np.float64, 40, elements=st.floats(-1e6, 1e6) | st.just(np.nan)), st.integers(1, 50))
def test_mase_is_scaled_by_the_changes_from_season_to_season(training: Floats, season: int) -> None:
    # Given what the M4 competition's benchmarks compute, pair by pair
    pairs = [(training[t], training[t - season]) for t in range(season, len(training))]
    changes = [abs(now - before) for now, before in pairs if np.isfinite([now, before]).all()]

    scale = naive_mae(training, season)

    assert scale == pytest.approx(np.mean(changes), rel=1e-12) if changes else np.isnan(scale)


def test_a_season_without_a_pair_leaves_mase_out() -> None:
    scale = naive_mae(np.arange(5.0), season=7)

    _, omitted = measure("test", errors_of(replace(WORKED, naive_mae=scale)), 1.0)

    assert omitted == {"test/mase": "training has no change from season to season"}


# ---- zeros and rounding --------------------------------------------------------------------------


def smape(truth: Floats, forecast: Floats, training: Floats) -> float:
    truth, forecast = truth[:, None], forecast[:, None]
    return values(evaluation(truth, forecast, truth, zero=zero(training)))["smape", 0]


SIZES = st.just(0.0) | st.floats(0.01, 100) | st.floats(-100, -0.01)


@hypothesis_settings(deadline=None, max_examples=100)
@given(arrays(np.float64, 9, elements=SIZES), arrays(np.float64, 9, elements=SIZES))
def test_smape_is_the_published_formula_with_0_for_zero_over_zero(
    truth: Floats, forecast: Floats
) -> None:
    pairs = zip(truth.tolist(), forecast.tolist(), strict=True)
    terms = [2 * abs(f - y) / (abs(y) + abs(f)) if y or f else 0.0 for y, f in pairs]

    assert smape(truth, forecast, truth) == pytest.approx(np.mean(terms), rel=1e-12)


@hypothesis_settings(deadline=None, max_examples=100)
@given(
    arrays(np.float64, 9, elements=st.just(0.0) | st.floats(0.5, 2)),
    st.floats(1e-9, 1e9),
    st.floats(-1e3, 1e3),
    st.sampled_from([np.float32, np.float64]),
)
def test_what_a_scaler_leaves_of_a_zero_is_zero(
    truth: Floats, size: float, level: float, dtype: type[np.floating[Any]]
) -> None:
    # Given a perfect net, whose forecasts are scaled, rounded as it computes, and scaled back
    scaled = ((truth - level / 1e3) / 0.7).astype(dtype)
    forecast = size * (scaled.astype(np.float64) * 0.7 + level / 1e3)

    # Then no zero that it met counts as a miss, in whatever unit the target is measured
    assert smape(size * truth, forecast, size * np.append(truth, 1.0)) < 1e-5


@pytest.mark.parametrize("forecast", [1e-4, -1e-4, 0.1])
def test_what_is_small_but_no_rounding_is_a_miss(forecast: float) -> None:
    truth = np.array([0.0, 1.0])
    assert smape(truth, np.array([forecast, 1.0]), np.array([0.0, 1.0, 2.0])) == 1


def test_a_single_outlier_in_training_makes_nothing_else_zero() -> None:
    training = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 1e30, np.nan])

    assert zero(training) == 2.5 * ZERO
    assert zero(np.zeros(3)) == 0


# ---- several targets -----------------------------------------------------------------------------

UNITS = (4.0, 0.5)


def of_both(scale: float = 10.0) -> tuple[Evaluation, Evaluation]:
    """Two targets in very different units."""
    other = evaluation(scale * TRUTH[::-1] + 3, scale * FORECAST, scale * LAST, naive_mae=8.0)
    return WORKED, other


def of_all(targets: Sequence[Evaluation], units: Sequence[float] = UNITS) -> Errors:
    pairs = zip(targets, units, strict=True)
    return together(errors_of(one).scaled(unit) for one, unit in pairs)


def test_several_targets_by_hand() -> None:
    # Given forecasts of two targets
    targets = of_both()
    metrics, omitted = measure("test", of_all(targets), None)
    got = {(metric.name, metric.horizon): metric.value for metric in metrics}

    # When all their errors are taken together, each in its target's scaled units
    pairs = list(zip(targets, UNITS, strict=True))
    error = np.stack([(one.forecast - one.truth) / unit for one, unit in pairs], axis=1)
    naive = np.stack([(one.last - one.truth) / unit for one, unit in pairs], axis=1)
    spread = np.stack([(one.truth - one.truth.mean()) / unit for one, unit in pairs], axis=1)
    size = np.stack([np.abs(one.truth) / unit for one, unit in pairs], axis=1)
    relative = [np.abs(one.forecast - one.truth) / one.naive_mae for one in targets]

    # Then the metrics are those of the one long list of errors
    expected = {
        "mae_scaled": np.abs(error).mean(),
        "mse_scaled": np.square(error).mean(),
        "rmse_scaled": np.square(error).mean() ** 0.5,
        "wape": np.abs(error).sum() / size.sum(),
        "mase": np.mean(relative),
        "r2": 1 - np.square(error).sum() / np.square(spread).sum(),
        "skill": 1 - (np.square(error).mean() / np.square(naive).mean()) ** 0.5,
    }
    for name, value in expected.items():
        assert got[name, 0] == pytest.approx(value, rel=1e-12), name
    assert got["mse_scaled", 2] == pytest.approx(np.square(error[..., 1]).mean(), rel=1e-12)
    assert omitted == {
        f"test/{name}": "the targets have units of their own" for name in ("mae", "mse", "rmse")
    }


@hypothesis_settings(deadline=None, max_examples=50)
@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_the_unit_of_a_target_has_no_say_in_what_several_have_together(
    first: float, second: float
) -> None:
    def together_in(*scales: float) -> list[float]:
        targets = [
            evaluation(s * one.truth, s * one.forecast, s * one.last, s * float(one.naive_mae))
            for s, one in zip(scales, of_both(), strict=True)
        ]
        units = [s * unit for s, unit in zip(scales, UNITS, strict=True)]
        metrics, _ = measure("test", of_all(targets, units), None)
        return [metric.value for metric in metrics]

    assert together_in(first, second) == pytest.approx(together_in(1.0, 1.0), rel=1e-9)


def test_one_target_twice_has_the_scaled_metrics_of_once() -> None:
    errors = errors_of(WORKED)
    once, _ = measure("test", errors, UNIT)
    twice, _ = measure("test", together(2 * [errors.scaled(UNIT)]), None)

    alone = {(metric.name, metric.horizon): metric.value for metric in once}
    for metric in twice:
        if metric.horizon == 0:
            assert metric.value == pytest.approx(alone[metric.name, 0]), metric.name


def test_a_name_goes_before_what_is_over_all_steps() -> None:
    metrics, _ = measure("test", errors_of(WORKED), UNIT)

    mine = named("OT", metrics)

    assert {metric.name for metric in mine} == {f"OT/{name}" for name in METRICS}
    assert {metric.horizon for metric in mine} == {0}
