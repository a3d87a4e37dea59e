"""NLinear (Zeng et al. 2023, "Are Transformers Effective for Time Series Forecasting?", section 4).

    ŷ = W (x - x_last) + x_last

so that a window that lies higher is forecast as much higher.
"""

from torch import Tensor, nn

from pyheta.nets.configs.linear import NLinearConfig
from pyheta.pipeline.windows import Shape


class NLinear(nn.Module):
    """One linear layer, shared by the targets. Ignores exogenous channels."""

    def __init__(self, config: NLinearConfig, shape: Shape) -> None:  # noqa: ARG002 (one way to build)
        super().__init__()
        self.targets = shape.targets
        self.linear = nn.Linear(shape.lookback, shape.horizon)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, lookback) -> (batch, targets, horizon)."""
        x = x[:, : self.targets]
        last = x[..., -1:]
        forecast: Tensor = self.linear(x - last) + last
        return forecast
