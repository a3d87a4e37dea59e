"""An earlier fit of the same course: one that differs in `train.epochs` or `train.patience` at
most.

Its epochs are those that this fit would go through first, so they need not be computed again: nor
any other where patience ended it, and where it has left its standing the next epoch can begin from
there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pyheta.nets.training.options import LIMITS, Train
from pyheta.nets.training.stopping import EarlyStopping
from pyheta.nets.training.trainer_state import State, TrainerState

Losses = tuple[float, float]  # of an epoch: of training and of validation


@dataclass(frozen=True, slots=True)
class Earlier:
    """What it has left."""

    losses: Sequence[Losses]  # of all its epochs
    lr: float
    engine: str  # what computed it
    kept: State  # the weights
    trainer_state: TrainerState | None  # where its last epoch has led, if that was kept

    def serves(self, options: Train) -> bool:
        """Whether a fit by these options can go on from here, or has nothing left to do."""
        count = len(self.losses)
        stopping = self._watched(EarlyStopping.of(options))
        if options.resumable or not stopping.done:
            return self.trainer_state is not None and stopping.epoch == count
        unlimited = options.model_copy(update=dict.fromkeys(LIMITS, count))
        whole = self._watched(EarlyStopping.of(unlimited))
        return stopping.kept_epoch == whole.kept_epoch

    def _watched(self, stopping: EarlyStopping) -> EarlyStopping:
        """The same, after it has seen the epochs as far as it lets them go."""
        for _, loss in self.losses:
            if stopping.done:
                break
            stopping.keeps(loss)
        return stopping
