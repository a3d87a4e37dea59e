"""The `train` section of a sweep file, which is what training reads. No torch and no numpy here."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Final, Literal, Self

from pydantic import Field

from pyheta.section import Section

LossName = Literal["mse", "mae", "huber", "quantile"]
OptimizerName = Literal["adam", "adamw", "sgd"]
ScheduleName = Literal["constant", "cosine", "step", "one_cycle"]


@dataclass(frozen=True, slots=True)
class OnlyWith:
    """The option matters only while another one has this value."""

    option: str
    value: object

    def holds(self, options: "Train") -> bool:
        return bool(getattr(options, self.option) == self.value)


class Trait(Enum):
    """What a plan has to know about an option."""

    PER_NET = "Nets trained in one bundle may differ in it."
    LIMIT = "A number that only limits how far training goes: no epoch differs by it."
    LEAVES = "It only says what training leaves behind: no epoch differs by it."


class Train(Section):
    """How nets are trained that are trained by gradient."""

    optimizer: OptimizerName = "adam"
    lr: Annotated[float, OnlyWith("find_lr", value=False), Trait.PER_NET] = Field(
        default=1e-3, gt=0, le=10, description="Learning rate; of a schedule the highest."
    )
    find_lr: bool = Field(
        default=False, description="Take the rate that does best on validation in one epoch."
    )
    momentum: Annotated[float, OnlyWith("optimizer", "sgd")] = Field(
        default=0.9, ge=0, lt=1, description="Of sgd."
    )
    weight_decay: Annotated[float, Trait.PER_NET] = Field(
        default=0.0, ge=0, le=10, description="Decoupled for adamw, else an L2 penalty."
    )
    schedule: ScheduleName = Field(
        default="constant", description="How the learning rate goes on from there."
    )
    step_epochs: Annotated[int, OnlyWith("schedule", "step")] = Field(
        default=10, ge=1, le=1_000_000, description="Epochs of the schedule's step."
    )
    step_factor: Annotated[float, OnlyWith("schedule", "step")] = Field(
        default=0.1, gt=0, le=1, description="What a step multiplies the rate by."
    )
    loss: LossName = "mse"
    huber_delta: Annotated[float, OnlyWith("loss", "huber")] = Field(
        default=1.0, gt=0, le=1e6, description="Where Huber's loss becomes linear."
    )
    quantile: Annotated[float, OnlyWith("loss", "quantile")] = Field(
        default=0.5, gt=0, lt=1, description="What the quantile loss aims for."
    )
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32",
        description="Of products while training; bfloat16 pays on GPUs.",
    )
    clip: Annotated[float | None, Trait.PER_NET] = Field(
        default=None, gt=0, le=1e9, description="The longest gradient (L2 norm)."
    )
    batch_size: int = Field(default=64, ge=1, le=1_000_000, description="Windows of one step.")
    epochs: Annotated[int, Trait.PER_NET, Trait.LIMIT] = Field(
        default=100, ge=1, le=1_000_000, description="The most epochs."
    )
    weights: Annotated[Literal["best", "last"], Trait.PER_NET] = Field(
        default="best",
        description="Of the best epoch on validation, or of the last of all `epochs`.",
    )
    patience: Annotated[int, OnlyWith("weights", "best"), Trait.PER_NET, Trait.LIMIT] = Field(
        default=5, ge=1, le=1_000_000, description="Epochs without a better one."
    )
    min_delta: Annotated[float, OnlyWith("weights", "best"), Trait.PER_NET] = Field(
        default=0.0, ge=0, le=1e6, description="The least that counts as better."
    )
    shuffle: bool = Field(default=True, description="Windows in a new order in every epoch.")
    resumable: Annotated[bool, Trait.PER_NET, Trait.LEAVES] = Field(
        default=False,
        description="Keep the optimizer state after the last epoch: a run with more epochs or "
        "patience resumes from it.",
    )

    def reduced(self) -> Self:
        """The same with options that cannot matter beside the others at their defaults."""
        idle = [name for name, condition in ONLY_WITH.items() if not condition.holds(self)]
        return self.model_copy(
            update={name: type(self).model_fields[name].default for name in idle}
        )


def _with(*traits: Trait) -> tuple[str, ...]:
    fields = Train.model_fields.items()
    return tuple(name for name, field in fields if any(trait in field.metadata for trait in traits))


#: Option -> the value of another option beside which it matters.
ONLY_WITH: Final[Mapping[str, OnlyWith]] = {
    name: condition
    for name, field in Train.model_fields.items()
    for condition in field.metadata
    if isinstance(condition, OnlyWith)
}
#: Nets trained in one bundle may differ in these.
PER_NET: Final = _with(Trait.PER_NET)
#: How far training goes at most.
LIMITS: Final = _with(Trait.LIMIT)
#: Fits that differ in these alone have the same epochs, as far as each goes.
EXTENT: Final = _with(Trait.LIMIT, Trait.LEAVES)
