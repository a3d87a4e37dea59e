"""Every loss, optimizer and schedule that a sweep may name is computed by every engine."""

from typing import get_args

import numpy as np
import pytest
import torch

from pyheta.nets.engines import stacked
from pyheta.nets.engines.autograd import MOMENTS, AutogradLearner
from pyheta.nets.engines.compiled import CompiledLearner
from pyheta.nets.engines.kernels import readiness, rules
from pyheta.nets.gradient import GradientForecaster
from pyheta.nets.registry import build
from pyheta.nets.training import loop
from pyheta.nets.training.history import History
from pyheta.nets.training.loop import Learner, TrainingRun
from pyheta.nets.training.losses import mean_loss
from pyheta.nets.training.options import (
    ONLY_WITH,
    LossName,
    OptimizerName,
    ScheduleName,
    Train,
)
from pyheta.nets.training.schedules import SCHEDULES, rates
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.windows import Shape, Windows, cut

SHAPE = Shape(channels=1, lookback=6, horizon=2)
NAMES = {"loss": LossName, "optimizer": OptimizerName, "schedule": ScheduleName}
CHOICES = [(option, name) for option, names in NAMES.items() for name in get_args(names)]


def windows(seed: int) -> Windows:
    series = np.random.default_rng(seed).normal(size=60).astype(np.float32)
    return cut([Channel(series)], (0, 60), SHAPE)


def chosen(option: str, name: str) -> Train:
    some = {"lr": 1e-4, "batch_size": 16, "epochs": 3, "step_epochs": 1, "weight_decay": 0.1}
    return Train.model_validate({**some, "huber_delta": 0.5, "quantile": 0.3, option: name})


def losses(learner: Learner, options: Train) -> np.ndarray:
    """The validation losses of a net that is trained by this learner."""
    return loop.train(learner, TrainingRun(options, len(windows(0)), 0), lambda _: None).val_loss


def new_net() -> GradientForecaster:
    net = build({"name": "nlinear"}, SHAPE)
    assert isinstance(net, GradientForecaster)
    return net


def stacked_losses(options: Train) -> np.ndarray:
    net = stacked.StackedNet(new_net().module, windows(0), windows(1), options, 0, lambda _: None)
    [(_, history)] = stacked.train([net], torch.device("cpu"))
    assert isinstance(history, History)
    return history.val_loss


@pytest.mark.parametrize(("option", "name"), CHOICES)
def test_every_engine_computes_it_alike(option: str, name: str) -> None:
    options, parts, net = chosen(option, name), (windows(0), windows(1)), new_net()
    assert net.program is not None
    readiness.load(net.program.kernel)

    compiled = losses(CompiledLearner(net.program, net.state(), *parts, options), options)
    in_stack = stacked_losses(options)
    alone = losses(AutogradLearner(net.module, *parts, options, seed=0, reads_rows=False), options)

    np.testing.assert_allclose(compiled, alone, rtol=1e-4)
    np.testing.assert_allclose(in_stack, alone, rtol=1e-4)


@pytest.mark.parametrize(("option", "name"), CHOICES)
def test_no_two_mean_the_same(option: str, name: str) -> None:
    def outcome(name: str) -> list[float]:
        options = chosen(option, name)
        forecast, truth = np.zeros((1, 1, 3)), np.array([[[0.1, -0.9, 2.0]]])
        steps = [*rates(options, 1, 2), *rates(options, 2, 2)]
        moved = new_net()
        moved.fit(windows(0), windows(1), options, lambda _: None)
        return [mean_loss(forecast, truth, options), *steps, *moved.state()["linear.weight"].flat]

    others = [other for other in get_args(NAMES[option]) if other != name]
    assert all(outcome(other) != outcome(name) for other in others)


def test_each_list_of_an_engine_has_the_names_that_sweeps_may_use() -> None:
    assert set(rules.LOSSES) == set(get_args(LossName))
    assert set(rules.OPTIMIZERS) == set(get_args(OptimizerName))
    assert set(MOMENTS) == set(get_args(OptimizerName))
    assert set(SCHEDULES) == set(get_args(ScheduleName))


@pytest.mark.parametrize("name", get_args(ScheduleName))
def test_a_schedule_says_whether_it_depends_on_the_number_of_epochs(name: ScheduleName) -> None:
    few, many = (
        rates(chosen("schedule", name).model_copy(update={"epochs": epochs}), 1, 2)
        for epochs in (3, 30)
    )
    assert SCHEDULES[name].depends_on_epochs == (few.tolist() != many.tolist())


@pytest.mark.parametrize("name", ONLY_WITH)
def test_an_option_that_matters_beside_a_value_names_one_that_there_is(name: str) -> None:
    condition = ONLY_WITH[name]
    assert condition.holds(Train.model_validate({condition.option: condition.value}))
