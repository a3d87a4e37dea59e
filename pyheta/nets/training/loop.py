"""The training loop of one net, the same for every engine: batches, learning rates, early stopping.

A `Learner` computes; a `TrainingRun` says what is computed next and which weights are kept.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from pyheta.errors import Diverged
from pyheta.nets.training import schedules
from pyheta.nets.training.history import History
from pyheta.nets.training.options import Train
from pyheta.nets.training.resume import EarlierFit, Losses
from pyheta.nets.training.stopping import EarlyStopping
from pyheta.nets.training.trainer_state import State, TrainerState
from pyheta.task import Progress


class Learner(Protocol):
    """A net with its examples and its optimizer, in one engine."""

    engine: str

    def epoch(self, order: NDArray[np.int64], rates: NDArray[np.float64]) -> float:
        """Train on the windows in this order, with one learning rate a batch; the mean loss."""
        ...

    def validate(self) -> float:
        """The mean loss on the validation part."""
        ...

    def state(self) -> State:
        """A copy of the weights, under the names of the net's module."""
        ...

    def load(self, state: State) -> None:
        """Replace the weights by these."""
        ...

    def trainer_state(self) -> TrainerState:
        """A copy of everything that the next epoch depends on."""
        ...

    def resume(self, state: TrainerState) -> None:
        """Continue from a state that any engine has saved."""
        ...


class TrainingRun:
    """One net's epochs, counted and judged. Equal options and seeds give equal runs.

    It begins with the epochs of an `earlier` fit that can be resumed; `resumed` counts them.
    `trainer_state` is the trainer state after the last epoch, where it is kept.
    """

    def __init__(
        self, options: Train, windows: int, seed: int, earlier: EarlierFit | None = None
    ) -> None:
        self.options = options
        self.windows = windows
        self.kept: State = {}
        self.trainer_state: TrainerState | None = None
        self.stopping = EarlyStopping.of(options)
        self.losses: list[Losses] = []
        self.engine = ""  # of the epochs of the earlier fit
        self._random = torch.Generator().manual_seed(seed)
        if earlier:
            self._repeat(earlier)
        self.resumed = self.epoch

    def _repeat(self, earlier: EarlierFit) -> None:
        for losses in earlier.losses:
            if self.done:
                break
            self.order()  # drawn although unused, so that the next epoch draws what it always draws
            self.record(*losses)
        self.kept, self.engine = earlier.kept, earlier.engine
        self.trainer_state = earlier.trainer_state

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return self.stopping.epoch

    @property
    def done(self) -> bool:
        return self.stopping.done

    def order(self) -> NDArray[np.int64]:
        """The order of the windows in the next epoch."""
        if not self.options.shuffle:
            return np.arange(self.windows)
        return torch.randperm(self.windows, generator=self._random).numpy()

    def rates(self) -> NDArray[np.float64]:
        """The learning rate of each batch of the next epoch."""
        batches = -(-self.windows // self.options.batch_size)
        return schedules.rates(self.options, self.epoch, batches)

    def record(self, train_loss: float, val_loss: float) -> bool:
        """Count an epoch; whether its weights are kept. Raises Diverged if a loss is not finite."""
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
            self._engines(engine),
            self.options.lr,
            self.resumed,
            self.trainer_state if self.options.resumable else None,
        )

    def _engines(self, engine: str) -> str:
        """The engines that computed the epochs: both where one resumed what another had begun."""
        before = self.engine.split(", ") if self.engine else []
        return ", ".join(dict.fromkeys([*before, engine]) if self.epoch > self.resumed else before)


def train(learner: Learner, run: TrainingRun, progress: Progress) -> History:
    """Train to the end, then give the learner the weights that are kept. Raises Diverged."""
    if run.trainer_state:
        learner.resume(run.trainer_state)
    while not run.done:
        train_loss = learner.epoch(run.order(), run.rates())
        if run.record(train_loss, learner.validate()):
            run.kept = learner.state()
        progress(run.progress)
    if run.options.resumable and run.epoch > run.resumed:
        run.trainer_state = learner.trainer_state()
    learner.load(run.kept)
    return run.history(learner.engine)
