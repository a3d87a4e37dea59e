"""DLinear (Zeng et al. 2023, "Are Transformers Effective for Time Series Forecasting?", section 4).

    ŷ = W_t trend + W_r (x - trend),   trend = the moving average of x

whose ends are repeated, so that the trend is as long as the window.
"""

from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, pad

from pyheta.nets.configs.linear import DLinearConfig
from pyheta.pipeline.windows import Shape


class DLinear(nn.Module):
    """Two linear layers, shared by the targets. Ignores exogenous channels."""

    def __init__(self, config: DLinearConfig, shape: Shape) -> None:
        super().__init__()
        self.targets, self.kernel = shape.targets, config.kernel
        self.trend = nn.Linear(shape.lookback, shape.horizon)
        self.rest = nn.Linear(shape.lookback, shape.horizon)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, lookback) -> (batch, targets, horizon)."""
        x = x[:, : self.targets]
        trend = moving_average(x, self.kernel)
        forecast: Tensor = self.trend(trend) + self.rest(x - trend)
        return forecast


def moving_average(x: Tensor, kernel: int) -> Tensor:
    """(batch, channels, rows) -> the same: the mean of `kernel` rows around each, ends repeated."""
    before = (kernel - 1) // 2
    padded = pad(x, (before, kernel - 1 - before), mode="replicate")
    return avg_pool1d(padded, kernel, stride=1)
