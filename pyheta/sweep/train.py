"""The `train` section: how nets are trained that are trained by gradient."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field

from pyheta.sweep.section import Section

# Options that matter only beside one value of another.
MATTERS: Mapping[str, tuple[str, object]] = {
    "lr": ("find_lr", False),
    "momentum": ("optimizer", "sgd"),
    "step_epochs": ("schedule", "step"),
    "step_factor": ("schedule", "step"),
    "huber_delta": ("loss", "huber"),
    "quantile": ("loss", "quantile"),
    "patience": ("weights", "best"),
    "min_delta": ("weights", "best"),
}


class Train(Section):
    """How nets are trained that are trained by gradient."""

    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    lr: float = Field(
        default=1e-3, gt=0, le=10, description="Learning rate; of a schedule the highest."
    )
    find_lr: bool = Field(
        default=False, description="Take the rate that does best on validation in one epoch."
    )
    momentum: float = Field(default=0.9, ge=0, lt=1, description="Of sgd.")
    weight_decay: float = Field(
        default=0.0, ge=0, le=10, description="Decoupled for adamw, else an L2 penalty."
    )
    schedule: Literal["constant", "cosine", "step", "one_cycle"] = Field(
        default="constant", description="How the learning rate goes on from there."
    )
    step_epochs: int = Field(
        default=10, ge=1, le=1_000_000, description="Epochs of the schedule's step."
    )
    step_factor: float = Field(
        default=0.1, gt=0, le=1, description="What a step multiplies the rate by."
    )
    loss: Literal["mse", "mae", "huber", "quantile"] = "mse"
    huber_delta: float = Field(
        default=1.0, gt=0, le=1e6, description="Where Huber's loss becomes linear."
    )
    quantile: float = Field(default=0.5, gt=0, lt=1, description="What the quantile loss aims for.")
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32",
        description="Of products while training; bfloat16 pays on graphics processors.",
    )
    clip: float | None = Field(
        default=None, gt=0, le=1e9, description="The longest gradient (L2 norm)."
    )
    batch_size: int = Field(default=64, ge=1, le=1_000_000, description="Windows of one step.")
    epochs: int = Field(default=100, ge=1, le=1_000_000, description="The most epochs.")
    weights: Literal["best", "last"] = Field(
        default="best",
        description="Of the best epoch on validation, or of the last of all `epochs`.",
    )
    patience: int = Field(default=5, ge=1, le=1_000_000, description="Epochs without a better one.")
    min_delta: float = Field(
        default=0.0, ge=0, le=1e6, description="The least that counts as better."
    )
    shuffle: bool = Field(default=True, description="Windows in a new order in every epoch.")
    resumable: bool = Field(
        default=False,
        description="Keep how the last epoch left the optimiser: more epochs or patience go on "
        "from there.",
    )

    def reduced(self) -> Self:
        """The same with options that cannot matter beside the others at their defaults."""
        idle = [name for name, (option, value) in MATTERS.items() if getattr(self, option) != value]
        return self.model_copy(
            update={name: type(self).model_fields[name].default for name in idle}
        )
