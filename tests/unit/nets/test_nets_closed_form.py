"""Naive forecasts and ridge regression, against their definitions. None of them may load torch."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from pyheta.errors import StepError
from pyheta.nets.forecaster import Forecaster
from pyheta.nets.registry import build
from pyheta.nets.training.options import Train
from pyheta.nets.zoo.ridge import BLOCK
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.windows import Shape, Windows, cut

OPTIONS = Train()


def ignore(_: object) -> None:
    """A progress that nobody follows."""


def windows(
    rows: int,
    channels: int = 2,
    lookback: int = 5,
    horizon: int = 3,
    *,
    targets: int = 1,
    seed: int = 0,
) -> Windows:
    series = np.random.default_rng(seed).normal(size=(channels, rows))
    return cut(list(map(Channel, series)), (0, rows), Shape(channels, lookback, horizon, targets))


def seen(inputs: np.ndarray) -> Windows:
    """Windows of which nothing is known but what a net sees."""
    return Windows(inputs, inputs[:, :0], np.arange(len(inputs)))


def fitted_ridge(
    train: Windows, alpha: float | list[float], val: Windows | None = None, **options: Any
) -> Forecaster:
    _, channels, lookback = train.inputs.shape
    _, targets, horizon = train.targets.shape
    net = build(
        {"name": "ridge", "alpha": alpha, **options}, Shape(channels, lookback, horizon, targets)
    )
    assert net.fit(train, val or train, OPTIONS, ignore) is None
    return net


def test_last_repeats_the_last_known_value() -> None:
    net = build({"name": "last"}, Shape(channels=1, lookback=1, horizon=3))
    forecast = net.predict(seen(np.array([[[4.0]], [[7.0]]])))
    assert forecast.tolist() == [[[4, 4, 4]], [[7, 7, 7]]]


@pytest.mark.parametrize(
    ("lookback", "horizon", "expected"),
    [(3, 2, [7, 8]), (3, 5, [7, 8, 9, 7, 8]), (5, 3, [7, 8, 9])],
)
def test_seasonal_repeats_the_last_known_season(
    lookback: int, horizon: int, expected: list[int]
) -> None:
    net = build({"name": "seasonal", "period": 3}, Shape(1, lookback, horizon))
    past = np.arange(10.0)[None, None, -lookback:]
    assert net.predict(seen(past)).tolist() == [[expected]]


def test_seasonal_is_exact_on_a_series_of_that_season() -> None:
    series = np.tile(np.arange(24.0), 10)[None]
    season = cut(list(map(Channel, series)), (0, 240), Shape(1, 24, 30))
    net = build({"name": "seasonal", "period": 24}, Shape(1, 24, 30))
    np.testing.assert_array_equal(net.predict(season), season.targets)


def drifting(train: Windows, targets: int = 1) -> Forecaster:
    _, channels, lookback = train.inputs.shape
    net = build({"name": "drift"}, Shape(channels, lookback, train.targets.shape[2], targets))
    assert net.fit(train, train, OPTIONS, ignore) is None
    return net


@pytest.mark.parametrize("unknown", [0, 3])
def test_drift_continues_the_line_from_the_first_value_to_the_last(unknown: int) -> None:
    # Given two targets, of which one is known from a later row on
    series = np.random.default_rng(0).normal(size=(2, 60))
    series[1, :unknown] = np.nan
    channels = list(map(Channel, series))
    shape = Shape(2, 1, 4, 2)
    train, test = (cut(channels, rows, shape) for rows in ((0, 40), (40, 60)))

    # When it has seen training
    net = drifting(train, targets=2)

    # Then its forecasts are the textbook's y_T + h (y_T - y_1) / (T - 1), whichever the part
    for part in (train, test):
        for row, forecast in zip(part.rows[1:], net.predict(part)[1:], strict=True):
            past = series[:, unknown:row]
            slope = (past[:, -1] - past[:, 0]) / (past.shape[1] - 1)
            expected = past[:, -1:] + slope[:, None] * np.arange(1, 5)
            np.testing.assert_allclose(forecast, expected, rtol=1e-14)


def test_drift_is_the_last_value_before_it_has_seen_a_step() -> None:
    train = cut([Channel(np.array([4.0, 6.0, 9.0, 1.0]))], (0, 4), Shape(1, 1, 1))

    assert drifting(train).predict(train).ravel().tolist() == [4, 8, 11.5]


def test_a_restored_drift_predicts_the_same() -> None:
    train = windows(50, channels=1, lookback=1)
    other = build({"name": "drift"}, Shape(1, 1, 3))
    other.restore(drifting(train).state())

    np.testing.assert_array_equal(other.predict(train), drifting(train).predict(train))


def test_nets_that_learn_nothing_have_no_state() -> None:
    assert build({"name": "last"}, Shape(1, 1, 1)).state() == {}


@pytest.mark.parametrize("alpha", [0.0, 1e-3, 10.0])
@pytest.mark.parametrize("rows", [60, BLOCK + 100])  # in one block and in several
def test_ridge_is_the_least_squares_of_the_padded_system(alpha: float, rows: int) -> None:
    train = windows(rows)
    flat = train.inputs.reshape(len(train), -1)
    mean_x, mean_y = flat.mean(axis=0), train.targets[:, 0].mean(axis=0)
    penalty = np.sqrt(alpha) * np.eye(flat.shape[1])
    padded = np.vstack([flat - mean_x, penalty])
    targets = np.vstack([train.targets[:, 0] - mean_y, np.zeros((flat.shape[1], 3))])
    oracle, *_ = np.linalg.lstsq(padded, targets, rcond=None)

    net = fitted_ridge(train, alpha)

    np.testing.assert_allclose(net.state()["weight"], oracle, rtol=1e-7, atol=1e-10)
    expected = mean_y + (flat - mean_x) @ oracle
    np.testing.assert_allclose(net.predict(train)[:, 0], expected, atol=1e-10)


def test_the_intercept_of_ridge_is_not_penalised() -> None:
    train = windows(100)
    shifted = Windows(train.inputs + 5, train.targets + 1000, train.rows)

    plain, moved = fitted_ridge(train, 1e3), fitted_ridge(shifted, 1e3)

    expected = plain.predict(train) + 1000
    np.testing.assert_allclose(moved.predict(shifted), expected, atol=1e-8)


def test_ridge_without_penalty_refuses_a_constant_column() -> None:
    series = np.vstack([np.random.default_rng(0).normal(size=50), np.zeros(50)])
    train = cut(list(map(Channel, series)), (0, 50), Shape(2, 3, 1))
    with pytest.raises(StepError, match=r"no single solution; set net\.alpha above 0"):
        fitted_ridge(train, 0.0)
    assert np.isfinite(fitted_ridge(train, 1e-3).predict(train)).all()


def test_several_targets_are_as_many_regressions_on_all_channels() -> None:
    train = windows(100, channels=3, targets=2)

    both = fitted_ridge(train, 0.5)

    for number in range(2):
        one = Windows(train.inputs, train.targets[:, [number]], train.rows)
        expected = fitted_ridge(one, 0.5).predict(train)[:, 0]
        np.testing.assert_allclose(both.predict(train)[:, number], expected, atol=1e-10)


def test_per_channel_is_one_regression_on_the_windows_of_all_targets_one_below_the_other() -> None:
    # Given two targets and a channel beside them
    train = windows(100, channels=3, targets=2)

    # When one regression serves both
    shared = fitted_ridge(train, 0.5, per_channel=True)

    # Then it is that of all their windows, and the other channel has no say
    rows = Windows(
        train.inputs[:, :2].reshape(-1, 1, 5),
        train.targets.reshape(-1, 1, 3),
        np.repeat(train.rows, 2),
    )
    expected = fitted_ridge(rows, 0.5).predict(rows).reshape(-1, 2, 3)
    np.testing.assert_allclose(shared.predict(train), expected, atol=1e-10)


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("window_std", [False, True])
def test_instance_norm_follows_every_window_that_is_moved(
    per_channel: bool, window_std: bool
) -> None:
    train = windows(100, channels=3, targets=2)
    options: dict[str, Any] = {"per_channel": per_channel, "window_std": window_std}
    net = fitted_ridge(train, 1e-3, instance_norm=True, **options)
    moved = seen(train.inputs + np.array([10.0, -20.0, 30.0])[:, None])

    expected = net.predict(train) + np.array([10.0, -20.0])[:, None]
    np.testing.assert_allclose(net.predict(moved), expected, atol=1e-8)
    assert not net.state()["bias"].any()


def test_the_standard_deviation_of_a_window_can_tell_what_follows() -> None:
    # Given windows that are followed by twice their standard deviation
    past = np.random.default_rng(0).normal(size=(200, 1, 5)) * np.arange(1, 201)[:, None, None]
    ahead = 2 * past.std(axis=2, keepdims=True)
    train = Windows(past, ahead, np.arange(200))

    blind, seeing = (fitted_ridge(train, 1e-6, window_std=std) for std in (False, True))

    np.testing.assert_allclose(seeing.predict(train), ahead, rtol=1e-3)
    assert np.abs(blind.predict(train) - ahead).mean() > 10


@pytest.mark.parametrize(
    "options", [{}, {"per_channel": True, "instance_norm": True, "window_std": True}]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_validation_chooses_the_alpha_with_the_least_squared_error(
    options: dict[str, Any], seed: int
) -> None:
    train, val = (windows(60, 3, targets=2, seed=seed + shift) for shift in (0, 10))
    alphas = [1e-3, 1.0, 30.0, 1e6]

    chosen = fitted_ridge(train, alphas, val, **options)

    errors = {}
    for alpha in alphas:
        forecast = fitted_ridge(train, alpha, **options).predict(val)
        errors[alpha] = np.square(forecast - val.targets).mean()
    best = min(errors, key=lambda alpha: errors[alpha])
    alone = fitted_ridge(train, best, **options)
    assert chosen.state()["alpha"] == best
    np.testing.assert_array_equal(chosen.predict(val), alone.predict(val))


def test_one_alpha_is_no_choice() -> None:
    assert set(fitted_ridge(windows(60), [0.5]).state()) == {"weight", "bias"}


def test_a_restored_ridge_predicts_the_same() -> None:
    train = windows(100)
    net = fitted_ridge(train, [1.0, 10.0])
    other = build({"name": "ridge", "alpha": [1.0, 10.0]}, Shape(2, 5, 3))
    other.restore(net.state())
    np.testing.assert_array_equal(other.predict(train), net.predict(train))


def test_nets_without_gradient_and_their_steps_do_not_load_torch() -> None:
    code = """
import sys
import pyheta.ops.fit, pyheta.ops.score
from pyheta.nets.registry import build
from pyheta.pipeline.windows import Shape
for name in ("last", "seasonal", "drift", "ridge"):
    build({"name": name}, Shape(1, 24, 1))
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
