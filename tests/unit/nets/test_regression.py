"""The two forms of ridge regression are one: with fewer windows than regressors, too."""

from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyheta.errors import StepError
from pyheta.nets.registry import build
from pyheta.nets.training.options import Train
from pyheta.nets.zoo import regression, ridge
from pyheta.nets.zoo.regression import Blocks, Dual, Primal
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.windows import Shape, Windows, cut

ALPHAS = (0.01, 1.0, 30.0)


def blocks_of(x: Floats, y: Floats, size: int) -> Blocks:
    return lambda: ((x[at : at + size], y[at : at + size]) for at in range(0, len(x), size))


@settings(deadline=None, max_examples=50)
@given(
    rows=st.integers(2, 30),
    regressors=st.integers(1, 60),
    responses=st.integers(1, 4),
    size=st.integers(1, 40),
    held=st.sampled_from([0, regression.HELD]),
    seed=st.integers(0, 1000),
)
def test_the_dual_has_the_weights_and_the_errors_of_the_primal(
    *, rows: int, regressors: int, responses: int, size: int, held: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(rows, regressors)), rng.normal(size=(rows, responses))
    x[:, rng.random(regressors) < 0.2] = 0  # as a column is that is constant in training
    train = blocks_of(x - x.mean(axis=0), y - y.mean(axis=0), size)
    val = blocks_of(rng.normal(size=(7, regressors)), rng.normal(size=(7, responses)), size)

    with patch.object(regression, "HELD", held):
        dual = Dual.of(train, (regressors, responses))
    primal = Primal.of(train, (regressors, responses))

    assert dual.solver.rank == primal.solver.rank
    for alpha in ALPHAS:
        np.testing.assert_allclose(dual.weight(alpha), primal.weight(alpha), rtol=0, atol=1e-8)
    np.testing.assert_allclose(dual.errors(val, ALPHAS), primal.errors(val, ALPHAS), rtol=1e-8)


def wide(seed: int, rows: int = 26) -> Windows:
    """7 windows of 18 rows: fewer than regressors, also where two targets share them."""
    series = 5 + np.random.default_rng(seed).normal(size=(6, rows)).cumsum(axis=1)
    return cut(list(map(Channel, series)), (0, rows), Shape(6, 18, 2, 2))


@pytest.mark.parametrize("alpha", [[0.1], [1e-3, 0.1, 10.0, 1e3]])
@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("instance_norm", [False, True])
@pytest.mark.parametrize("window_std", [False, True])
@pytest.mark.parametrize("cells", [1, ridge.BLOCK_CELLS])  # a window at a time, and all of them
def test_a_wide_ridge_is_the_one_that_has_an_equation_for_each_regressor(
    *, alpha: list[float], per_channel: bool, instance_norm: bool, window_std: bool, cells: int
) -> None:
    train, val = wide(0), wide(1)
    options = {
        "per_channel": per_channel,
        "instance_norm": instance_norm,
        "window_std": window_std,
    }
    config: dict[str, Any] = {"name": "ridge", "alpha": alpha, **options}
    net, oracle = (build(config, Shape(6, 18, 2, 2)) for _ in range(2))

    with patch.object(ridge, "BLOCK_CELLS", cells):
        net.fit(train, val, Train(), lambda _: None)
    with patch.object(ridge, "Dual", Primal):
        oracle.fit(train, val, Train(), lambda _: None)

    assert net.state().keys() == oracle.state().keys()
    for name, expected in oracle.state().items():
        np.testing.assert_allclose(net.state()[name], expected, rtol=0, atol=1e-8)


def test_a_wide_ridge_without_penalty_has_no_single_solution() -> None:
    net = build({"name": "ridge", "alpha": 0.0, "instance_norm": True}, Shape(6, 18, 2, 2))

    with pytest.raises(StepError, match="no single solution"):
        net.fit(wide(0), wide(1), Train(), lambda _: None)
