"""The compiled engine trains the same nets as torch's autograd does, whatever the options."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from builders import gradient_net
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from pyheta.errors import Diverged
from pyheta.nets.configs.union import config_of
from pyheta.nets.engines import compiled, programs
from pyheta.nets.engines.autograd import AutogradLearner
from pyheta.nets.engines.compiled import CompiledLearner
from pyheta.nets.engines.kernels import activations, readiness, tiny
from pyheta.nets.engines.kernels.averages import averaged, shared_out
from pyheta.nets.engines.kernels.products import multiply
from pyheta.nets.engines.kernels.rules import inverse
from pyheta.nets.engines.kernels.vectors import transpose
from pyheta.nets.engines.programs import Program
from pyheta.nets.gradient import GradientForecaster
from pyheta.nets.training import loop
from pyheta.nets.training.history import History
from pyheta.nets.training.loop import TrainingRun
from pyheta.nets.training.options import Train
from pyheta.nets.zoo.dlinear import moving_average
from pyheta.pipeline.arrays import Array
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.windows import Shape, Windows, cut

LSTM: dict[str, Any] = {"name": "lstm", "hidden": 16}
GRU: dict[str, Any] = {"name": "gru", "hidden": 16}
MLP: dict[str, Any] = {"name": "mlp", "hidden": [24, 16]}
DLINEAR: dict[str, Any] = {"name": "dlinear", "kernel": 4}
NLINEAR: dict[str, Any] = {"name": "nlinear"}
DLINEARS = [{"name": "dlinear", "kernel": kernel} for kernel in (1, 2, 25, 999)]
SEEING_ALL = [LSTM, GRU, MLP]  # channels
NETS = [*SEEING_ALL, DLINEAR, NLINEAR]


@pytest.fixture(scope="module", autouse=True)
def _kernels() -> None:
    for kernel in readiness.KERNELS:
        readiness.load(kernel)


def windows(shape: Shape, rows: int, seed: int) -> Windows:
    steps = np.random.default_rng(seed).normal(size=(shape.channels, rows))
    series = (steps.cumsum(axis=1) * 0.1).astype(np.float32)
    return cut(list(map(Channel, series)), (0, rows), shape)


def program_of(forecaster: GradientForecaster) -> Program:
    assert forecaster.program is not None
    return forecaster.program


def compiled_learner(
    forecaster: GradientForecaster, train: Windows, val: Windows, options: Train
) -> CompiledLearner:
    return CompiledLearner(program_of(forecaster), forecaster.state(), train, val, options)


def both(
    net: dict[str, Any], shape: Shape, options: Train, seed: int = 0
) -> Iterator[tuple[History, dict[str, Array]]]:
    """(history, state) of a whole training by the compiled engine, and by torch."""
    train, val = windows(shape, 200, seed), windows(shape, 90, seed + 1)
    for engine in ("compiled", "torch"):
        forecaster = gradient_net(net, shape, seed=seed)
        learner: CompiledLearner | AutogradLearner
        if engine == "compiled":
            learner = compiled_learner(forecaster, train, val, options)
        else:
            module = forecaster.module
            learner = AutogradLearner(module, train, val, options, seed=seed, reads_rows=False)
        run = TrainingRun(options, len(train), seed)
        history = loop.train(learner, run, lambda _: None)
        yield history, {name: np.array(weights) for name, weights in learner.state().items()}


def assert_same_training(
    net: dict[str, Any], shape: Shape, options: Train, tolerance: float
) -> None:
    (ours, weights), (theirs, expected) = both(net, shape, options)
    np.testing.assert_allclose(ours.val_loss, theirs.val_loss, rtol=tolerance)
    np.testing.assert_allclose(ours.train_loss, theirs.train_loss, rtol=tolerance)
    assert (ours.kept_epoch, ours.stopped) == (theirs.kept_epoch, theirs.stopped)
    assert weights.keys() == expected.keys()
    for name, values in weights.items():
        np.testing.assert_allclose(values, expected[name], atol=tolerance, err_msg=name)


@pytest.mark.parametrize("net", NETS, ids=lambda net: net["name"])
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"optimizer": "adam", "weight_decay": 0.05},
        {"optimizer": "adamw", "weight_decay": 0.3},
        {"optimizer": "sgd", "lr": 0.02, "weight_decay": 0.01},
        {"optimizer": "sgd", "lr": 0.02, "momentum": 0.0, "clip": 0.05},
        {"clip": 0.01},
        {"loss": "huber", "huber_delta": 0.1},
        {"schedule": "cosine"},
        {"schedule": "step", "step_epochs": 2, "step_factor": 0.3},
        {"schedule": "one_cycle"},
        {"shuffle": False},
        {"batch_size": 7},
        {"batch_size": 1000},
        {"epochs": 40, "patience": 2, "min_delta": 0.01},
    ],
    ids=str,
)
def test_every_option_means_the_same_to_both_engines(
    net: dict[str, Any], changed: dict[str, Any]
) -> None:
    options = Train(**{"lr": 0.003, "batch_size": 32, "epochs": 6, "patience": 6} | changed)
    assert_same_training(net, Shape(3, 5, 1), options, tolerance=2e-4)


@pytest.mark.parametrize("net", NETS, ids=lambda net: net["name"])
@pytest.mark.parametrize(
    "changed", [{"loss": "mae"}, {"loss": "quantile", "quantile": 0.2}], ids=str
)
def test_losses_with_a_kink_are_the_same_while_no_error_is_near_it(
    net: dict[str, Any], changed: dict[str, Any]
) -> None:
    """A last bit decides on which side of the kink an error is; from there trainings part."""
    options = Train(lr=1e-4, batch_size=32, epochs=2, patience=6, **changed)
    assert_same_training(net, Shape(2, 4, 1), options, tolerance=2e-4)


@pytest.mark.parametrize("net", NETS, ids=lambda net: net["name"])
@pytest.mark.parametrize(
    "shape",
    [
        Shape(1, 1, 1),
        Shape(1, 12, 1),
        Shape(7, 3, 24),
        Shape(4, 6, 5, targets=3),
        Shape(9, 2, 40, targets=2),
    ],
    ids=str,
)
def test_every_shape_is_the_same_to_both_engines(net: dict[str, Any], shape: Shape) -> None:
    options = Train(lr=0.003, batch_size=32, epochs=4, patience=6)
    assert_same_training(net, shape, options, tolerance=2e-4)


@pytest.mark.parametrize(
    "net",
    [
        {"name": "lstm", "hidden": 1},
        {"name": "lstm", "hidden": 33},
        {"name": "lstm", "hidden": 100},
        {"name": "gru", "hidden": 5},
        {"name": "gru", "hidden": 64},
        {"name": "mlp", "hidden": 3},
        {"name": "mlp", "hidden": [50, 20, 10, 5]},
    ],
    ids=str,
)
def test_every_width_is_the_same_to_both_engines(net: dict[str, Any]) -> None:
    options = Train(lr=0.003, batch_size=48, epochs=4, patience=6)
    assert_same_training(net, Shape(5, 4, 2), options, tolerance=2e-4)


@pytest.mark.parametrize(
    "net", [NLINEAR, *({"name": "dlinear", "kernel": n} for n in (1, 2, 25, 999))], ids=str
)
@pytest.mark.parametrize(
    "shape",
    [Shape(1, 8, 1), Shape(2, 40, 1, targets=2), Shape(2, 31, 33), Shape(4, 40, 21, targets=3)],
    ids=str,
)
def test_linear_nets_with_windows_shorter_and_longer_than_averages_are_the_same_to_both_engines(
    net: dict[str, Any], shape: Shape
) -> None:
    options = Train(lr=0.003, batch_size=48, epochs=4, patience=6)
    assert_same_training(net, shape, options, tolerance=2e-4)


def test_forecasts_are_those_of_the_module() -> None:
    for net in NETS:
        shape = Shape(4, 6, 5, targets=2)
        forecaster = gradient_net(net, shape)
        some = windows(shape, 700, seed=3)

        ours = compiled.forecast(program_of(forecaster), forecaster.state(), some)

        with torch.inference_mode():
            expected = forecaster.module(torch.from_numpy(some.inputs)).numpy()
        np.testing.assert_allclose(ours, expected, atol=2e-6)


def test_a_channel_of_zeros_changes_nothing() -> None:
    """So lanes with fewer exogenous columns fit into the shape of those with more."""
    for net in SEEING_ALL:
        forecaster = gradient_net(net, Shape(3, 4, 1))
        some = windows(Shape(3, 4, 1), 100, seed=0)
        some.inputs[:, 2] = 0
        options = Train(epochs=3)
        learner = compiled_learner(forecaster, some, some, options)
        before = learner.state()
        loop.train(learner, TrainingRun(options, len(some), 0), lambda _: None)
        after = learner.state()
        name = "layers.1.weight" if net is MLP else "recurrent.weight_ih_l0"
        unseen = slice(8, 12) if net is MLP else slice(2, 3)
        np.testing.assert_array_equal(after[name][:, unseen], before[name][:, unseen])
        assert np.abs(after[name][:, 0] - before[name][:, 0]).max() > 0


@pytest.mark.parametrize("net", [DLINEAR, NLINEAR], ids=lambda net: net["name"])
def test_linear_nets_do_not_look_at_exogenous_channels(net: dict[str, Any]) -> None:
    # Given windows that differ in what is not forecast, and others that differ in what is
    shape, options = Shape(3, 6, 2, targets=2), Train(epochs=2)
    some, elsewhere, unlike = (windows(shape, 100, seed=0) for _ in range(3))
    elsewhere.inputs[:, 2] += 1
    unlike.inputs[:, 1] += 1

    # When a net is trained with each
    states = []
    for part in (some, elsewhere, unlike):
        forecaster = gradient_net(net, shape)
        learner = compiled_learner(forecaster, part, part, options)
        loop.train(learner, TrainingRun(options, len(part), 0), lambda _: None)
        states.append(learner.state())

    # Then only the latter changes its weights
    for name, weights in states[0].items():
        np.testing.assert_array_equal(states[1][name], weights)
        assert (states[2][name] != weights).any()


def test_equal_trainings_are_equal_to_the_last_bit() -> None:
    options = Train(epochs=3)
    for net in NETS:
        first, second = (next(both(net, Shape(2, 3, 1), options))[1] for _ in range(2))
        for name, weights in first.items():
            np.testing.assert_array_equal(weights, second[name])


@pytest.mark.parametrize("net", NETS, ids=lambda net: net["name"])
def test_a_lane_that_diverges_says_so(net: dict[str, Any]) -> None:
    options = Train(lr=10.0, optimizer="sgd", epochs=50, patience=50, clip=None)
    shape = Shape(2, 3, 1)
    train = windows(shape, 200, 0)
    big = type(train)(train.inputs * 1e18, train.targets * 1e18, train.rows)
    forecaster = gradient_net(net, shape)
    learner = compiled_learner(forecaster, big, big, options)

    with pytest.raises(Diverged, match=r"the loss of epoch \d+ is not finite"):
        loop.train(learner, TrainingRun(options, len(big), 0), lambda _: None)


@pytest.mark.parametrize(
    "net",
    [
        {"name": "lstm", "layers": 2},
        {"name": "gru", "dropout": 0.1},
        {"name": "mlp", "dropout": 0.1},
        {"name": "lstm", "instance_norm": True},
        {"name": "mlp", "hidden": [2000, 2000]},
        {"name": "dlinear", "instance_norm": True},
        {"name": "nlinear", "instance_norm": True},
        {"name": "rlinear", "dropout": 0.0},
    ],
    ids=str,
)
def test_what_the_kernels_cannot_do_is_left_to_torch(net: dict[str, Any]) -> None:
    assert programs.program(config_of(net), Shape(2, 8, 1)) is None


@pytest.mark.parametrize(
    ("net", "largest", "too_large"),
    [
        ("nlinear", Shape(7, 336, 336, targets=7), Shape(7, 336, 720, targets=7)),
        ("dlinear", Shape(7, 1440, 720, targets=7), Shape(7, 2880, 720, targets=7)),
    ],
)
def test_linear_nets_whose_products_take_torch_no_longer_are_left_to_it(
    net: str, largest: Shape, too_large: Shape
) -> None:
    assert programs.program(config_of({"name": net}), largest)
    assert programs.program(config_of({"name": net}), too_large) is None


# ---- the kernels' arithmetic ---------------------------------------------------------------------


machine_code: Any = njit  # whose types know nothing of calls


@machine_code
def _multiply(out: Array, left: Array, right: Array, add: bool) -> None:
    multiply(out, left, right, add)


@machine_code
def _transpose(out: Array, matrix: Array) -> None:
    transpose(out, matrix)


@machine_code
def _averaged(out: Array, rows: Array, width: int) -> None:
    averaged(out, rows, width)


@machine_code
def _shared_out(out: Array, rows: Array, width: int) -> None:
    shared_out(out, rows, width)


@machine_code
def _halves(x: Array, flushed: int) -> None:
    before = tiny.flush() if flushed else 0
    for _ in range(100):
        x *= np.float32(0.5)
    if flushed:
        tiny.restore(before)


def test_tiny_numbers_are_zero_in_a_kernel_and_as_ever_after_it() -> None:
    # Given numbers that a hundred halves bring below what float32 has in full precision
    flushed, kept = (np.full(64, 2.0**-40, np.float32) for _ in range(2))

    _halves(flushed, 1)
    _halves(kept, 0)

    # Then they are zero where they are flushed, and only there
    assert flushed.max() == 0 or not tiny.X86
    assert kept.min() > 0
    assert np.float32(2.0**-120) * np.float32(2.0**-20) > 0


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(st.integers(1, 420), st.integers(0, 300), st.integers(1, 70), st.booleans(), st.booleans())
def test_products_are_numpys(rows: int, terms: int, columns: int, turned: bool, add: bool) -> None:
    random = np.random.default_rng([rows, terms, columns])
    left = random.normal(size=(terms, rows) if turned else (rows, terms)).astype(np.float32)
    left = left.T if turned else left
    right = random.normal(size=(terms, columns)).astype(np.float32)
    around = random.normal(size=(rows + 2, columns + 40)).astype(np.float32)
    before = around.copy()
    out = around[1:-1, 3 : 3 + columns]
    exact = left.astype(np.float64) @ right.astype(np.float64) + (out if add else 0)

    _multiply(out, left, right, add)

    np.testing.assert_allclose(out, exact, atol=1e-5 * (1 + terms) ** 0.5)
    around[1:-1, 3 : 3 + columns] = before[1:-1, 3 : 3 + columns]
    np.testing.assert_array_equal(around, before)  # nothing else was written to


@settings(deadline=None)
@given(st.integers(1, 70), st.integers(1, 70))
def test_transposes_are_numpys(rows: int, columns: int) -> None:
    matrix = np.random.default_rng(0).normal(size=(rows, columns)).astype(np.float32)
    out = np.empty((columns, rows), np.float32)

    _transpose(out, matrix)

    np.testing.assert_array_equal(out, matrix.T)


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 20), st.integers(1, 90))
def test_averages_are_those_of_the_module_and_what_they_share_out_its_transpose(
    count: int, columns: int, width: int
) -> None:
    # Given the module's average as a matrix
    matrix = moving_average(torch.eye(count)[None], width)[0].numpy().T
    rows = (
        np.random.default_rng([count, columns])
        .normal(100, 1, size=(count, columns))
        .astype(np.float32)
    )
    means, shares = (np.empty_like(rows) for _ in range(2))

    _averaged(means, rows, width)
    _shared_out(shares, rows, width)

    np.testing.assert_allclose(means, matrix @ rows, rtol=2e-6)
    np.testing.assert_allclose(shares, matrix.T @ rows, rtol=4e-6)


def test_what_has_left_an_average_leaves_no_trace() -> None:
    rows = np.ones((50, 1), np.float32)
    rows[10] = 1e7
    means = np.empty_like(rows)

    _averaged(means, rows, 5)

    np.testing.assert_allclose(means[13:], 1, rtol=1e-6)


def test_inverses_are_right_to_float32_and_of_infinity_nothing() -> None:
    x = np.concatenate([np.logspace(-8, 36, 44_001), [1e38, np.inf]]).astype(np.float32)

    got = np.array([inverse(value) for value in x])

    np.testing.assert_allclose(got[:-2], 1 / x[:-2].astype(np.float64), rtol=2e-7)
    assert got[-2:].tolist() == [0, 0]


def test_activations_are_right_to_float32_and_keep_nan() -> None:
    x = np.concatenate(
        [np.linspace(-100, 100, 40_001), [-1e30, 1e30, np.inf, -np.inf, 0.0, np.nan]]
    )
    one, other, third, fourth = (x.astype(np.float32).copy() for _ in range(4))
    exact = x.astype(np.float32).astype(np.float64)
    with np.errstate(over="ignore"):
        sigmoid = 1 / (1 + np.exp(-exact))

    activations.sigmoids(one, other)
    activations.sigmoid_and_tanh(third, fourth)

    for got, expected in (
        (one, sigmoid),
        (other, sigmoid),
        (third, sigmoid),
        (fourth, np.tanh(exact)),
    ):
        np.testing.assert_allclose(got, expected, atol=2e-7)
