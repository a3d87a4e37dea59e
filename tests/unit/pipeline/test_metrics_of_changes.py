"""direction, ic and rank_ic: what they say, and that rounding has no say in them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr, spearmanr

from pyheta.pipeline import scoring
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.scoring import Evaluation, Scales, by_step, errors_of, measure, still

#: Changes with many ties, far apart beside what counts as none.
CHANGES = arrays(np.float64, (12, 3), elements=st.integers(-4, 4).map(float))


def of(true: Any, forecast: Any, training: Floats | None = None) -> Evaluation:
    """Changes from a last value of 10, one row a window."""
    true, forecast = np.array(true, dtype=float), np.array(forecast, dtype=float)
    training = np.arange(20.0) if training is None else training
    scales = Scales.of(training, season=1, unit=1.0, exact=False)
    last = np.full((len(true), 1), 10.0)
    return Evaluation(last + true, last + forecast, last, scales)


def values(given: Evaluation) -> dict[str, float]:
    return {metric.name: metric.value for metric in measure("test", errors_of(given))[0]}


def reasons(given: Evaluation) -> dict[str, str]:
    return measure("test", errors_of(given))[1]


@pytest.mark.parametrize(
    ("true", "forecast", "share"),
    [
        ([[1], [-1]], [[2], [-3]], 1.0),
        ([[1], [-1]], [[-1], [1]], 0.0),
        ([[1], [-1]], [[2], [1]], 0.5),
        ([[1], [-1]], [[0], [0]], 0.5),  # a forecast that does not move is a coin
        ([[1], [-1]], [[1], [0]], 0.75),
        ([[0], [0], [1]], [[5], [0], [1]], 1.0),  # targets that do not move are not counted
        ([[0], [1], [1]], [[1], [0], [-1]], 0.25),
        ([[1, -1], [1, 1]], [[1, 1], [1, 1]], 0.75),  # all steps count
    ],
)
def test_direction_by_hand(true: list[Any], forecast: list[Any], share: float) -> None:
    assert values(of(true, forecast))["direction"] == share


def test_a_forecast_and_its_mirror_share_what_moves() -> None:
    random = np.random.default_rng(0)
    true, forecast = random.integers(-2, 3, (2, 40, 2))
    both = (values(of(true, sign * forecast))["direction"] for sign in (1, -1))
    assert sum(both) == pytest.approx(1)


@pytest.mark.parametrize("name", ["direction", "ic", "rank_ic"])
def test_a_truth_that_never_moves_has_none_of_them(name: str) -> None:
    assert f"test/{name}" in reasons(of([[0.0], [0.0]], [[1.0], [2.0]]))


def test_the_last_value_as_a_forecast_is_a_coin_and_correlates_with_nothing() -> None:
    last = of([[1.0], [-2.0], [3.0]], [[0.0], [0.0], [0.0]])
    assert values(last)["direction"] == 0.5
    assert {"test/ic", "test/rank_ic"} <= set(reasons(last))


@hypothesis_settings(deadline=None, max_examples=60)
@given(CHANGES, CHANGES)
def test_they_are_the_published_correlations(true: Floats, forecast: Floats) -> None:
    given, got = of(true, forecast), values(of(true, forecast))
    if np.ptp(true) == 0 or np.ptp(forecast) == 0:
        assert {"test/ic", "test/rank_ic"} <= set(reasons(given))
        return
    pairs = true.ravel(), forecast.ravel()
    assert got["ic"] == pytest.approx(pearsonr(*pairs).statistic, abs=1e-9)
    assert got["rank_ic"] == pytest.approx(spearmanr(*pairs).statistic, abs=1e-9)


def test_a_step_ahead_has_the_correlation_of_its_own_column() -> None:
    true, forecast = np.random.default_rng(1).normal(size=(2, 50, 4))
    got = by_step(errors_of(of(true, forecast)))["ic"]
    expected = [pearsonr(*columns).statistic for columns in zip(true.T, forecast.T, strict=True)]
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("block", [1, 7, 40, 10_000])
def test_how_many_windows_are_looked_at_together_does_not_matter(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    true, forecast = np.random.default_rng(2).normal(size=(2, 30, 3))
    expected = values(of(true, forecast))
    monkeypatch.setattr(scoring, "BLOCK", block)
    assert values(of(true, forecast)) == pytest.approx(expected, rel=1e-12)


# ---- rounding ------------------------------------------------------------------------------------


@hypothesis_settings(deadline=None, max_examples=60)
@given(CHANGES, CHANGES, st.integers(0, 2**32 - 1), st.floats(-3, 3))
def test_what_float32_leaves_of_a_change_decides_nothing(
    true: Floats, forecast: Floats, seed: int, level: float
) -> None:
    # Given a net whose forecasts are scaled, rounded as it computes, and scaled back
    given = of(true, forecast)
    spread, mean = 5.0, 10 + 5 * level
    scaled = ((given.forecast - mean) / spread).astype(np.float32).astype(np.float64)
    noise = np.random.default_rng(seed).uniform(-1, 1, scaled.shape) * 1e-7
    rounded = Evaluation(given.truth, (scaled + noise) * spread + mean, given.last, given.scales)

    # Then direction and ranks are those of exact forecasts, also where nothing moves
    one, other = values(given), values(rounded)
    assert one.keys() == other.keys()
    for name in {"direction", "rank_ic"} & one.keys():
        assert other[name] == pytest.approx(one[name], abs=1e-12), name
    if "ic" in one:
        assert other["ic"] == pytest.approx(one["ic"], abs=1e-6)


def test_a_constant_change_correlates_with_nothing_however_it_is_rounded() -> None:
    # Given drift, which adds the same slope to whatever the last value is
    last = np.random.default_rng(3).normal(size=(500, 1)) * 1e3
    truth = last + np.random.default_rng(4).normal(size=last.shape)
    scales = Scales.of(last[:, 0], season=1, unit=1.0, exact=True)
    drift = Evaluation(truth, last + 0.1, last, scales)
    assert np.ptp(drift.forecast - last) > 0  # there is rounding

    assert {"test/ic", "test/rank_ic"} <= set(reasons(drift))


def test_what_is_small_but_no_rounding_is_a_change() -> None:
    assert values(of([[1e-4], [-1e-4]], [[1e-4], [-1e-4]]))["direction"] == 1


def test_a_single_outlier_or_a_level_in_training_makes_no_change_small() -> None:
    usual = np.array([0.0, 1.0, 2.0, 3.0, 4.0, np.nan])
    assert still(usual) == pytest.approx(1.5e-6)
    assert still(np.append(usual, 1e30)) < 1e-5
    assert still(1e6 + usual) == pytest.approx(still(usual))
    assert still(np.append(np.zeros(9), 1.0)) == pytest.approx(1e-6)
    assert still(np.ones(3)) == still(np.array([])) == 0
