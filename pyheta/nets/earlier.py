"""An earlier fit of the same course: one that differs in `train.epochs` or `train.patience` at most.

Its epochs are those that this fit would go through first, so they need not be computed again: nor any other
where patience ended it, and where it has left its standing the next epoch can begin from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pyheta.nets.options import Options
from pyheta.nets.standing import Standing, State
from pyheta.nets.stopping import EarlyStopping

Losses = tuple[float, float]  # of an epoch: of training and of validation


@dataclass(frozen=True, slots=True)
class Earlier:
    """What it has left."""

    losses: Sequence[Losses]  # of all its epochs
    lr: float
    engine: str  # what computed it
    best: State  # the weights of its best epoch
    standing: Standing | None  # where its last epoch has led, if that was kept

    def serves(self, options: Options) -> bool:
        """Whether a fit by these options can go on from here, or has nothing left to do."""
        stopping = EarlyStopping(options.epochs, options.patience, options.min_delta)
        for _, loss in self.losses:
            if stopping.done:
                break
            stopping.improves(loss)
        if options.resumable or not stopping.done:
            return self.standing is not None and stopping.epoch == len(self.losses)
        return stopping.best_epoch == self._best_epoch(options.min_delta)

    def _best_epoch(self, min_delta: float) -> int:
        stopping = EarlyStopping(len(self.losses), len(self.losses), min_delta)
        for _, loss in self.losses:
            stopping.improves(loss)
        return stopping.best_epoch
