"""How the training of a net went."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pyheta.nets.training.trainer_state import TrainerState


@dataclass(frozen=True, slots=True)
class History:
    """How a training went: the mean losses of each epoch, (epochs,)."""

    train_loss: NDArray[np.float64]
    val_loss: NDArray[np.float64]
    kept_epoch: int  # counted from 1; its weights were kept
    stopped: Literal["patience", "epochs"]
    engine: str  # what computed it; two names where one went on from the other
    lr: float  # the learning rate, or the highest of its schedule
    resumed: int  # so many of the epochs are an earlier fit's
    trainer_state: TrainerState | None  # where the last epoch has led, if it is to be kept
