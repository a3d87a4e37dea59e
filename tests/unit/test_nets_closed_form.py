"""Naive forecasts and ridge regression, against their definitions. None of them may load torch."""

import subprocess
import sys

import numpy as np
import pytest

from pyheta.errors import StepError
from pyheta.nets.configs import NETS
from pyheta.nets.registry import CLASSES, build
from pyheta.nets.ridge import BLOCK
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.windows import Shape, Windows, cut

OPTIONS: dict = {}


def ignore(_) -> None:
    """A progress that nobody follows."""


def windows(rows: int, channels: int = 2, lookback: int = 5, horizon: int = 3) -> Windows:
    series = np.random.default_rng(0).normal(size=(channels, rows))
    return cut(list(map(Channel, series)), (0, rows), Shape(channels, lookback, horizon))


def fitted_ridge(train: Windows, alpha: float):
    _, channels, lookback = train.inputs.shape
    net = build({"name": "ridge", "alpha": alpha}, Shape(channels, lookback, train.targets.shape[1]))
    assert net.fit(train, train, OPTIONS, ignore) is None
    return net


def test_every_net_that_can_be_configured_can_be_built():
    assert set(CLASSES) == set(NETS)


def test_last_repeats_the_last_known_value():
    net = build({"name": "last"}, Shape(channels=1, lookback=1, horizon=3))
    forecast = net.predict(np.array([[[4.0]], [[7.0]]]))
    assert forecast.tolist() == [[4, 4, 4], [7, 7, 7]]


@pytest.mark.parametrize(
    ("lookback", "horizon", "expected"),
    [(3, 2, [7, 8]), (3, 5, [7, 8, 9, 7, 8]), (5, 3, [7, 8, 9])],
)
def test_seasonal_repeats_the_last_known_season(lookback, horizon, expected):
    net = build({"name": "seasonal", "period": 3}, Shape(1, lookback, horizon))
    past = np.arange(10.0)[None, None, -lookback:]
    assert net.predict(past).tolist() == [expected]


def test_seasonal_is_exact_on_a_series_of_that_season():
    series = np.tile(np.arange(24.0), 10)[None]
    season = cut(list(map(Channel, series)), (0, 240), Shape(1, 24, 30))
    net = build({"name": "seasonal", "period": 24}, Shape(1, 24, 30))
    np.testing.assert_array_equal(net.predict(season.inputs), season.targets)


def test_nets_that_learn_nothing_have_no_state():
    assert build({"name": "last"}, Shape(1, 1, 1)).state() == {}


@pytest.mark.parametrize("alpha", [0.0, 1e-3, 10.0])
@pytest.mark.parametrize("rows", [60, BLOCK + 100])  # in one block and in several
def test_ridge_is_the_least_squares_of_the_padded_system(alpha, rows):
    train = windows(rows)
    flat = train.inputs.reshape(len(train), -1)
    mean_x, mean_y = flat.mean(axis=0), train.targets.mean(axis=0)
    penalty = np.sqrt(alpha) * np.eye(flat.shape[1])
    padded = np.vstack([flat - mean_x, penalty])
    targets = np.vstack([train.targets - mean_y, np.zeros((flat.shape[1], 3))])
    oracle, *_ = np.linalg.lstsq(padded, targets, rcond=None)

    net = fitted_ridge(train, alpha)

    np.testing.assert_allclose(net.state()["weight"], oracle, rtol=1e-7, atol=1e-10)
    expected = mean_y + (flat - mean_x) @ oracle
    np.testing.assert_allclose(net.predict(train.inputs), expected, atol=1e-10)


def test_the_intercept_of_ridge_is_not_penalised():
    train = windows(100)
    shifted = Windows(train.inputs + 5, train.targets + 1000, train.rows)

    plain, moved = fitted_ridge(train, 1e3), fitted_ridge(shifted, 1e3)

    expected = plain.predict(train.inputs) + 1000
    np.testing.assert_allclose(moved.predict(shifted.inputs), expected, atol=1e-8)


def test_ridge_without_penalty_refuses_a_constant_column():
    series = np.vstack([np.random.default_rng(0).normal(size=50), np.zeros(50)])
    train = cut(list(map(Channel, series)), (0, 50), Shape(2, 3, 1))
    with pytest.raises(StepError, match=r"no single solution; set net\.alpha above 0"):
        fitted_ridge(train, 0.0)
    assert np.isfinite(fitted_ridge(train, 1e-3).predict(train.inputs)).all()


def test_a_restored_ridge_predicts_the_same():
    train = windows(100)
    net = fitted_ridge(train, 1.0)
    other = build({"name": "ridge", "alpha": 1.0}, Shape(2, 5, 3))
    other.restore(net.state())
    np.testing.assert_array_equal(other.predict(train.inputs), net.predict(train.inputs))


def test_nets_without_gradient_and_their_steps_do_not_load_torch():
    code = """
import sys
import pyheta.nets.fit, pyheta.nets.score
from pyheta.nets.registry import build
from pyheta.pipeline.windows import Shape
for name in ("last", "seasonal", "ridge"):
    build({"name": name}, Shape(1, 24, 1))
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
