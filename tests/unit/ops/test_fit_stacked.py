"""Fits stacked as on a GPU, here on a CPU: each step's outcome is its own."""

import gc
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import fit_params
from safetensors.numpy import load_file

from pyheta.device import VARIABLE, Device
from pyheta.errors import Diverged, StepError
from pyheta.nets.engines import stacked
from pyheta.nets.training.history import History
from pyheta.ops import fit_stacked as stacks
from pyheta.ops.fit import fit
from pyheta.ops.fit_stacked import fit_stacked
from pyheta.pipeline.data.synthetic import generate
from pyheta.steps import Cost
from pyheta.task import Result, Task

Trained = Iterator[tuple[int, History | Diverged]]
TRAIN = {"lr": 1e-3, "batch_size": 32, "epochs": 3}
MLP = {"name": "mlp", "hidden": [8], "dropout": 0.0}


@pytest.fixture
def tasks(tmp_path: Path) -> Callable[..., Task]:
    """Makes tasks on one table, each with a folder of its own."""
    numbers = count()
    table = tmp_path / "table.parquet"
    frame = generate(rows=400, seed=0)
    frame.with_columns(huge=frame["load"] * 1e30).write_parquet(table)

    def make(net: dict[str, Any] = MLP, exog: tuple[str, ...] = (), **changed: Any) -> Task:
        out = tmp_path / f"out-{next(numbers)}"
        out.mkdir()
        same = {"window": {"input": 12, "horizon": 2}, "train": TRAIN, "seed": 0}
        params = fit_params(net, exog, **(same | changed))
        return Task(params, {"load": {"table": table}}, out)

    return make


def weights(outcome: Result | Exception) -> dict[str, np.ndarray]:
    assert isinstance(outcome, Result), outcome
    return load_file(outcome.products["weights"])


def cost_of(outcome: Result | Exception) -> Cost:
    assert isinstance(outcome, Result), outcome
    assert outcome.cost is not None
    return outcome.cost


def assert_as_alone(outcome: Result | Exception, alone: Result) -> None:
    for name, expected in weights(alone).items():
        np.testing.assert_allclose(weights(outcome)[name], expected, atol=1e-4)


def test_what_can_be_stacked_is_and_the_rest_is_trained_beside_it(
    tasks: Callable[..., Task],
) -> None:
    # Given fits of two shapes, one with dropout, one without training, one whose window does not
    # fit
    kinds: list[dict[str, Any]] = [
        {"seed": 1},
        {"seed": 2},
        {"exog": ("leading",)},
        {"net": MLP | {"dropout": 0.3}},
        {"net": {"name": "ridge"}, "train": {}},
        {"window": {"input": 390, "horizon": 2}},
    ]

    # When they are fitted together
    outcomes = dict(fit_stacked([tasks(**kind) for kind in kinds]))

    # Then each has what it has alone, but for the one that cannot have anything
    assert outcomes.keys() == set(range(6))
    for lane in range(5):
        assert_as_alone(outcomes[lane], fit(tasks(**kinds[lane])))
    assert isinstance(outcomes[5], StepError)
    engines = [outcomes[lane].summary.get("engine") for lane in range(5)]
    assert engines == ["stacked", "stacked", "stacked", "torch", None]


def test_nets_of_one_stack_share_its_time_and_one_beside_it_has_its_own(
    tasks: Callable[..., Task],
) -> None:
    # Given two nets for a stack, of which one stops early, and one that cannot be stacked
    kinds: list[dict[str, Any]] = [
        {"train": TRAIN | {"epochs": 30}},
        {"train": TRAIN | {"epochs": 1}},
        {"net": {"name": "ridge"}, "train": {}},
    ]
    begin = time.perf_counter()

    outcomes = dict(fit_stacked([tasks(**kind) for kind in kinds]))
    elapsed = time.perf_counter() - begin

    # Then the shares say of how many they are, the longer one is larger, and all are not too much
    costs = [cost_of(outcomes[lane]) for lane in range(3)]
    assert [cost.shared for cost in costs] == [2, 2, 1]
    assert costs[0].wall_seconds > costs[1].wall_seconds
    assert sum(cost.wall_seconds for cost in costs) <= elapsed
    assert min(cost.peak_memory for cost in costs) > 0


def test_a_stack_that_memory_does_not_take_is_halved_until_it_does(
    tasks: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a device that takes two lanes at once
    train, sizes = stacked.train, []

    def small(lanes: Sequence[stacked.StackedNet], device: torch.device) -> Trained:
        sizes.append(len(lanes))
        if len(lanes) > 2:
            raise torch.OutOfMemoryError("no room")
        yield from train(lanes, device)

    monkeypatch.setattr(stacked, "train", small)

    # When five nets are to be trained
    kinds: list[dict[str, Any]] = [{"seed": seed} for seed in range(5)]
    outcomes = dict(fit_stacked([tasks(**kind) for kind in kinds]))

    # Then they are, in stacks that fit
    assert sizes == [5, 2, 3, 1, 2]
    for lane, kind in enumerate(kinds):
        assert_as_alone(outcomes[lane], fit(tasks(**kind)))


def test_a_net_that_memory_does_not_take_even_alone_fails_with_a_cure(
    tasks: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(lanes: Sequence[stacked.StackedNet], device: torch.device) -> Trained:
        yield from ()
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(stacked, "train", full)

    outcomes = dict(fit_stacked([tasks(seed=seed) for seed in range(2)]))

    for outcome in outcomes.values():
        assert isinstance(outcome, StepError)
        assert "does not fit into the memory" in str(outcome)
        assert "--device cpu" in str(outcome)


def test_a_device_that_fails_is_neither_halved_nor_taken_for_a_lanes_own_error(
    tasks: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a device that fails when one of three lanes is done
    train, sizes = stacked.train, []

    def failing(lanes: Sequence[stacked.StackedNet], device: torch.device) -> Trained:
        sizes.append(len(lanes))
        yield next(train(lanes, device))
        raise torch.AcceleratorError("CUDA error: unspecified launch failure")

    monkeypatch.setattr(stacked, "train", failing)
    outcomes = fit_stacked([tasks(seed=seed) for seed in range(3)])

    # Then that lane has its result, and the failure is of all that were on the device
    assert isinstance(next(outcomes)[1], Result)
    with pytest.raises(torch.AcceleratorError):
        next(outcomes)
    assert sizes == [3]


def test_a_lane_that_diverges_leaves_its_neighbours_alone(tasks: Callable[..., Task]) -> None:
    kinds: list[dict[str, Any]] = [{}, {"scale": "none", "exog": ("huge",)}, {"seed": 5}]

    outcomes = dict(fit_stacked([tasks(**kind) for kind in kinds]))

    assert isinstance(outcomes[1], Diverged)
    for lane in (0, 2):
        assert_as_alone(outcomes[lane], fit(tasks(**kinds[lane])))


OWN = """
from torch import nn

class Own(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.layer = nn.LSTM(shape.lookback, 4)
        self.head = nn.Linear(4, shape.targets * shape.horizon)
        self.forecast = nn.Unflatten(1, (shape.targets, shape.horizon))

    def forward(self, x):
        _, (hidden, _) = self.layer(x.transpose(0, 1))
        return self.forecast(self.head(hidden[-1]))
"""


def test_a_net_of_ones_own_is_never_stacked(
    tasks: Callable[..., Task], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a net whose forward nobody but its author knows
    (tmp_path / "own_in_a_stack.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    net = {"name": "own_in_a_stack:Own", "options": {}}

    outcomes = dict(fit_stacked([tasks(net=net), tasks(), tasks(net=net, seed=3)]))

    engines = [outcomes[lane].summary["engine"] for lane in range(3)]
    assert engines == ["torch", "stacked", "torch"]
    assert_as_alone(outcomes[2], fit(tasks(net=net, seed=3)))


def test_a_lane_whose_folder_has_gone_leaves_its_neighbours_alone(
    tasks: Callable[..., Task],
) -> None:
    # Given three fits, one of which was cancelled while it ran
    some = [tasks(seed=seed) for seed in range(3)]
    gone = replace(some[1], progress=lambda _: shutil.rmtree(some[1].out, ignore_errors=True))

    outcomes = dict(fit_stacked([some[0], gone, some[2]]))

    assert isinstance(outcomes[1], Exception)
    for lane in (0, 2):
        assert_as_alone(outcomes[lane], fit(tasks(seed=lane)))


def test_fits_are_made_ready_as_many_at_a_time_as_memory_holds(
    tasks: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    train, sizes = stacked.train, []

    def counted(lanes: Sequence[stacked.StackedNet], device: torch.device) -> Trained:
        sizes.append(len(lanes))
        yield from train(lanes, device)

    monkeypatch.setattr(stacked, "train", counted)
    one = 12 * 4 * 300 + 2 * 4 * 300
    monkeypatch.setattr(stacks, "BUDGET", int(1.5 * one))

    outcomes = dict(fit_stacked([tasks(seed=seed) for seed in range(5)]))

    assert sizes == [2, 2, 1]
    assert all(isinstance(outcome, Result) for outcome in outcomes.values())


@pytest.mark.slow
def test_a_stack_that_did_not_fit_is_given_back_before_the_next_try(
    tasks: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a device that takes one lane, and runs out in the middle of the first epoch
    alive = []

    def epoch(self: Any) -> Any:
        gc.collect()
        alive.append(sum(type(one) is stacked._Stack for one in gc.get_objects()))
        if len(self.active) > 1:
            raise torch.OutOfMemoryError("no room")
        return plain(self)

    plain = stacked._Stack.epoch
    monkeypatch.setattr(stacked._Stack, "epoch", epoch)

    outcomes = dict(fit_stacked([tasks(seed=seed) for seed in range(4)]))

    # Then no stack but the one at work is ever there
    assert all(isinstance(outcome, Result) for outcome in outcomes.values())
    assert set(alive) == {1}


def test_a_graphics_processor_that_is_not_there_is_said(
    tasks: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    if torch.cuda.is_available():
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv(VARIABLE, Device.CUDA)
    with pytest.raises(OSError, match="no GPU; start the worker with --device cpu"):
        fit(tasks())


def test_memory_that_cannot_be_had_is_said(
    tasks: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(*_: object) -> None:
        raise MemoryError("Unable to allocate 3 TiB")

    monkeypatch.setattr("pyheta.nets.gradient.GradientForecaster.fit", short)
    with pytest.raises(
        StepError, match=r"does not fit into memory: Unable to allocate 3 TiB; lower train"
    ):
        fit(tasks())
