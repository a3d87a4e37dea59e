"""Configurations of linear nets for long horizons: each target alone, with shared weights."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from pyheta.nets.configs.base import (
    INSTANCE_NORM,
    Dropout,
    GradientConfig,
    InstanceNormConfig,
    SeasonalNetConfig,
    Width,
)


class DLinearConfig(InstanceNormConfig):
    """One linear layer for the window's moving average, one for the rest (Zeng et al. 2023)."""

    built_by: ClassVar[str] = "pyheta.nets.zoo.dlinear:DLinear"
    uses_exog: ClassVar[bool] = False

    name: Literal["dlinear"] = "dlinear"
    kernel: int = Field(default=25, ge=1, le=65_536, description="Rows of the moving average.")

    @property
    def has_kernel(self) -> bool:
        return not self.instance_norm


class NLinearConfig(InstanceNormConfig):
    """One linear layer on the window's distance from its last value (Zeng et al. 2023)."""

    built_by: ClassVar[str] = "pyheta.nets.zoo.nlinear:NLinear"
    uses_exog: ClassVar[bool] = False

    name: Literal["nlinear"] = "nlinear"

    @property
    def follows_level(self) -> bool:
        return True

    @property
    def has_kernel(self) -> bool:
        return not self.instance_norm


class RLinearConfig(GradientConfig):
    """One linear layer in an instance normalisation of learned scale and shift (Li et al. 2023)."""

    built_by: ClassVar[str] = "pyheta.nets.zoo.rlinear:RLinear"
    uses_exog: ClassVar[bool] = False

    name: Literal["rlinear"] = "rlinear"
    dropout: Dropout = Field(
        default=0.1, description="Share of the window left out while training."
    )

    @property
    def follows_level(self) -> bool:
        return True


class SparseTSFConfig(InstanceNormConfig, SeasonalNetConfig):
    """One small linear layer from period to period, the same for every phase (Lin et al. 2024).

    It reads the last whole periods of the window, at least one.
    """

    built_by: ClassVar[str] = "pyheta.nets.zoo.sparsetsf:SparseTSF"
    uses_exog: ClassVar[bool] = False
    lookback_option: ClassVar[str | None] = "period"

    name: Literal["sparsetsf"] = "sparsetsf"

    @property
    def follows_level(self) -> bool:
        return True

    def lookback(self, window_input: int) -> int:
        return max(1, window_input // self.season) * self.season


class CycleNetConfig(InstanceNormConfig, SeasonalNetConfig):
    """A cycle that is learned, and a net for what is left without it (Lin et al. 2024)."""

    built_by: ClassVar[str] = "pyheta.nets.zoo.cyclenet:CycleNet"
    uses_exog: ClassVar[bool] = False
    reads_rows: ClassVar[bool] = True

    name: Literal["cyclenet"] = "cyclenet"
    model: Literal["linear", "mlp"] = Field(
        default="linear", description="The net beside the cycle."
    )
    hidden: Width = Field(
        default=512, description="Width of the hidden layer; only for model: mlp."
    )
    instance_norm: bool = Field(default=True, description=INSTANCE_NORM)

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.model == "linear" and self.hidden != type(self).model_fields["hidden"].default:
            raise ValueError("a linear model has no hidden layer; set model: mlp")
        return self
