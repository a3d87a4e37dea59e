"""Nets that are trained as one stack become what each would have become alone."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from builders import gradient_net

from pyheta.errors import Diverged
from pyheta.nets.engines import stacked
from pyheta.nets.engines.autograd import AutogradLearner
from pyheta.nets.training import loop
from pyheta.nets.training.history import History
from pyheta.nets.training.loop import TrainingRun
from pyheta.nets.training.options import Train
from pyheta.pipeline.arrays import Array
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.windows import Shape, Windows, cut

CPU = torch.device("cpu")
SHAPE = Shape(3, 24, 4, targets=2)
NETS = [
    {"name": "lstm", "hidden": 6},
    {"name": "lstm", "hidden": 5, "layers": 2, "instance_norm": True},
    {"name": "gru", "hidden": 6},
    {"name": "mlp", "hidden": [10]},
    {"name": "tcn", "channels": 4, "levels": 2},
    {"name": "nhits", "hidden": 16},
    {"name": "dlinear"},
    {"name": "nlinear"},
    {"name": "tsmixer", "dropout": 0.0},
    {"name": "tide", "dropout": 0.0},
    {"name": "sparsetsf", "period": 6},
    {"name": "itransformer", "width": 16, "heads": 2, "feed_forward": 16, "dropout": 0.0},
]
PLAIN = {"name": "mlp", "hidden": [8]}


def windows(seed: int, rows: int, scale: float = 1.0, shape: Shape = SHAPE) -> Windows:
    steps = np.random.default_rng(seed).normal(size=(shape.channels, rows)).cumsum(axis=1)
    return cut(
        [Channel(series.astype(np.float32)) for series in steps * 0.1 * scale], (0, rows), shape
    )


def options(**changed: Any) -> Train:
    return Train(**{"lr": 0.001, "batch_size": 16, "epochs": 4, "patience": 4} | changed)


def lane(
    net: dict[str, Any],
    seed: int,
    data: int = 0,
    *,
    progress: Callable[..., Any] = lambda _: None,
    scale: float = 1,
    shape: Shape = SHAPE,
    **changed: Any,
) -> stacked.StackedNet:
    module = gradient_net(net, shape, seed=seed).module
    parts = windows(data, 120, scale, shape), windows(data + 50, 70, scale, shape)
    return stacked.StackedNet(module, *parts, options(**changed), seed, progress)


def alone(
    net: dict[str, Any], seed: int, data: int = 0, shape: Shape = SHAPE, **changed: Any
) -> tuple[History, Mapping[str, Array]]:
    module = gradient_net(net, shape, seed=seed).module
    chosen = options(**changed)
    train, val = windows(data, 120, shape=shape), windows(data + 50, 70, shape=shape)
    learner = AutogradLearner(module, train, val, chosen, seed=seed, reads_rows=False)
    run = TrainingRun(chosen, len(train), seed)
    return loop.train(learner, run, lambda _: None), learner.state()


def assert_same(
    one: stacked.StackedNet,
    history: History | Diverged,
    expected: tuple[History, Mapping[str, Array]],
    tolerance: float = 1e-3,
) -> None:
    assert isinstance(history, History)
    theirs, weights = expected
    np.testing.assert_allclose(history.val_loss, theirs.val_loss, rtol=tolerance)
    np.testing.assert_allclose(history.train_loss, theirs.train_loss, rtol=tolerance)
    assert (history.kept_epoch, history.stopped) == (theirs.kept_epoch, theirs.stopped)
    for name, values in one.module.state_dict().items():
        np.testing.assert_allclose(values, weights[name], atol=tolerance, err_msg=name)


@pytest.mark.parametrize("net", NETS, ids=lambda net: f"{net['name']}-{len(net)}")
def test_every_lane_becomes_what_it_becomes_alone(net: dict[str, Any]) -> None:
    # Given lanes that differ in seed, data, learning rate, decay and end, two of which read the
    # same data
    own: list[dict[str, Any]] = [
        {"seed": 0, "data": 0},
        {"seed": 1, "data": 0, "lr": 0.002},
        {"seed": 2, "data": 7, "weight_decay": 0.1},
        {"seed": 3, "data": 7, "weights": "last"},
    ]
    lanes = [lane(net, **each) for each in own]
    assert all(stacked.stackable(one.module) for one in lanes)

    # When they are trained as one stack
    outcomes = dict(stacked.train(lanes, CPU))

    # Then each is what torch's autograd makes of it alone
    assert outcomes.keys() == {0, 1, 2, 3}
    for place, each in enumerate(own):
        assert outcomes[place].engine == "stacked"
        assert_same(lanes[place], outcomes[place], alone(net, **each))


@pytest.mark.parametrize(
    "changed",
    [
        {"optimizer": "adamw", "weight_decay": 0.3},
        {"optimizer": "sgd", "lr": 0.05, "momentum": 0.5, "weight_decay": 0.01},
        {"clip": 0.02},
        {"loss": "huber", "huber_delta": 0.2},
        {"loss": "quantile", "quantile": 0.3, "lr": 1e-4},
        {"schedule": "cosine"},
        {"schedule": "one_cycle"},
        {"shuffle": False},
        {"batch_size": 1000},
    ],
    ids=str,
)
def test_every_option_means_the_same(changed: dict[str, Any]) -> None:
    lanes = [lane(PLAIN, seed, **changed) for seed in range(3)]
    outcomes = dict(stacked.train(lanes, CPU))
    for seed, one in enumerate(lanes):
        assert_same(one, outcomes[seed], alone(PLAIN, seed, **changed))


@pytest.mark.parametrize(
    "net",
    [
        {"name": "lstm", "hidden": 5, "layers": 2},
        {"name": "gru", "hidden": 5, "instance_norm": True},
        {"name": "mlp", "hidden": [9]},
        {"name": "mlp", "hidden": [9], "instance_norm": True},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "changed", [{}, {"optimizer": "adamw", "weight_decay": 0.3, "clip": 0.05}], ids=str
)
def test_lanes_may_read_different_columns(net: dict[str, Any], changed: dict[str, Any]) -> None:
    # Given nets of one kind that read three, one, five and three columns
    shapes = [Shape(channels, 24, 4) for channels in (3, 1, 5, 3)]
    lanes = [lane(net, seed, shape=shape, **changed) for seed, shape in enumerate(shapes)]

    # When they are trained as one stack
    outcomes = dict(stacked.train(lanes, CPU))

    # Then each has become what it becomes alone, in its own shape
    for seed, (one, shape) in enumerate(zip(lanes, shapes, strict=True)):
        assert_same(one, outcomes[seed], alone(net, seed, shape=shape, **changed))


def test_products_in_bfloat16_are_those_of_a_net_alone() -> None:
    lanes = [lane(PLAIN, seed, precision="bfloat16") for seed in range(3)]
    outcomes = dict(stacked.train(lanes, CPU))
    for seed, one in enumerate(lanes):
        assert_same(one, outcomes[seed], alone(PLAIN, seed, precision="bfloat16"), tolerance=0.02)


def test_lanes_end_at_their_own_time_and_the_others_go_on() -> None:
    own: list[dict[str, Any]] = [
        {"epochs": 2},
        {"epochs": 9, "patience": 9},
        {"epochs": 40, "patience": 1, "lr": 0.05},
        {"epochs": 5},
    ]
    lanes = [lane(PLAIN, seed, **each) for seed, each in enumerate(own)]

    order, outcomes = [], {}
    for place, outcome in stacked.train(lanes, CPU):
        order.append(place)
        outcomes[place] = outcome

    assert order.index(0) < order.index(3) < order.index(1)
    for seed, (one, each) in enumerate(zip(lanes, own, strict=True)):
        assert_same(one, outcomes[seed], alone(PLAIN, seed, **each))


def test_a_lane_that_diverges_leaves_its_neighbours_alone() -> None:
    lanes = [lane(PLAIN, 0), lane(PLAIN, 1, scale=1e25), lane(PLAIN, 2)]

    outcomes = dict(stacked.train(lanes, CPU))

    assert isinstance(outcomes[1], Diverged)
    for place in (0, 2):
        assert_same(lanes[place], outcomes[place], alone(PLAIN, place))


def test_progress_is_each_lanes_own() -> None:
    told: dict[int, list[int]] = {0: [], 1: []}
    lanes = [
        lane(
            PLAIN,
            seed,
            epochs=2 + seed,
            progress=lambda news, seed=seed: told[seed].append(news["epoch"]),
        )
        for seed in told
    ]
    list(stacked.train(lanes, CPU))
    assert told == {0: [1, 2], 1: [1, 2, 3]}


@pytest.mark.parametrize(
    "net",
    [{"name": "patchtst", "patch": 8}, {"name": "mlp", "dropout": 0.2}, {"name": "rlinear"}],
    ids=str,
)
def test_nets_that_would_hear_of_each_other_are_not_stacked(net: dict[str, Any]) -> None:
    assert not stacked.stackable(gradient_net(net, SHAPE).module)
