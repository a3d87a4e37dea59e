"""Folds that are pooled have the metrics of their windows together, each with its own training."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.pipeline.scoring import (
    Evaluation,
    Scales,
    Scored,
    errors_of,
    measure,
    pooled,
    score_part,
    together,
)

STEPS, QUANTILE = 3, 0.2
SEEDS = st.integers(0, 2**32 - 1)


def fold(seed: int, windows: int, *, size: float = 1.0, level: float = 0.0) -> Evaluation:
    random = np.random.default_rng(seed)
    training = size * random.normal(size=40).cumsum() + level
    last = size * random.normal(size=(windows, 1)) + level
    truth, forecast = last + size * random.normal(size=(2, windows, STEPS))
    scales = Scales.of(training, season=2, unit=float(training.std()), exact=False)
    return Evaluation(truth, forecast, last, scales)


def folds(seed: int) -> list[Evaluation]:
    return [fold(seed + n, windows) for n, windows in enumerate((4, 1, 9))]


def values(given: Evaluation) -> dict[str, float]:
    metrics, omitted = measure("test", errors_of(given, QUANTILE), QUANTILE)
    assert not omitted
    return {metric.name: metric.value for metric in metrics}


@hypothesis_settings(deadline=None, max_examples=40)
@given(SEEDS)
def test_pooled_metrics_are_those_of_one_long_list_of_errors(seed: int) -> None:
    given = folds(seed)
    got = values(pooled(given))

    # Given every window's errors beside what its own training says
    def joined(parts: list[Floats]) -> Floats:
        return np.concatenate(parts).ravel()

    truth, forecast = joined([f.truth for f in given]), joined([f.forecast for f in given])
    error = forecast - truth
    last = joined([np.broadcast_to(f.last, f.truth.shape) for f in given])
    naive_mae, naive_mse, _, _, unit = (
        joined([np.full(f.truth.shape, f.scales[n]) for f in given]) for n in range(5)
    )
    true, expected_change = truth - last, forecast - last
    expected = {
        "mae": np.abs(error).mean(),
        "rmse": np.square(error).mean() ** 0.5,
        "bias": error.mean(),
        "mae_scaled": np.abs(error / unit).mean(),
        "rmse_scaled": np.square(error / unit).mean() ** 0.5,
        "pinball": np.maximum(-QUANTILE * error, (1 - QUANTILE) * error).mean(),
        "mase": np.abs(error / naive_mae).mean(),
        "rmsse": (np.square(error) / naive_mse).mean() ** 0.5,
        "smape": (2 * np.abs(error) / (np.abs(truth) + np.abs(forecast))).mean(),
        "r2": 1 - np.square(error).sum() / np.square(truth - truth.mean()).sum(),
        "skill": 1 - (np.square(error).mean() / np.square(true).mean()) ** 0.5,
        "direction": (true * expected_change > 0).mean(),
        "ic": np.corrcoef(true, expected_change)[0, 1],
    }
    for name, value in expected.items():
        assert got[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name


@hypothesis_settings(deadline=None, max_examples=40)
@given(SEEDS)
def test_parts_of_one_fold_are_pooled_to_that_fold(seed: int) -> None:
    whole = fold(seed, 12)
    parts = [whole.windows(slice(start, stop)) for start, stop in ((0, 5), (5, 6), (6, 12))]

    assert values(pooled(parts)) == pytest.approx(values(whole), rel=1e-12)


def test_folds_are_pooled_in_any_groups() -> None:
    one, two, three = folds(5)
    assert values(pooled([pooled([one, two]), three])) == values(pooled([one, two, three]))


def test_a_metric_is_no_mean_of_the_folds_metrics() -> None:
    given = folds(5)
    each = [values(one)["rmse"] for one in given]
    assert values(pooled(given))["rmse"] != pytest.approx(np.mean(each), rel=1e-3)


def test_a_fold_whose_training_never_changes_leaves_mase_out() -> None:
    flat = Scales.of(np.ones(9), season=1, unit=1.0, exact=True)
    one, two, _ = folds(6)
    odd = Evaluation(two.truth, two.forecast, two.last, flat)

    _, omitted = measure("test", errors_of(pooled([one, odd])))

    assert set(omitted) == {"test/mase", "test/rmsse"}


def test_of_several_targets_the_level_has_no_say_although_units_of_folds_differ() -> None:
    def r2(level: float) -> float:
        targets = (
            pooled([fold(seed, 8, size=size, level=level) for seed, size in pairs])
            for pairs in (((1, 1.0), (2, 3.0)), ((3, 2.0), (4, 1.0)))
        )
        metrics, _ = measure("test", together(targets), several_targets=True)
        return next(metric.value for metric in metrics if metric.name == "r2")

    assert r2(1e5) == pytest.approx(r2(0.0), rel=1e-6)


# ---- a part as a whole ---------------------------------------------------------------------------


def names(scored: Scored) -> set[str]:
    return {metric.name for metric in scored.metrics}


def test_a_part_of_one_target_has_its_metrics_and_some_of_its_components() -> None:
    whole, component, _ = folds(7)
    scored = score_part("val", {"OT": {WHOLE: whole, "IMF0": component}})

    assert {metric.split for metric in scored.metrics} == {"val"}
    assert {name for name in names(scored) if "/" in name} == {
        f"IMF0/{name}" for name in ("mae", "mse", "rmse", "skill")
    }
    assert {"rmse", "rmsse", "ic", "rank_ic"} <= names(scored)
    assert {len(values) for values in scored.by_step.values()} == {STEPS}

    # And of training all that needs no ranks of it
    of_training = score_part("train", {"OT": {WHOLE: whole, "IMF0": component}})
    assert names(scored) - names(of_training) == {"rank_ic"}


def test_a_part_of_several_targets_has_metrics_together_and_of_each() -> None:
    one, two = fold(1, 6), fold(2, 6)
    scored = score_part("test", {"A": {WHOLE: one}, "B": {WHOLE: two}}, quantile=QUANTILE)

    assert {"rmse_scaled", "pinball_scaled", "A/rmse", "B/pinball", "B/rank_ic"} <= names(scored)
    assert {"rmse", "pinball", "rank_ic"} & names(scored) == set()
    assert "test/rank_ic" in scored.omitted
    assert {"mae_scaled", "skill"} <= set(scored.by_step)
    assert "mae" not in scored.by_step
