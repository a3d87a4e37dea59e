"""Configurations of what is not trained by gradient: naive forecasts and ridge regression."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from pyheta.nets.configs.base import NetConfig, SeasonalNetConfig, as_tuple

Alpha = Annotated[float, Field(ge=0.0, le=1e12)]


class LastConfig(NetConfig):
    """The last known value, for every step ahead."""

    built_by: ClassVar[str] = "pyheta.nets.zoo.naive:Last"
    uses_exog: ClassVar[bool] = False
    additive: ClassVar[bool] = True
    in_own_units: ClassVar[bool] = True
    baseline: ClassVar[bool] = True

    name: Literal["last"] = "last"

    def lookback(self, window_input: int) -> int:  # noqa: ARG002 (same question to every net)
        return 1


class SeasonalConfig(SeasonalNetConfig):
    """The value one season earlier; beyond one season ahead, that of the last known season."""

    built_by: ClassVar[str] = "pyheta.nets.zoo.naive:Seasonal"
    uses_exog: ClassVar[bool] = False
    additive: ClassVar[bool] = True
    in_own_units: ClassVar[bool] = True
    baseline: ClassVar[bool] = True
    lookback_option: ClassVar[str | None] = "period"

    name: Literal["seasonal"] = "seasonal"

    def lookback(self, window_input: int) -> int:  # noqa: ARG002 (same question to every net)
        return self.season


class DriftConfig(NetConfig):
    """The line through the first and the last known value of the series, continued."""

    built_by: ClassVar[str] = "pyheta.nets.zoo.naive:Drift"
    uses_exog: ClassVar[bool] = False
    additive: ClassVar[bool] = True
    in_own_units: ClassVar[bool] = True
    baseline: ClassVar[bool] = True

    name: Literal["drift"] = "drift"

    def lookback(self, window_input: int) -> int:  # noqa: ARG002 (same question to every net)
        return 1


class RidgeConfig(NetConfig):
    """Linear regression on the flattened window with an L2 penalty, solved in closed form."""

    built_by: ClassVar[str] = "pyheta.nets.zoo.ridge:Ridge"
    baseline: ClassVar[bool] = True

    name: Literal["ridge"] = "ridge"
    alpha: Annotated[
        tuple[Alpha, ...],
        Field(min_length=1, max_length=1000),
        BeforeValidator(as_tuple, json_schema_input_type=Alpha | list[Alpha]),
    ] = Field(
        default=tuple(10.0**power for power in range(-3, 7)),
        description="Weight of the penalty; of a list, validation chooses one.",
    )
    per_channel: bool = Field(
        default=False, description="Whether all targets share one regression on their own past."
    )
    instance_norm: bool = Field(
        default=False,
        description="Whether each window is forecast free of its own mean; no intercept.",
    )
    window_std: bool = Field(
        default=False,
        description="Whether the standard deviation of each window is a regressor too.",
    )

    @property
    def uses_exog(self) -> bool:  # type: ignore[override]
        return not self.per_channel
