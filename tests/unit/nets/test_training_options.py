"""What each training option says of itself beside its range."""

import pytest

from pyheta.nets.training.options import EXTENT, LIMITS, ONLY_WITH, PER_NET, Train

FAR_OFF = {  # no default, and beside a value with which none of them matters
    "lr": 0.5,
    "momentum": 0.1,
    "step_epochs": 3,
    "step_factor": 0.5,
    "huber_delta": 2.0,
    "quantile": 0.9,
    "patience": 7,
    "min_delta": 0.5,
}
BESIDE = [
    {"find_lr": False, "lr": 0.5},
    {"optimizer": "sgd", "momentum": 0.1},
    {"schedule": "step", "step_epochs": 3, "step_factor": 0.5},
    {"loss": "huber", "huber_delta": 2.0},
    {"loss": "quantile", "quantile": 0.9},
    {"weights": "best", "patience": 7, "min_delta": 0.5},
]


def test_options_that_cannot_matter_are_at_their_defaults() -> None:
    others = {"find_lr": True, "optimizer": "adamw", "loss": "mae", "weights": "last"}

    assert Train.model_validate(others | FAR_OFF).reduced() == Train.model_validate(others)
    assert FAR_OFF.keys() == ONLY_WITH.keys()


@pytest.mark.parametrize("options", BESIDE, ids=str)
def test_options_that_matter_stay(options: dict[str, object]) -> None:
    train = Train.model_validate(options)

    assert train.reduced() == train


def test_nets_of_one_bundle_may_differ_in_what_no_batch_and_no_formula_depends_on() -> None:
    limits = {"epochs", "patience"}
    numbers = {"lr", "weight_decay", "clip", "min_delta"}

    assert set(LIMITS) == limits
    assert set(EXTENT) == limits | {"resumable"}
    assert set(PER_NET) == limits | numbers | {"weights", "resumable"}
