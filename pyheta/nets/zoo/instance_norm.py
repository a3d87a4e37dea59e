"""Reversible instance normalisation (RevIN; Kim et al. 2022, section 3), around any net.

    x̂ = a (x - mean) / sqrt(var + ε) + b,   ŷ = sqrt(var + ε) (net(x̂) - b) / a + mean

with the mean and the population variance of each window and channel; a = 1 and b = 0 without
`affine`.
"""

import torch
from torch import Tensor, nn

from pyheta.pipeline.windows import Shape

EPSILON = 1e-5


class InstanceNorm(nn.Module):
    """Normalises each window, lets the net forecast, and undoes the normalisation."""

    def __init__(self, net: nn.Module, shape: Shape, *, affine: bool = False) -> None:
        super().__init__()
        self.net = net
        self.targets = shape.targets
        self.affine = Affine(shape.channels) if affine else None

    def forward(self, x: Tensor, *rows: Tensor) -> Tensor:
        """(batch, channels, lookback) -> (batch, targets, horizon); `rows` go to the net as is."""
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
        """The inverse, for y (batch, targets, …): the targets are the first channels."""
        targets = y.shape[1]
        return (y - self.shift[:targets]) / self.scale[:targets]
