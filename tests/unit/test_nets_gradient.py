"""Nets that are trained by gradient, and their training."""

import numpy as np
import pytest
import torch
from torch import nn

from pyheta.errors import Diverged
from pyheta.nets import training
from pyheta.nets.configs import LSTMConfig, MLPConfig
from pyheta.nets.lstm import LSTM
from pyheta.nets.mlp import MLP
from pyheta.nets.registry import build
from pyheta.nets.training import EarlyStopping, Examples, Options, train
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.windows import Shape, cut

SHAPE = Shape(channels=2, lookback=6, horizon=3)


def options(**changed) -> dict:
    usual = {
        "optimizer": "adam",
        "lr": 1e-2,
        "batch_size": 16,
        "epochs": 3,
        "patience": 3,
        "min_delta": 0.0,
        "shuffle": True,
    }
    return usual | changed


def windows(rows: int = 80, seed: int = 0):
    series = np.random.default_rng(seed).normal(size=(2, rows)).astype(np.float32)
    return cut(list(map(Channel, series)), (0, rows), SHAPE)


def fitted(net: dict, seed: int = 0, progress=lambda _: None, **changed):
    forecaster = build(net, SHAPE, seed=seed)
    history = forecaster.fit(windows(), windows(seed=1), options(**changed), progress)
    return forecaster, history


def equal(a, b) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a.values(), b.values(), strict=True))


def test_the_lstm_is_torchs_own_with_a_linear_head_on_the_last_hidden_state():
    net = LSTM(LSTMConfig(hidden=5, layers=2), SHAPE).eval()
    oracle = nn.LSTM(2, 5, 2)
    oracle.load_state_dict(net.recurrent.state_dict())
    x = torch.randn(4, 2, 6)

    _, (hidden, _) = oracle(x.permute(2, 0, 1))

    expected = hidden[-1] @ net.head.weight.T + net.head.bias
    torch.testing.assert_close(net(x), expected)


def test_the_mlp_is_its_formula():
    net = MLP(MLPConfig(hidden=[4, 7]), SHAPE).eval()
    x = torch.randn(5, 2, 6)
    (w1, b1, w2, b2, w3, b3) = net.parameters()

    hidden = (x.reshape(5, 12) @ w1.T + b1).clamp(min=0)
    hidden = (hidden @ w2.T + b2).clamp(min=0)

    torch.testing.assert_close(net(x), hidden @ w3.T + b3)


@pytest.mark.parametrize("net", [{"name": "lstm"}, {"name": "mlp", "hidden": [32, 16]}])
def test_dropout_acts_in_training_and_never_in_prediction(net):
    forecaster = build(net | {"dropout": 0.5}, SHAPE)
    x = windows().inputs
    np.testing.assert_array_equal(forecaster.predict(x), forecaster.predict(x))

    forecaster.module.train()
    batch = torch.from_numpy(x)
    assert not torch.equal(forecaster.module(batch), forecaster.module(batch))


@pytest.mark.parametrize("layers", [1, 2])
def test_an_lstm_with_dropout_is_built_for_any_number_of_layers(layers):
    forecaster = build({"name": "lstm", "layers": layers, "dropout": 0.3}, SHAPE)
    assert forecaster.predict(windows().inputs).shape == (len(windows()), 3)


@pytest.mark.parametrize("net", [{"name": "lstm", "hidden": 32}, {"name": "mlp", "hidden": [64]}])
def test_a_net_can_learn_one_batch_by_heart(net):
    _, history = fitted(net, epochs=400, patience=400, batch_size=100)
    assert history.train_loss[0] > 0.5
    assert history.train_loss[-1] < 0.05


@pytest.mark.parametrize("net", [{"name": "lstm", "dropout": 0.2}, {"name": "mlp", "dropout": 0.2}])
def test_the_seed_decides_everything_and_nothing_else_does(net):
    first, history = fitted(net, seed=3)
    torch.manual_seed(99)
    torch.rand(5)
    second, again = fitted(net, seed=3)
    other, _ = fitted(net, seed=4)

    assert equal(first.state(), second.state())
    np.testing.assert_array_equal(history.val_loss, again.val_loss)
    assert not equal(first.state(), other.state())


def test_training_leaves_the_random_numbers_of_others_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fitted({"name": "mlp"})
    torch.testing.assert_close(torch.rand(3), expected)


def test_without_shuffling_the_windows_keep_their_order():
    fixed, _ = fitted({"name": "mlp"}, shuffle=False)
    mixed, _ = fitted({"name": "mlp"}, shuffle=True)
    assert not equal(fixed.state(), mixed.state())


def test_one_epoch_is_one_adam_step_per_batch_on_the_mean_squared_error():
    torch.manual_seed(0)
    net, oracle = nn.Linear(4, 2), nn.Linear(4, 2)
    oracle.load_state_dict(net.state_dict())
    x, y = torch.randn(10, 4), torch.randn(10, 2)
    adam = torch.optim.Adam(oracle.parameters(), lr=0.1)
    losses = []
    for rows in (slice(0, 4), slice(4, 8), slice(8, 10)):  # the short last batch too
        loss = (oracle(x[rows]) - y[rows]).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses += [loss.item()] * len(x[rows])

    chosen = Options(**options(lr=0.1, batch_size=4, epochs=1, shuffle=False))
    history = train(net, Examples(x, y), Examples(x, y), chosen, seed=0, progress=lambda _: None)

    torch.testing.assert_close(net.weight, oracle.weight)
    assert history.train_loss[0] == pytest.approx(np.mean(losses), rel=1e-6)
    assert history.val_loss[0] == pytest.approx((oracle(x) - y).square().mean().item(), rel=1e-6)


def run_curve(losses: list[float], patience: int, min_delta: float = 0.0) -> tuple[int, int]:
    """Epochs that are run on a given validation curve, and the best of them."""
    stopping = EarlyStopping(patience, min_delta)
    for loss in losses:
        stopping.improves(loss)
        if stopping.exhausted:
            break
    return stopping.epoch, stopping.best_epoch


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
def test_early_stopping_on_a_hand_made_curve(losses, patience, min_delta, expected):
    assert run_curve(losses, patience, min_delta) == expected


def test_the_weights_of_the_best_epoch_are_kept(monkeypatch):
    # Given a validation that was best after the second epoch
    net = nn.Linear(4, 1)
    seen, curve = [], iter([3.0, 1.0, 2.0, 2.0])

    def told(module, _):
        seen.append(module.weight.detach().clone())
        return next(curve)

    monkeypatch.setattr(training, "evaluate", told)
    examples = Examples(torch.randn(20, 4), torch.randn(20, 1))

    # When it is trained with a patience of two epochs
    chosen = Options(**options(epochs=10, patience=2))
    history = train(net, examples, examples, chosen, seed=0, progress=lambda _: None)

    # Then it stops after the fourth and has the weights of the second
    assert (history.best_epoch, history.stopped) == (2, "patience")
    assert history.val_loss.tolist() == [3, 1, 2, 2]
    torch.testing.assert_close(net.weight, seen[1], rtol=0, atol=0)


def test_progress_is_told_after_every_epoch():
    told = []
    _, history = fitted({"name": "mlp"}, epochs=3, patience=9, progress=told.append)

    assert [news["epoch"] for news in told] == [1, 2, 3]
    assert {news["epochs"] for news in told} == {3}
    assert [news["val_loss"] for news in told] == history.val_loss.tolist()
    assert history.stopped == "epochs"


def test_a_loss_that_is_not_finite_ends_the_training():
    with pytest.raises(Diverged, match=r"the loss of epoch 1 is not finite; lower train\.lr"):
        fitted({"name": "mlp"}, lr=1e30)


def test_prediction_takes_any_number_of_windows_and_gives_the_same_for_each(monkeypatch):
    forecaster = build({"name": "mlp"}, SHAPE)
    x = windows().inputs
    whole = forecaster.predict(x)
    monkeypatch.setattr(training, "EVALUATION_BATCH", 7)
    np.testing.assert_allclose(forecaster.predict(x), whole, atol=1e-6)
    assert whole.shape == (len(x), 3)


def test_a_restored_net_predicts_the_same():
    forecaster, _ = fitted({"name": "lstm"})
    other = build({"name": "lstm"}, SHAPE, seed=9)
    other.restore(forecaster.state())
    x = windows().inputs
    np.testing.assert_array_equal(other.predict(x), forecaster.predict(x))
