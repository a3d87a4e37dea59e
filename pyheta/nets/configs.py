"""What each net can be told: names, ranges, defaults, and which other options matter to it.

No torch here: sweeps are read and checked on machines that never train.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Width = Annotated[int, Field(ge=1, le=65_536)]
Dropout = Annotated[float, Field(ge=0.0, lt=1.0)]


def _widths(value: object) -> object:
    """`hidden: 64` is one hidden layer, `hidden: [64, 32]` are two."""
    if isinstance(value, list | tuple):
        return tuple(value)
    return (value,)


class NetConfig(BaseModel):
    """What all nets share. The class attributes say which options can change a net's outcome.

    One that cannot is left out of a step's parameters, so that it never makes a distinct step.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    name: str
    stochastic: ClassVar[bool] = False  # the seed matters
    trained_by_gradient: ClassVar[bool] = False  # the `train` section matters
    uses_exog: ClassVar[bool] = True  # exogenous columns matter

    def lookback(self, window_input: int) -> int:
        """Rows before the first target that the net reads: a step's `window.input`."""
        return window_input


class LSTMConfig(NetConfig):
    """Long short-term memory: `layers` recurrent layers of `hidden` cells, then a linear one."""

    stochastic: ClassVar[bool] = True
    trained_by_gradient: ClassVar[bool] = True

    name: Literal["lstm"] = "lstm"
    hidden: Width = Field(default=64, description="Cells of each recurrent layer.")
    layers: int = Field(default=1, ge=1, le=16, description="Recurrent layers, one on top of the other.")
    dropout: Dropout = Field(default=0.0, description="Share of cells left out while training.")


class MLPConfig(NetConfig):
    """Multilayer perceptron on the flattened window."""

    stochastic: ClassVar[bool] = True
    trained_by_gradient: ClassVar[bool] = True

    name: Literal["mlp"] = "mlp"
    hidden: Annotated[
        tuple[Width, ...], BeforeValidator(_widths, json_schema_input_type=Width | list[Width])
    ] = Field(
        default=(64,),
        min_length=1,
        max_length=16,
        description="Widths of the hidden layers; one number is one layer.",
    )
    dropout: Dropout = Field(default=0.0, description="Share of cells left out while training.")


class RidgeConfig(NetConfig):
    """Linear regression on the flattened window with an L2 penalty, solved in closed form."""

    name: Literal["ridge"] = "ridge"
    alpha: float = Field(default=1e-3, ge=0.0, le=1e12, description="Weight of the penalty.")


class LastConfig(NetConfig):
    """The last known value, for every step ahead."""

    uses_exog: ClassVar[bool] = False

    name: Literal["last"] = "last"

    def lookback(self, window_input: int) -> int:  # noqa: ARG002 (same question to every net)
        return 1


class SeasonalConfig(NetConfig):
    """The value one season earlier; beyond one season ahead, that of the last known season."""

    uses_exog: ClassVar[bool] = False

    name: Literal["seasonal"] = "seasonal"
    period: int = Field(default=24, ge=1, le=1_000_000, description="Rows of one season.")

    def lookback(self, window_input: int) -> int:  # noqa: ARG002 (same question to every net)
        return self.period


Net = LSTMConfig | MLPConfig | RidgeConfig | LastConfig | SeasonalConfig

NETS: Mapping[str, type[NetConfig]] = {net.model_fields["name"].default: net for net in get_args(Net)}
