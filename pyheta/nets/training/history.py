"""How a net's training went."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pyheta.nets.training.options import Train
from pyheta.nets.training.trainer_state import TrainerState


@dataclass(frozen=True, slots=True)
class History:
    """Losses, what was kept, and why training stopped."""

    train_loss: NDArray[np.float64]  # (epochs,): the mean of each epoch
    val_loss: NDArray[np.float64]  # (epochs,)
    kept_epoch: int  # counted from 1; its weights were kept
    stopped: Literal["patience", "epochs"]  # the option that ended it
    engine: str  # what computed it; both names where one engine resumed what another had begun
    lr: float  # the learning rate, or the highest of its schedule
    resumed: int  # how many of the epochs an earlier fit has computed
    trainer_state: TrainerState | None  # after the last epoch, if it is to be kept

    def decided(self, options: Train) -> Train:
        """The options of a training to the epoch that was kept, in which nothing is left to decide.

        A schedule that depends on the number of epochs ends there.
        """
        found = {"lr": self.lr, "find_lr": False}
        return options.model_copy(
            update={"epochs": self.kept_epoch, "weights": "last", "resumable": False, **found}
        )
