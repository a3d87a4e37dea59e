"""What the configurations of all nets share. No torch: sweeps are read where nothing is trained."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def as_tuple(value: object) -> object:
    """`hidden: 64` is one hidden layer, `hidden: [64, 32]` are two."""
    if isinstance(value, list | tuple):
        return tuple(value)
    return (value,)


Width = Annotated[int, Field(ge=1, le=65_536)]
Layers = Annotated[int, Field(ge=1, le=16)]
Dropout = Annotated[float, Field(ge=0.0, lt=1.0)]
Period = Annotated[int, Field(ge=1, le=1_000_000)]
Widths = Annotated[
    tuple[Width, ...],
    Field(min_length=1, max_length=16),
    BeforeValidator(as_tuple, json_schema_input_type=Width | list[Width]),
]

INSTANCE_NORM = "Whether each window is forecast free of its own mean and standard deviation."


class NetConfig(BaseModel):
    """What all nets share. The class attributes say which options can change a net's outcome.

    One that cannot is left out of a step's parameters, so that it never makes a distinct step.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    name: str
    stochastic: ClassVar[bool] = False  # the seed matters
    trained_by_gradient: ClassVar[bool] = False  # the `train` section matters
    uses_exog: ClassVar[bool] = True  # exogenous columns matter
    paddable: ClassVar[bool] = False  # columns of zeros after the others change nothing
    reads_rows: ClassVar[bool] = False  # it is told where in time a window lies: forward(x, rows)

    def lookback(self, window_input: int) -> int:
        """Rows before the first target that the net reads: a step's `window.input`."""
        return window_input


class GradientConfig(NetConfig):
    """What all nets share that are trained by gradient."""

    stochastic: ClassVar[bool] = True
    trained_by_gradient: ClassVar[bool] = True

    instance_norm: bool = Field(default=False, description=INSTANCE_NORM)
