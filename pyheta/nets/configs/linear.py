"""Configurations of the linear nets for long horizons: each target alone, one set of weights for
all.
"""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from pyheta.nets.configs.base import (
    INSTANCE_NORM,
    Dropout,
    GradientConfig,
    NetConfig,
    Period,
    Width,
)


class DLinearConfig(GradientConfig):
    """A linear layer for the moving average of the window and one for the rest (Zeng et al.
    2023).
    """

    uses_exog: ClassVar[bool] = False

    name: Literal["dlinear"] = "dlinear"
    kernel: int = Field(default=25, ge=1, le=65_536, description="Rows of the moving average.")


class NLinearConfig(GradientConfig):
    """One linear layer on the window's distance from its last value (Zeng et al. 2023)."""

    uses_exog: ClassVar[bool] = False

    name: Literal["nlinear"] = "nlinear"


class RLinearConfig(NetConfig):
    """One linear layer inside an instance normalisation that learns a scale and a shift (Li et al.
    2023).
    """

    stochastic: ClassVar[bool] = True
    trained_by_gradient: ClassVar[bool] = True
    uses_exog: ClassVar[bool] = False

    name: Literal["rlinear"] = "rlinear"
    dropout: Dropout = Field(
        default=0.1, description="Share of the window left out while training."
    )


class SparseTSFConfig(GradientConfig):
    """One small linear layer from period to period, the same for every phase (Lin et al. 2024)."""

    uses_exog: ClassVar[bool] = False

    name: Literal["sparsetsf"] = "sparsetsf"
    period: Period = Field(
        default=24,
        description="Rows of one period. The net reads the last whole periods of the window, "
        "at least one.",
    )

    def lookback(self, window_input: int) -> int:
        return max(1, window_input // self.period) * self.period


class CycleNetConfig(GradientConfig):
    """A cycle that is learned, and a net for what is left without it (Lin et al. 2024)."""

    uses_exog: ClassVar[bool] = False
    reads_rows: ClassVar[bool] = True

    name: Literal["cyclenet"] = "cyclenet"
    model: Literal["linear", "mlp"] = Field(
        default="linear", description="The net beside the cycle."
    )
    period: Period = Field(default=24, description="Rows of the cycle.")
    hidden: Width = Field(
        default=512, description="Width of the hidden layer; only for model: mlp."
    )
    instance_norm: bool = Field(default=True, description=INSTANCE_NORM)

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.model == "linear" and self.hidden != type(self).model_fields["hidden"].default:
            raise ValueError("a linear model has no hidden layer; set model: mlp")
        return self
