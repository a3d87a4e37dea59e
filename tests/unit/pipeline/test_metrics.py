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
from pyheta.pipeline.metrics import METRICS, ZERO
from pyheta.pipeline.scoring import (
    Evaluation,
    Scales,
    by_step,
    errors_of,
    measure,
    naive_mae,
    naive_mse,
    named,
    together,
    zero,
)

TRUTH = np.array([[1.0, 2.0], [2.0, -4.0], [5.0, 1.0]])
FORECAST = np.array([[1.5, 2.0], [1.0, -2.0], [5.0, 4.0]])
LAST = np.array([[0.0], [1.0], [2.0]])
SCALES = Scales(naive_mae=2.0, naive_mse=5.0, zero=0.0, still=0.0, unit=4.0)
WORKED = Evaluation(TRUTH, FORECAST, LAST, SCALES)
QUANTILE = 0.9


def evaluation(truth: Floats, forecast: Floats, last: Floats, **scales: float) -> Evaluation:
    return Evaluation(truth, forecast, last, SCALES._replace(**scales))


def values(given: Evaluation, quantile: float | None = QUANTILE) -> dict[str, float]:
    metrics, _ = measure("test", errors_of(given, quantile), quantile)
    assert {metric.horizon for metric in metrics} == {0}
    return {metric.name: metric.value for metric in metrics}


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
        "rmsse": (14.25 / 6 / 5) ** 0.5,
        "bias": 4.5 / 6,
        # What is forecast too high costs 0.1, what is forecast too low 0.9
        "pinball": (0.1 * (0.5 + 2 + 3) + 0.9 * 1) / 6,
        "pinball_scaled": (0.1 * (0.5 + 2 + 3) + 0.9 * 1) / 6 / 4,
        # Changes 1, 2, 1, -5, 3, -1 are forecast as 1.5, 2, 0, -3, 3, 2
        "direction": (1 + 1 + 0.5 + 1 + 1 + 0) / 6,
        "ic": float(np.corrcoef([1, 2, 1, -5, 3, -1], [1.5, 2, 0, -3, 3, 2])[0, 1]),
        "rank_ic": float(np.corrcoef([3.5, 5, 3.5, 1, 6, 2], [3, 4.5, 2, 1, 6, 4.5])[0, 1]),
        "r2": 1 - 14.25 / np.square(TRUTH - TRUTH.mean()).sum(),
        "skill": 1 - (14.25 / 6) ** 0.5 / np.square(naive).mean() ** 0.5,
    }
    assert set(got) == set(expected) == set(METRICS)
    for name, value in expected.items():
        assert got[name] == pytest.approx(value, rel=1e-12), name


def test_one_step_ahead_is_measured_on_its_own_column() -> None:
    got = by_step(errors_of(WORKED))
    names = ("mae", "mse", "rmse", "skill", "bias", "direction", "ic")
    assert set(got) == set(names)
    for step in range(2):
        rows = slice(None), slice(step, step + 1)
        alone = values(replace(WORKED, truth=TRUTH[rows], forecast=FORECAST[rows]))
        for name in names:
            assert got[name][step] == pytest.approx(alone[name], rel=1e-12), name


def test_a_step_without_a_value_has_none_and_the_others_keep_theirs() -> None:
    exact_at_first = replace(WORKED, last=TRUTH[:, :1])

    skill = by_step(errors_of(exact_at_first))["skill"]

    assert np.isfinite(skill).tolist() == [False, True]


def test_the_last_known_value_has_no_skill_and_the_truth_has_all() -> None:
    repeated = np.repeat(LAST, 2, axis=1)
    assert values(evaluation(TRUTH, repeated, LAST))["skill"] == 0
    exact = values(evaluation(TRUTH, TRUTH, LAST))
    assert exact["skill"] == exact["r2"] == exact["direction"] == 1
    assert exact["ic"] == pytest.approx(1)
    assert exact["rank_ic"] == pytest.approx(1)
    assert exact["rmsse"] == exact["bias"] == exact["pinball"] == 0


@hypothesis_settings(deadline=None, max_examples=50)
@given(
    arrays(np.float64, (6, 2), elements=st.floats(-100, 100)),
    arrays(np.float64, (6, 2), elements=st.floats(-100, 100)),
)
def test_laws_that_hold_for_any_forecast(truth: Floats, forecast: Floats) -> None:
    given = evaluation(truth, forecast, truth[:, :1])
    got, steps = values(given), by_step(errors_of(given, QUANTILE), QUANTILE)
    assert abs(got["bias"]) <= got["mae"] + 1e-9
    assert got["mae"] <= got["rmse"] + 1e-9
    assert got["rmse"] ** 2 == pytest.approx(got["mse"])
    assert got["mae_scaled"] * 4 == pytest.approx(got["mae"])
    assert 0.1 * got["mae"] <= got["pinball"] * (1 + 1e-9) <= 0.9 * got["mae"] * (1 + 2e-9)
    assert 0 <= got["smape"] <= 2
    assert 0 <= got.get("direction", 0) <= 1
    assert abs(got.get("ic", 0)) <= 1 + 1e-9
    assert abs(got.get("rank_ic", 0)) <= 1 + 1e-9
    for name in ("mse", "bias", "pinball"):
        assert got[name] == pytest.approx(steps[name].mean())
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
    metrics, omitted = measure("val", errors_of(evaluation(values, values + 1, values - 2)))

    assert omitted[f"val/{name}"] == reason
    assert name not in {metric.name for metric in metrics}
    assert {metric.split for metric in metrics} == {"val"}


def test_a_target_that_never_moved_in_training_has_no_mase_and_an_exact_naive_no_skill() -> None:
    truth = np.array([[1.0], [2.0]])
    given = evaluation(truth, truth + 1, truth, naive_mae=0.0, naive_mse=0.0)
    _, omitted = measure("test", errors_of(given))
    assert omitted == {
        "test/mase": "training has no change from season to season",
        "test/rmsse": "training has no change from season to season",
        "test/skill": "the last known value is exact",
        "test/direction": "the truth never leaves the last known value",
        "test/ic": "the changes of the truth or of the forecast are all the same",
        "test/rank_ic": "the changes of the truth or of the forecast are all the same",
    }


def test_only_what_is_trained_for_a_quantile_has_a_pinball_loss() -> None:
    metrics, omitted = measure("test", errors_of(WORKED))

    assert not {"pinball", "pinball_scaled"} & {metric.name for metric in metrics}
    assert not omitted


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e200])
def test_a_forecast_that_is_not_finite_or_whose_square_is_not_fails(wrong: float) -> None:
    forecast = FORECAST.copy()
    forecast[1, 1] = wrong
    with pytest.raises(Diverged, match="not finite"):
        measure("test", errors_of(evaluation(TRUTH, forecast, LAST)))


@hypothesis_settings(deadline=None, max_examples=50)
@given(arrays(np.float64, 40, elements=st.floats(-1e6, 1e6) | st.just(np.nan)), st.integers(1, 50))
def test_mase_and_rmsse_are_scaled_by_the_changes_from_season_to_season(
    training: Floats, season: int
) -> None:
    # Given what the M4 competition's benchmarks compute, pair by pair
    pairs = [(training[t], training[t - season]) for t in range(season, len(training))]
    changes = [abs(now - before) for now, before in pairs if np.isfinite([now, before]).all()]

    absolute, square = naive_mae(training, season), naive_mse(training, season)

    if changes:
        assert absolute == pytest.approx(np.mean(changes), rel=1e-12)
        assert square == pytest.approx(np.mean(np.square(changes)), rel=1e-12)
    else:
        assert np.isnan(absolute)
        assert np.isnan(square)


def test_a_season_without_a_pair_leaves_mase_out() -> None:
    scales = Scales.of(np.arange(5.0), season=7, unit=1.0, exact=True)

    _, omitted = measure("test", errors_of(replace(WORKED, scales=scales)))

    assert set(omitted) == {"test/mase", "test/rmsse"}
    assert set(omitted.values()) == {"training has no change from season to season"}


# ---- zeros and rounding --------------------------------------------------------------------------


def smape(truth: Floats, forecast: Floats, training: Floats) -> float:
    truth, forecast = truth[:, None], forecast[:, None]
    return values(evaluation(truth, forecast, truth, zero=zero(training)))["smape"]


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


def in_unit(one: Evaluation, k: float, c: float = 0.0) -> Evaluation:
    """The same of k·y + c; what training says of sizes is that of changes alone, where c is 0."""
    scales = one.scales
    return Evaluation(
        k * one.truth + c,
        k * one.forecast + c,
        k * one.last + c,
        Scales(
            naive_mae=k * scales.naive_mae,
            naive_mse=k * k * scales.naive_mse,
            zero=k * scales.zero,
            still=k * scales.still,
            unit=k * scales.unit,
        ),
    )


# ---- several targets -----------------------------------------------------------------------------

UNITS = (4.0, 0.5)


def of_both(scale: float = 10.0) -> tuple[Evaluation, Evaluation]:
    """Two targets in very different units."""
    truth, forecast, last = scale * TRUTH[::-1] + 3, scale * FORECAST, scale * LAST
    return WORKED, evaluation(truth, forecast, last, naive_mae=8.0, naive_mse=80.0, unit=UNITS[1])


def of_all(targets: Sequence[Evaluation]) -> dict[str, float]:
    errors = together(targets, QUANTILE)
    metrics, _ = measure("test", errors, QUANTILE, several_targets=True)
    return {metric.name: metric.value for metric in metrics}


def test_several_targets_by_hand() -> None:
    # Given forecasts of two targets
    targets = of_both()
    errors = together(targets, QUANTILE)
    _, omitted = measure("test", errors, QUANTILE, several_targets=True)
    got, steps = of_all(targets), by_step(errors, QUANTILE, several_targets=True)

    # When all their errors are taken together, each in its target's scaled units
    pairs = list(zip(targets, UNITS, strict=True))
    error = np.stack([(one.forecast - one.truth) / unit for one, unit in pairs], axis=1)
    naive = np.stack([(one.last - one.truth) / unit for one, unit in pairs], axis=1)
    spread = np.stack([(one.truth - one.truth.mean()) / unit for one, unit in pairs], axis=1)
    size = np.stack([np.abs(one.truth) / unit for one, unit in pairs], axis=1)
    relative = [np.abs(one.forecast - one.truth) / one.scales.naive_mae for one in targets]
    square = [np.square(one.forecast - one.truth) / one.scales.naive_mse for one in targets]
    true = np.stack([(one.truth - one.last) / unit for one, unit in pairs])
    expected_change = np.stack([(one.forecast - one.last) / unit for one, unit in pairs])
    moved, sides = true != 0, np.sign(true) * np.sign(expected_change)

    # Then the metrics are those of the one long list of errors
    expected = {
        "mae_scaled": np.abs(error).mean(),
        "mse_scaled": np.square(error).mean(),
        "rmse_scaled": np.square(error).mean() ** 0.5,
        "wape": np.abs(error).sum() / size.sum(),
        "mase": np.mean(relative),
        "rmsse": np.mean(square) ** 0.5,
        "pinball_scaled": np.maximum(-0.9 * error, 0.1 * error).mean(),
        "direction": ((1 + sides[moved]) / 2).mean(),
        "ic": np.corrcoef(true.ravel(), expected_change.ravel())[0, 1],
        "r2": 1 - np.square(error).sum() / np.square(spread).sum(),
        "skill": 1 - (np.square(error).mean() / np.square(naive).mean()) ** 0.5,
    }
    for name, value in expected.items():
        assert got[name] == pytest.approx(value, rel=1e-12), name
    assert steps["mse_scaled"][1] == pytest.approx(np.square(error[..., 1]).mean(), rel=1e-12)
    assert omitted == {"test/rank_ic": "each target has ranks of its own"} | {
        f"test/{name}": "the targets have units of their own"
        for name in ("mae", "mse", "rmse", "bias", "pinball")
    }


@hypothesis_settings(deadline=None, max_examples=50)
@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_the_unit_of_a_target_has_no_say_in_what_several_have_together(
    first: float, second: float
) -> None:
    def together_in(*sizes: float) -> list[float]:
        targets = [in_unit(one, size) for one, size in zip(of_both(), sizes, strict=True)]
        return list(of_all(targets).values())

    assert together_in(first, second) == pytest.approx(together_in(1.0, 1.0), rel=1e-9)


def test_one_target_twice_has_the_scaled_metrics_of_once() -> None:
    once, twice = values(WORKED), of_all([WORKED, WORKED])

    for name, value in twice.items():
        assert value == pytest.approx(once[name]), name


def test_the_name_of_a_target_goes_before_its_metrics() -> None:
    metrics, _ = measure("test", errors_of(WORKED, QUANTILE), QUANTILE)

    mine = named("OT", metrics)

    assert {metric.name for metric in mine} == {f"OT/{name}" for name in METRICS}
