"""SparseTSF/Linear (Lin et al. 2024, "SparseTSF: Modeling Long-term Time Series Forecasting with 1k
Parameters", section 3).

The window less its mean is smoothed over one period, as x + conv(x); then one linear layer maps
the values of each phase in past periods to those in future ones.

Only the last whole periods of the window are read. A horizon that is no whole number of periods is
forecast to the end of its last period, and cut.
"""

from torch import Tensor, nn

from pyheta.nets.configs.linear import SparseTSFConfig
from pyheta.pipeline.windows import Shape


class SparseTSF(nn.Module):
    """One linear layer from period to period. Ignores exogenous channels."""

    def __init__(self, config: SparseTSFConfig, shape: Shape) -> None:
        super().__init__()
        self.targets, self.horizon = shape.targets, shape.horizon
        self.period = config.season
        self.past = shape.lookback // config.season
        self.future = -(-shape.horizon // config.season)  # rounded up
        reach = config.season // 2
        self.smooth = nn.Conv1d(1, 1, 1 + 2 * reach, padding=reach, bias=False)
        self.linear = nn.Linear(self.past, self.future, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, lookback) -> (batch, targets, horizon)."""
        x = x[:, : self.targets, -self.past * self.period :]
        mean = x.mean(-1, keepdim=True)
        periods = self._smoothed(x - mean).reshape(*x.shape[:2], self.past, self.period)
        future: Tensor = self.linear(periods.transpose(2, 3)).transpose(2, 3)
        return future.flatten(2)[..., : self.horizon] + mean

    def _smoothed(self, x: Tensor) -> Tensor:
        """x + conv(x), each channel as one example of the batch: they share the convolution."""
        smooth: Tensor = self.smooth(x.flatten(0, 1)[:, None])
        return x + smooth.reshape(x.shape)
