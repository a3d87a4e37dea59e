"""Reversible instance normalisation (RevIN; Kim et al. 2022, section 3), around any net.

    x̂ = a (x - mean) / sqrt(var + ε) + b,   ŷ = sqrt(var + ε) (net(x̂) - b) / a + mean

with the mean and the population variance of each window and channel. Without `affine`, a = 1 and b
= 0.
"""

import torch
from torch import Tensor, nn

from pyheta.pipeline.windows import Shape

EPSILON = 1e-5


class InstanceNorm(nn.Module):
    """A net that forecasts free of each window's own level and spread, which are then put back."""

    def __init__(self, net: nn.Module, shape: Shape, *, affine: bool = False) -> None:
        super().__init__()
        self.net = net
        self.targets = shape.targets
        self.affine = Affine(shape.channels) if affine else None

    def forward(self, x: Tensor, *rows: Tensor) -> Tensor:
        """(batch, channels, lookback) -> (batch, targets, horizon); `rows` are the net's own
        affair.
        """
        mean = x.mean(-1, keepdim=True)
        spread = (x.var(-1, correction=0, keepdim=True) + EPSILON).sqrt()
        standard = (x - mean) / spread
        forecast = self._forecast(standard, *rows)
        return forecast * spread[:, : self.targets] + mean[:, : self.targets]

    def _forecast(self, standard: Tensor, *rows: Tensor) -> Tensor:
        if self.affine is None:
            forecast: Tensor = self.net(standard, *rows)
            return forecast
        return self.affine.undo(self.net(self.affine(standard), *rows))


class Affine(nn.Module):
    """A scale and a shift of each channel, both learned."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels, 1))
        self.shift = nn.Parameter(torch.zeros(channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x + self.shift

    def undo(self, y: Tensor) -> Tensor:
        """For the first channels alone, where y has fewer."""
        targets = y.shape[1]
        return (y - self.shift[:targets]) / self.scale[:targets]
