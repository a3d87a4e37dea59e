"""RLinear (Li et al. 2023, "Revisiting Long-term Time Series Forecasting: An Investigation on
Linear Mapping", arXiv 2305.10721).

    ŷ = RevIN⁻¹(W dropout(RevIN(x)))

with the affine RevIN of `instance_norm`: each target has a scale and a shift of its own.
"""

from dataclasses import replace

from torch import Tensor, nn

from pyheta.nets.configs.linear import RLinearConfig
from pyheta.nets.zoo.instance_norm import InstanceNorm
from pyheta.pipeline.windows import Shape


class RLinear(nn.Module):
    """One linear layer, shared by the targets. Ignores exogenous channels."""

    def __init__(self, config: RLinearConfig, shape: Shape) -> None:
        super().__init__()
        self.targets = shape.targets
        linear = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(shape.lookback, shape.horizon))
        self.normed = InstanceNorm(linear, replace(shape, channels=shape.targets), affine=True)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, lookback) -> (batch, targets, horizon)."""
        forecast: Tensor = self.normed(x[:, : self.targets])
        return forecast
