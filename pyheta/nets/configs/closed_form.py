"""Configurations of what is not trained by gradient: naive forecasts and ridge regression."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from pyheta.nets.configs.base import Misfit, NetConfig, SeasonalNetConfig, as_tuple

if TYPE_CHECKING:  # numpy takes longer to import than most commands that only look
    from pyheta.pipeline.windows import Shape

#: A ridge solves at most so many equations: their matrix takes half a gigabyte, its decomposition
#: two and some minutes.
MOST_EQUATIONS = 8192
MOST_WEIGHTS = MOST_EQUATIONS**2

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

    @property
    def follows_level(self) -> bool:
        return self.instance_norm

    def weights(self, shape: "Shape") -> tuple[int, int]:
        """How many regressors and responses it has."""
        width = shape.lookback + self.window_std
        if self.per_channel:
            return width, shape.horizon
        return shape.channels * width, shape.targets * shape.horizon

    def excess(self, shape: "Shape", windows: int) -> Misfit | None:
        """It has an equation for each regressor or for each window, whichever are fewer."""
        regressors, responses = self.weights(shape)
        rows = windows * (shape.targets if self.per_channel else 1)
        fewer = "" if self.per_channel else " or fewer columns, or set net.per_channel"
        cure = f"take a shorter window{fewer}"
        if min(regressors, rows) > MOST_EQUATIONS:
            what = (
                f"ridge: {regressors:,} regressors and {rows:,} windows are more than "
                f"{MOST_EQUATIONS:,} equations either way"
            )
            return Misfit(what, "per_channel", cure)
        if regressors * responses > MOST_WEIGHTS:
            what = (
                f"ridge: {regressors:,} regressors of {responses:,} values to forecast have more "
                f"than {MOST_WEIGHTS:,} weights"
            )
            return Misfit(what, "per_channel", cure)
        return None
