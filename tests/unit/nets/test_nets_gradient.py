"""Nets that are trained by gradient, and their training."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import pytest
import torch
from builders import gradient_net
from torch import nn

from pyheta.errors import Diverged
from pyheta.nets.configs.feedforward import MLPConfig
from pyheta.nets.configs.recurrent import LSTMConfig
from pyheta.nets.engines import autograd
from pyheta.nets.engines.autograd import AutogradLearner
from pyheta.nets.gradient import GradientForecaster
from pyheta.nets.registry import build
from pyheta.nets.training import learning_rate, loop, schedules
from pyheta.nets.training.history import History
from pyheta.nets.training.loop import TrainingRun
from pyheta.nets.training.losses import mean_loss
from pyheta.nets.training.options import Train
from pyheta.nets.training.stopping import EarlyStopping
from pyheta.nets.zoo.lstm import LSTM
from pyheta.nets.zoo.mlp import MLP
from pyheta.pipeline.arrays import Array
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.windows import Shape, Windows, cut

SHAPE = Shape(channels=2, lookback=6, horizon=3)


def options(**changed: Any) -> Train:
    return Train(**{"lr": 1e-2, "batch_size": 16, "epochs": 3, "patience": 3} | changed)


def windows(rows: int = 80, seed: int = 0) -> Windows:
    series = np.random.default_rng(seed).normal(size=(2, rows)).astype(np.float32)
    return cut(list(map(Channel, series)), (0, rows), SHAPE)


def fitted(
    net: dict[str, Any],
    seed: int = 0,
    progress: Callable[..., Any] = lambda _: None,
    **changed: Any,
) -> tuple[GradientForecaster, History]:
    forecaster = gradient_net(net, SHAPE, seed=seed)
    history = forecaster.fit(windows(), windows(seed=1), options(**changed), progress)
    assert history is not None
    return forecaster, history


def equal(a: Mapping[str, Array], b: Mapping[str, Array]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a.values(), b.values(), strict=True))


def test_the_lstm_is_torchs_own_with_a_linear_head_on_the_last_hidden_state() -> None:
    net = LSTM(LSTMConfig(hidden=5, layers=2), SHAPE).eval()
    oracle = nn.LSTM(2, 5, 2)
    oracle.load_state_dict(net.recurrent.state_dict())
    x = torch.randn(4, 2, 6)

    _, (hidden, _) = oracle(x.permute(2, 0, 1))

    expected = hidden[-1] @ net.head.weight.T + net.head.bias
    torch.testing.assert_close(net(x)[:, 0], expected)


def test_the_mlp_is_its_formula() -> None:
    net = MLP(MLPConfig(hidden=(4, 7)), SHAPE).eval()
    x = torch.randn(5, 2, 6)
    (w1, b1, w2, b2, w3, b3) = net.parameters()

    hidden = (x.reshape(5, 12) @ w1.T + b1).clamp(min=0)
    hidden = (hidden @ w2.T + b2).clamp(min=0)

    torch.testing.assert_close(net(x)[:, 0], hidden @ w3.T + b3)


@pytest.mark.parametrize("net", [{"name": "lstm"}, {"name": "mlp", "hidden": [32, 16]}])
def test_dropout_acts_in_training_and_never_in_prediction(net: dict[str, Any]) -> None:
    forecaster = gradient_net(net | {"dropout": 0.5}, SHAPE)
    np.testing.assert_array_equal(forecaster.predict(windows()), forecaster.predict(windows()))

    forecaster.module.train()
    batch = torch.from_numpy(windows().inputs)
    assert not torch.equal(forecaster.module(batch), forecaster.module(batch))


@pytest.mark.parametrize("layers", [1, 2])
def test_an_lstm_with_dropout_is_built_for_any_number_of_layers(layers: int) -> None:
    forecaster = gradient_net({"name": "lstm", "layers": layers, "dropout": 0.3}, SHAPE)
    assert forecaster.predict(windows()).shape == (len(windows()), 1, 3)


@pytest.mark.parametrize("net", [{"name": "lstm", "hidden": 32}, {"name": "mlp", "hidden": [64]}])
def test_a_net_can_learn_one_batch_by_heart(net: dict[str, Any]) -> None:
    _, history = fitted(net, epochs=400, patience=400, batch_size=100)
    assert history.train_loss[0] > 0.5
    assert history.train_loss[-1] < 0.05


@pytest.mark.parametrize("net", [{"name": "lstm", "dropout": 0.2}, {"name": "mlp", "dropout": 0.2}])
def test_the_seed_decides_everything_and_nothing_else_does(net: dict[str, Any]) -> None:
    first, history = fitted(net, seed=3)
    torch.manual_seed(99)
    torch.rand(5)
    second, again = fitted(net, seed=3)
    other, _ = fitted(net, seed=4)

    assert equal(first.state(), second.state())
    np.testing.assert_array_equal(history.val_loss, again.val_loss)
    assert not equal(first.state(), other.state())


def test_training_leaves_the_random_numbers_of_others_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fitted({"name": "mlp"})
    torch.testing.assert_close(torch.rand(3), expected)


def test_without_shuffling_the_windows_keep_their_order() -> None:
    fixed, _ = fitted({"name": "mlp"}, shuffle=False)
    mixed, _ = fitted({"name": "mlp"}, shuffle=True)
    assert not equal(fixed.state(), mixed.state())


def examples(count: int, inputs: int) -> Windows:
    """Windows of one channel that a linear layer forecasts."""
    random = np.random.default_rng(0)
    x, y = (random.normal(size=(count, 1, width)).astype(np.float32) for width in (inputs, 2))
    return Windows(x, y, np.arange(count))


def learner(net: nn.Module, some: Windows, chosen: Train) -> AutogradLearner:
    return AutogradLearner(net, some, some, chosen, seed=0, reads_rows=False)


def train(net: nn.Module, some: Windows, chosen: Train) -> History:
    mine = learner(net, some, chosen)
    return loop.train(mine, TrainingRun(chosen, len(some), 0), lambda _: None)


OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": lambda weights: torch.optim.Adam(weights, 0.1, weight_decay=0.2),
    "adamw": lambda weights: torch.optim.AdamW(weights, 0.1, weight_decay=0.2),
    "sgd": lambda weights: torch.optim.SGD(weights, 0.1, momentum=0.7, weight_decay=0.2),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_one_epoch_is_one_step_of_torchs_optimizer_per_batch(optimizer: Any) -> None:
    torch.manual_seed(0)
    net, oracle = nn.Linear(4, 2), nn.Linear(4, 2)
    oracle.load_state_dict(net.state_dict())
    some = examples(10, 4)
    x, y = torch.from_numpy(some.inputs), torch.from_numpy(some.targets)
    stepper = OPTIMIZERS[optimizer](oracle.parameters())
    losses = []
    for rows in (slice(0, 4), slice(4, 8), slice(8, 10)):  # the short last batch too
        loss = (oracle(x[rows]) - y[rows]).square().mean()
        stepper.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(oracle.parameters(), 0.3)
        stepper.step()
        losses += [loss.item()] * len(x[rows])

    chosen = Train(
        optimizer=optimizer,
        lr=0.1,
        momentum=0.7,
        weight_decay=0.2,
        clip=0.3,
        batch_size=4,
        epochs=1,
        shuffle=False,
    )
    history = train(net, some, chosen)

    torch.testing.assert_close(net.weight, oracle.weight)
    assert history.train_loss[0] == pytest.approx(np.mean(losses), rel=1e-6)
    assert history.val_loss[0] == pytest.approx((oracle(x) - y).square().mean().item(), rel=1e-6)
    assert history.engine == "torch"


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "quantile"])
def test_a_loss_on_training_and_on_validation_is_the_same_number(loss: Any) -> None:
    chosen = Train(loss=loss, huber_delta=0.4, quantile=0.3, batch_size=100, lr=1e-20, epochs=1)
    history = train(nn.Linear(4, 2), examples(10, 4), chosen)
    assert history.train_loss[0] == pytest.approx(history.val_loss[0], rel=1e-6)


def test_losses_of_hand_made_errors() -> None:
    forecast, truth = (
        np.array([[[0.0, 3.0]]]),
        np.array([[[1.0, 1.0]]]),
    )  # one short by 1, one too high by 2

    def loss(**chosen: Any) -> float:
        return mean_loss(forecast, truth, Train(**chosen))

    assert loss(loss="mse") == pytest.approx((1 + 4) / 2)
    assert loss(loss="mae") == pytest.approx((1 + 2) / 2)
    assert loss(loss="huber", huber_delta=1.0) == pytest.approx((0.5 + 1.5) / 2)
    assert loss(loss="quantile", quantile=0.9) == pytest.approx((0.9 * 1 + 0.1 * 2) / 2)


@pytest.mark.parametrize(
    ("changed", "scheduler"),
    [
        ({"schedule": "constant"}, lambda o: torch.optim.lr_scheduler.ConstantLR(o, 1.0)),
        (
            {"schedule": "step", "step_epochs": 2, "step_factor": 0.3},
            lambda o: torch.optim.lr_scheduler.StepLR(o, 2, 0.3),
        ),
        ({"schedule": "cosine"}, lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 7)),
    ],
    ids=["constant", "step", "cosine"],
)
def test_schedules_from_epoch_to_epoch_are_torchs(
    changed: dict[str, Any], scheduler: Callable[..., Any]
) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.05)
    theirs = scheduler(optimizer)
    for epoch in range(7):
        ours = schedules.rates(Train(lr=0.05, epochs=7, **changed), epoch, batches=3)
        np.testing.assert_allclose(ours, [optimizer.param_groups[0]["lr"]] * 3, atol=1e-12)
        optimizer.step()
        theirs.step()


@pytest.mark.parametrize(("epochs", "batches"), [(7, 3), (1, 10), (30, 191)])
def test_the_one_cycle_schedule_is_torchs_from_batch_to_batch(epochs: int, batches: int) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.05)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=epochs * batches)
    expected = []
    for step in range(epochs * batches):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < epochs * batches:
            theirs.step()

    chosen = Train(lr=0.05, epochs=epochs, schedule="one_cycle")
    ours = np.concatenate([schedules.rates(chosen, epoch, batches) for epoch in range(epochs)])

    np.testing.assert_allclose(ours, expected, rtol=1e-9)


def run_curve(losses: list[float], patience: int, min_delta: float = 0.0) -> tuple[int, int]:
    """Epochs that are run on a given validation curve, and the best of them."""
    stopping = EarlyStopping(100, patience, min_delta)
    for loss in losses:
        stopping.keeps(loss)
        if stopping.done:
            break
    return stopping.epoch, stopping.kept_epoch


@pytest.mark.parametrize(
    ("losses", "patience", "min_delta", "expected"),
    [
        ([5, 4, 3, 2, 1], 2, 0.0, (5, 5)),
        ([5, 4, 4, 4, 1], 2, 0.0, (4, 2)),  # equal is no improvement
        ([5, 4, 6, 3, 7, 8, 0], 2, 0.0, (6, 4)),
        ([5, 6], 1, 0.0, (2, 1)),
        ([5, 4.95, 4.91, 4.0], 2, 0.1, (3, 1)),  # too little is no improvement
        ([5, 4.95, 4.85, 4.0], 2, 0.1, (4, 4)),  # little by little is: it counts from the best
    ],
)
def test_early_stopping_on_a_hand_made_curve(
    losses: list[float], patience: int, min_delta: float, expected: tuple[int, ...]
) -> None:
    assert run_curve(losses, patience, min_delta) == expected


@pytest.mark.parametrize(
    ("weights", "epochs", "best", "stopped"),
    [("best", 4, 2, "patience"), ("last", 5, 5, "epochs")],
)
def test_the_weights_of_the_kept_epoch_are_kept_or_of_the_last(
    weights: Any, epochs: int, best: int, stopped: str
) -> None:
    # Given a validation that was best after the second epoch
    net, seen, losses = nn.Linear(4, 2), [], [3.0, 1.0, 2.0, 2.0, 2.0]
    curve = iter(losses)

    class Told(AutogradLearner):
        def validate(self) -> float:
            seen.append(cast(nn.Linear, self.module).weight.detach().clone())
            return next(curve)

    # When it is trained for five epochs with a patience of two
    chosen = Train(epochs=5, patience=2, weights=weights)
    told = Told(net, examples(20, 4), examples(20, 4), chosen, seed=0, reads_rows=False)
    history = loop.train(told, TrainingRun(chosen, 20, 0), lambda _: None)

    # Then it stops after the fourth and has the weights of the second, or goes on to the end and
    # has the last
    assert (history.kept_epoch, history.stopped) == (best, stopped)
    assert history.val_loss.tolist() == losses[:epochs]
    torch.testing.assert_close(net.weight, seen[best - 1], rtol=0, atol=0)


@pytest.mark.parametrize("net", [{"name": "mlp"}, {"name": "lstm"}, {"name": "nlinear"}], ids=str)
def test_products_in_bfloat16_train_nearly_the_same_net_with_weights_in_float32(
    net: dict[str, Any],
) -> None:
    exact, history = fitted(net, precision="float32")
    mixed, rounded = fitted(net, precision="bfloat16")

    assert rounded.engine == "torch"
    assert {weights.dtype for weights in mixed.state().values()} == {np.dtype(np.float32)}
    assert not equal(exact.state(), mixed.state())
    np.testing.assert_allclose(rounded.val_loss, history.val_loss, rtol=0.02)


@pytest.mark.parametrize("net", [{"name": "mlp"}, {"name": "mlp", "dropout": 0.1}], ids=str)
def test_a_learning_rate_is_found_by_one_epoch_each_and_validation(net: dict[str, Any]) -> None:
    # Given the validation loss after one epoch with each rate
    losses = {}
    for rate in learning_rate.RATES:
        _, history = fitted(net, lr=rate, epochs=1)
        losses[rate] = history.val_loss[0]
    best = min(losses, key=losses.__getitem__)

    # When it is to be found
    forecaster, history = fitted(net, lr=7.0, find_lr=True, epochs=4, patience=4)

    # Then it is the best one, and training is as if it had been asked for
    expected, by_hand = fitted(net, lr=best, epochs=4, patience=4)
    assert history.lr == by_hand.lr == best
    np.testing.assert_array_equal(history.val_loss, by_hand.val_loss)
    assert equal(forecaster.state(), expected.state())


@pytest.mark.parametrize("schedule", ["cosine", "step", "one_cycle"])
def test_a_rate_is_judged_at_itself_whatever_the_schedule_makes_of_it(schedule: str) -> None:
    _, constant = fitted({"name": "mlp"}, find_lr=True)
    _, scheduled = fitted({"name": "mlp"}, find_lr=True, schedule=schedule)
    assert scheduled.lr == constant.lr


def test_no_learning_rate_helps_where_the_data_are_not_finite() -> None:
    forecaster = gradient_net({"name": "mlp"}, SHAPE)
    some = windows()
    some.targets[:] = np.inf
    with pytest.raises(Diverged, match="not finite with any learning rate from 1e-05 on"):
        forecaster.fit(some, windows(), options(find_lr=True), lambda _: None)


def test_progress_is_told_after_every_epoch() -> None:
    told: list[dict[str, Any]] = []
    _, history = fitted({"name": "mlp"}, epochs=3, patience=9, progress=told.append)

    assert [news["epoch"] for news in told] == [1, 2, 3]
    assert {news["epochs"] for news in told} == {3}
    assert [news["val_loss"] for news in told] == history.val_loss.tolist()
    assert history.stopped == "epochs"


def test_a_loss_that_is_not_finite_ends_the_training() -> None:
    with pytest.raises(Diverged, match=r"the loss of epoch \d+ is not finite; lower train\.lr"):
        fitted({"name": "mlp"}, optimizer="sgd", lr=10.0, epochs=50, patience=50)


def test_prediction_takes_any_number_of_windows_and_gives_the_same_for_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forecaster = gradient_net({"name": "mlp", "dropout": 0.5}, SHAPE)
    whole = forecaster.predict(windows())
    monkeypatch.setattr(autograd, "EVALUATED", 7 * windows().inputs[0].size)
    np.testing.assert_allclose(forecaster.predict(windows()), whole, atol=1e-6)
    assert whole.shape == (len(windows()), 1, 3)


def test_a_restored_net_predicts_the_same() -> None:
    forecaster, _ = fitted({"name": "lstm"})
    other = build({"name": "lstm"}, SHAPE, seed=9)
    other.restore(forecaster.state())
    np.testing.assert_array_equal(other.predict(windows()), forecaster.predict(windows()))
