"""The course of one net's training, whatever computes it: batches, rates, when to stop, what to keep."""

from collections.abc import Mapping
from math import inf, isfinite
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from pyheta.errors import Diverged
from pyheta.nets import schedules
from pyheta.nets.forecaster import History, State
from pyheta.nets.options import Options
from pyheta.ops import Progress

Weights = TypeVar("Weights")


class Learner(Protocol[Weights]):
    """A net with its examples and its optimiser."""

    engine: str

    def epoch(self, order: NDArray[np.int64], rates: NDArray[np.float64]) -> float:
        """Train on the windows in this order, with each batch's learning rate; the mean loss."""
        ...

    def validate(self) -> float:
        """The mean loss on the validation part."""
        ...

    def weights(self) -> Weights:
        """A copy."""
        ...

    def restore(self, weights: Weights) -> None:
        """Take back what `weights` gave."""
        ...

    def state(self) -> State:
        """The weights as the net's module names them."""
        ...


class Course(Generic[Weights]):
    """One net's way through its epochs. Equal seeds give equal courses."""

    def __init__(self, options: Options, windows: int, seed: int, first: Weights) -> None:
        self.options = options
        self.windows = windows
        self.best = first
        self.stopping = EarlyStopping(options.patience, options.min_delta)
        self.losses: list[tuple[float, float]] = []
        self._random = torch.Generator().manual_seed(seed)

    @property
    def epoch(self) -> int:
        """How many are done."""
        return self.stopping.epoch

    @property
    def done(self) -> bool:
        return self.epoch == self.options.epochs or self.stopping.exhausted

    def order(self) -> NDArray[np.int64]:
        """The windows of the next epoch."""
        if not self.options.shuffle:
            return np.arange(self.windows)
        return torch.randperm(self.windows, generator=self._random).numpy()

    def rates(self) -> NDArray[np.float64]:
        """The next epoch's learning rates, one for each batch."""
        return schedules.rates(self.options, self.epoch, -(-self.windows // self.options.batch_size))

    def take(self, train_loss: float, val_loss: float) -> bool:
        """The next epoch's losses; whether it is the best so far. Raises Diverged if one is not finite."""
        if not isfinite(train_loss + val_loss):
            what = f"the loss of epoch {self.epoch + 1} is not finite"
            raise Diverged(what, cure="lower train.lr, set train.clip, or check the scale")
        self.losses.append((train_loss, val_loss))
        return self.stopping.improves(val_loss)

    @property
    def progress(self) -> Mapping[str, float]:
        return {"epoch": self.epoch, "epochs": self.options.epochs, "val_loss": self.losses[-1][1]}

    def history(self, engine: str) -> History:
        train_losses, val_losses = np.array(self.losses).T
        return History(
            train_losses,
            val_losses,
            self.stopping.best_epoch,
            "patience" if self.stopping.exhausted else "epochs",
            engine,
            self.options.lr,
        )


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


def follow(learner: Learner[Weights], course: Course[Weights], progress: Progress) -> History:
    """Train to the end and leave the learner with the weights of its best epoch. Raises Diverged."""
    while not course.done:
        train_loss = learner.epoch(course.order(), course.rates())
        if course.take(train_loss, learner.validate()):
            course.best = learner.weights()
        progress(course.progress)
    learner.restore(course.best)
    return course.history(learner.engine)
