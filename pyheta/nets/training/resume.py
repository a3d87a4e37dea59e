"""Which earlier fit may be resumed: one that differs only in how far it goes (`options.EXTENT`).

Its epochs are the first epochs of the new fit, so they are not computed again. If early stopping
ends the new fit within them, nothing is computed at all; otherwise training continues from the
trainer state, where the earlier fit has kept it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pyheta.nets.training.options import LIMITS, Train
from pyheta.nets.training.stopping import EarlyStopping
from pyheta.nets.training.trainer_state import State, TrainerState

Losses = tuple[float, float]  # of an epoch: on training and on validation


@dataclass(frozen=True, slots=True)
class EarlierFit:
    """What an earlier fit has left."""

    losses: Sequence[Losses]  # of all its epochs
    lr: float
    engine: str  # what computed it
    kept: State  # the weights
    trainer_state: TrainerState | None  # after its last epoch, if that was kept


def can_resume(earlier: EarlierFit, options: Train) -> bool:
    """Whether a fit by these options can continue the earlier one, or has nothing left to do."""
    count = len(earlier.losses)
    stopping = _replayed(earlier, options)
    if options.resumable or not stopping.done:
        return earlier.trainer_state is not None and stopping.epoch == count
    # Nothing is left to do; but has the earlier fit kept the weights of the epoch that is wanted?
    unlimited = options.model_copy(update=dict.fromkeys(LIMITS, count))
    return stopping.kept_epoch == _replayed(earlier, unlimited).kept_epoch


def _replayed(earlier: EarlierFit, options: Train) -> EarlyStopping:
    """Early stopping after the earlier fit's epochs, or after as many as these options allow."""
    stopping = EarlyStopping.of(options)
    for _, loss in earlier.losses:
        if stopping.done:
            break
        stopping.keeps(loss)
    return stopping
