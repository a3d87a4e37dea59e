"""Training by gradient: mini-batches drawn from a tensor in memory, stopped by the validation part."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import inf, isfinite
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from pyheta.errors import Diverged
from pyheta.nets.forecaster import History
from pyheta.ops import Progress

# Fused: one kernel for all weights, which is a fifth of a small net's time per batch.
OPTIMIZERS = {"adam": partial(torch.optim.Adam, fused=True)}
EVALUATION_BATCH = 4096


@dataclass(frozen=True, slots=True)
class Options:
    """The `train` section of a configuration."""

    optimizer: Literal["adam"]
    lr: float
    batch_size: int
    epochs: int
    patience: int  # epochs without improvement after which training stops
    min_delta: float  # an improvement lowers the validation loss by more than this
    shuffle: bool


@dataclass(frozen=True, slots=True)
class Examples:
    """Windows and targets as tensors: (n, channels, lookback) and (n, horizon)."""

    inputs: Tensor
    targets: Tensor


class EarlyStopping:
    """Keeps the best loss seen, and says when it has not improved for `patience` epochs."""

    def __init__(self, patience: int, min_delta: float) -> None:
        self.patience = patience
        self.min_delta = min_delta
        self.best_loss = inf
        self.best_epoch = 0
        self.epoch = 0

    def improves(self, loss: float) -> bool:
        """Take the next epoch's loss; whether it is better than the best by more than min_delta."""
        self.epoch += 1
        better = self.best_loss - loss > self.min_delta
        if better:
            self.best_loss, self.best_epoch = loss, self.epoch
        return better

    @property
    def exhausted(self) -> bool:
        return self.epoch - self.best_epoch >= self.patience


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw torch's random numbers from this seed; afterwards its generator is as it was before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def train(
    module: nn.Module,
    examples: Examples,
    validation: Examples,
    options: Options,
    *,
    seed: int,
    progress: Progress,
) -> History:
    """Train `module` in place and leave it with the weights of its best epoch.

    The loss is the mean squared error, over all examples of an epoch. Equal seeds give equal
    weights on one machine with one thread. Raises Diverged if a loss is not finite.
    """
    optimizer = OPTIMIZERS[options.optimizer](module.parameters(), lr=options.lr)
    order = torch.Generator().manual_seed(seed)
    stopping = EarlyStopping(options.patience, options.min_delta)
    best = _weights(module)
    losses = []
    with seeded(seed):  # for dropout
        while stopping.epoch < options.epochs and not stopping.exhausted:
            train_loss = _epoch(module, examples, optimizer, options, order)
            val_loss = evaluate(module, validation)
            if not isfinite(train_loss + val_loss):
                what = f"the loss of epoch {stopping.epoch + 1} is not finite"
                raise Diverged(what, cure="lower train.lr, or check the scale")
            losses.append((train_loss, val_loss))
            if stopping.improves(val_loss):
                best = _weights(module)
            progress({"epoch": stopping.epoch, "epochs": options.epochs, "val_loss": val_loss})
    module.load_state_dict(best)
    train_losses, val_losses = np.array(losses).T
    return History(
        train_losses,
        val_losses,
        stopping.best_epoch,
        "patience" if stopping.exhausted else "epochs",
    )


def evaluate(module: nn.Module, examples: Examples) -> float:
    """The mean squared error over all examples."""
    return mse_loss(predict(module, examples.inputs), examples.targets).item()


def predict(module: nn.Module, inputs: Tensor) -> Tensor:
    """Forecasts (n, horizon) of a module at rest: no dropout, no gradient."""
    module.eval()
    with torch.inference_mode():
        return torch.cat([module(batch) for batch in torch.split(inputs, EVALUATION_BATCH)])


def _epoch(
    module: nn.Module,
    examples: Examples,
    optimizer: torch.optim.Optimizer,
    options: Options,
    order: torch.Generator,
) -> float:
    """One pass over all examples; the mean of their losses as they were met."""
    module.train()
    count = len(examples.inputs)
    rows = torch.randperm(count, generator=order) if options.shuffle else torch.arange(count)
    total = torch.zeros(())
    for batch in torch.split(rows, options.batch_size):
        loss = mse_loss(module(examples.inputs[batch]), examples.targets[batch])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        total += loss.detach() * len(batch)
    return (total / count).item()


def _weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}
