"""The course of one net's training, whatever computes it: batches, rates, when to stop, what to
keep.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from pyheta.errors import Diverged
from pyheta.nets.training import schedules
from pyheta.nets.training.earlier import Earlier, Losses
from pyheta.nets.training.history import History
from pyheta.nets.training.options import Train
from pyheta.nets.training.standing import Standing, State
from pyheta.nets.training.stopping import EarlyStopping
from pyheta.task import Progress


class Learner(Protocol):
    """A net with its examples and its optimiser."""

    engine: str

    def epoch(self, order: NDArray[np.int64], rates: NDArray[np.float64]) -> float:
        """Train on the windows in this order, with each batch's learning rate; the mean loss."""
        ...

    def validate(self) -> float:
        """The mean loss on the validation part."""
        ...

    def state(self) -> State:
        """A copy of the weights, as the net's module names them."""
        ...

    def load(self, state: State) -> None:
        """Take these weights."""
        ...

    def standing(self) -> Standing:
        """A copy of all that the next epoch depends on."""
        ...

    def resume(self, standing: Standing) -> None:
        """Go on from there."""
        ...


class Course:
    """One net's way through its epochs. Equal seeds give equal courses.

    It begins with the epochs of an `earlier` fit that serves its options; `resumed` says with how
    many. `standing` is where the last epoch has led, as far as that is kept.
    """

    def __init__(
        self, options: Train, windows: int, seed: int, earlier: Earlier | None = None
    ) -> None:
        self.options = options
        self.windows = windows
        self.kept: State = {}
        self.standing: Standing | None = None
        self.stopping = EarlyStopping.of(options)
        self.losses: list[Losses] = []
        self.engine = ""  # what computed the epochs of the earlier one
        self._random = torch.Generator().manual_seed(seed)
        if earlier:
            self._repeat(earlier)
        self.resumed = self.epoch

    def _repeat(self, earlier: Earlier) -> None:
        for losses in earlier.losses:
            if self.done:
                break
            self.order()  # drawn and not used: the next epoch has to have its own
            self.take(*losses)
        self.kept, self.standing, self.engine = earlier.kept, earlier.standing, earlier.engine

    @property
    def epoch(self) -> int:
        """How many are done."""
        return self.stopping.epoch

    @property
    def done(self) -> bool:
        return self.stopping.done

    def order(self) -> NDArray[np.int64]:
        """The windows of the next epoch."""
        if not self.options.shuffle:
            return np.arange(self.windows)
        return torch.randperm(self.windows, generator=self._random).numpy()

    def rates(self) -> NDArray[np.float64]:
        """The next epoch's learning rates, one for each batch."""
        return schedules.rates(
            self.options, self.epoch, -(-self.windows // self.options.batch_size)
        )

    def take(self, train_loss: float, val_loss: float) -> bool:
        """The next epoch's losses; whether its weights are kept. Raises Diverged if one is not
        finite.
        """
        if not isfinite(train_loss + val_loss):
            what = f"the loss of epoch {self.epoch + 1} is not finite"
            raise Diverged(what, cure="lower train.lr, set train.clip, or check the scale")
        self.losses.append((train_loss, val_loss))
        return self.stopping.keeps(val_loss)

    @property
    def progress(self) -> Mapping[str, float]:
        return {"epoch": self.epoch, "epochs": self.options.epochs, "val_loss": self.losses[-1][1]}

    def history(self, engine: str) -> History:
        train_losses, val_losses = np.array(self.losses).T
        return History(
            train_losses,
            val_losses,
            self.stopping.kept_epoch,
            "patience" if self.stopping.exhausted else "epochs",
            self._computed_by(engine),
            self.options.lr,
            self.resumed,
            self.standing if self.options.resumable else None,
        )

    def _computed_by(self, engine: str) -> str:
        """Both names where one engine went on from another."""
        before = self.engine.split(", ") if self.engine else []
        return ", ".join(dict.fromkeys([*before, engine]) if self.epoch > self.resumed else before)


def follow(learner: Learner, course: Course, progress: Progress) -> History:
    """Train to the end and leave the learner with the weights that are kept. Raises Diverged."""
    if course.standing:
        learner.resume(course.standing)
    while not course.done:
        train_loss = learner.epoch(course.order(), course.rates())
        if course.take(train_loss, learner.validate()):
            course.kept = learner.state()
        progress(course.progress)
    if course.options.resumable and course.epoch > course.resumed:
        course.standing = learner.standing()
    learner.load(course.kept)
    return course.history(learner.engine)
