"""Multilayer perceptron on the flattened window."""

from itertools import pairwise

from torch import Tensor, nn

from pyheta.nets.configs.feedforward import MLPConfig
from pyheta.pipeline.windows import Shape


class MLP(nn.Module):
    """Hidden layers with ReLU and dropout, then a linear one to the forecasts."""

    def __init__(self, config: MLPConfig, shape: Shape) -> None:
        super().__init__()
        widths = [shape.channels * shape.lookback, *config.hidden]
        layers: list[nn.Module] = [nn.Flatten()]
        for inputs, outputs in pairwise(widths):
            layers += [nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(config.dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], shape.targets * shape.horizon))
        self.forecast = nn.Unflatten(1, (shape.targets, shape.horizon))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, lookback) -> (batch, targets, horizon)."""
        forecast: Tensor = self.forecast(self.layers(x))
        return forecast
