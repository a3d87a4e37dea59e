"""The `train` section of a configuration, as training reads it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Options:
    """How a net is trained. What the values may be stands in `sweep/train.py`."""

    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    lr: float = 1e-3
    find_lr: bool = False  # rather than take `lr`
    momentum: float = 0.9  # of sgd
    weight_decay: float = 0.0
    schedule: Literal["constant", "cosine", "step", "one_cycle"] = "constant"
    step_epochs: int = 10  # of the schedule "step": every so many epochs the rate is multiplied …
    step_factor: float = 0.1  # … by this
    loss: Literal["mse", "mae", "huber", "quantile"] = "mse"
    huber_delta: float = 1.0
    quantile: float = 0.5
    precision: Literal["float32", "bfloat16"] = "float32"  # of products while training
    clip: float | None = None  # the longest gradient
    batch_size: int = 64
    epochs: int = 100
    weights: Literal["best", "last"] = "best"  # of which epoch they are kept
    patience: int = 5  # epochs without improvement after which training stops
    min_delta: float = 0.0  # an improvement lowers the validation loss by more than this
    shuffle: bool = True
    resumable: bool = False  # whether what it takes to go on is kept
