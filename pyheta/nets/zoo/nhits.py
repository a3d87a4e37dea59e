"""N-HiTS (Challu et al. 2023, arXiv 2201.12886, section 3).

Block by block, x being the residual: what earlier blocks have not explained of the window:

    h = MLP(MaxPool(x)),  θ = W h,  backcast, forecast = interpolation of the points θ
    x ← x - backcast,     ŷ ← ŷ + forecast

A stack pools `pooling` rows into one and puts its points `spacing` rows apart (the inverse of the
paper's expressiveness ratio), with a straight line between them. Each target is forecast alone, by
the same weights. Exogenous channels, which the paper does not have, are flattened and appended to
each block's pooled window.
"""

from itertools import pairwise
from math import inf

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from pyheta.nets.configs.deep import NHiTSConfig
from pyheta.nets.zoo.concat_exogenous import concat_exogenous, exogenous_values
from pyheta.pipeline.windows import Shape


class NHiTS(nn.Module):
    """Stacks of blocks, in the order in which the configuration lists their scales."""

    def __init__(self, config: NHiTSConfig, shape: Shape) -> None:
        super().__init__()
        self.targets = shape.targets
        scales = zip(config.pooling, config.spacing, strict=True)
        self.blocks = nn.ModuleList(
            Block(config, shape, pooling, spacing)
            for pooling, spacing in scales
            for _ in range(config.blocks)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, lookback) -> (batch, targets, horizon)."""
        residual = x[:, : self.targets]
        forecasts = []
        for block in self.blocks:
            backcast, forecast = block(residual, x)
            residual = residual - backcast
            forecasts.append(forecast)
        return torch.stack(forecasts).sum(0)


class Block(nn.Module):
    """Explains a part of each target's residual, and adds to the forecast."""

    def __init__(self, config: NHiTSConfig, shape: Shape, pooling: int, spacing: int) -> None:
        super().__init__()
        self.pooling = pooling
        widths = [
            _points(shape.lookback, pooling) + exogenous_values(shape),
            *config.layers * [config.hidden],
        ]
        self.hidden = nn.Sequential(*(_layer(*pair, config.dropout) for pair in pairwise(widths)))
        self.backcast = Interpolation(shape.lookback, spacing)
        self.forecast = Interpolation(shape.horizon, spacing)
        self.sizes = [self.backcast.points, self.forecast.points]
        self.points = nn.Linear(config.hidden, sum(self.sizes))

    def forward(self, residual: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, targets, lookback) and the whole window -> (… lookback), (… horizon)."""
        hidden = self.hidden(concat_exogenous(max_pool(residual, self.pooling), x))
        backcast, forecast = self.points(hidden).split(self.sizes, dim=-1)
        return self.backcast(backcast), self.forecast(forecast)


class Interpolation(nn.Module):
    """Straight lines between points at least `spacing` rows apart, from the first row to the last.

    As a product with a fixed matrix: its gradient is deterministic on every device.
    """

    weights: Tensor

    def __init__(self, rows: int, spacing: int) -> None:
        super().__init__()
        self.points = _points(rows, spacing)
        units = torch.eye(self.points)[None]
        weights = interpolate(units, size=rows, mode="linear", align_corners=True)[0]
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, points: Tensor) -> Tensor:
        """(…, points) -> (…, rows)."""
        return points @ self.weights


def max_pool(x: Tensor, rows: int) -> Tensor:
    """(…, lookback) -> (…, pooled): the maximum of each `rows` rows; the oldest may be fewer."""
    missing = -x.shape[-1] % rows
    return pad(x, (missing, 0), value=-inf).reshape(*x.shape[:-1], -1, rows).amax(-1)


def _points(rows: int, spacing: int) -> int:
    return -(-rows // spacing)  # rounded up


def _layer(inputs: int, outputs: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(dropout))
