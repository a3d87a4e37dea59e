"""CycleNet (Lin et al. 2024, "CycleNet: Enhancing Time Series Forecasting through Modeling Periodic
Patterns", section 3).

    ŷ = net(x - Q[phases of the window]) + Q[phases of the horizon]

Q has one value for each target and phase of the cycle, and is learned together with the net.
"""

import torch
from torch import Tensor, nn

from pyheta.nets.configs.linear import CycleNetConfig
from pyheta.pipeline.windows import Shape


class CycleNet(nn.Module):
    """A learned cycle and a net for the rest, which targets share. Ignores exogenous channels."""

    def __init__(self, config: CycleNetConfig, shape: Shape) -> None:
        super().__init__()
        self.targets, self.lookback, self.horizon = shape.targets, shape.lookback, shape.horizon
        self.cycle = nn.Parameter(torch.zeros(shape.targets, config.season))
        self.net = _net(config, shape)

    def forward(self, x: Tensor, rows: Tensor) -> Tensor:
        """(batch, channels, lookback) -> (batch, targets, horizon).

        `rows` (batch) are the rows of the first steps ahead, which tell the phase.
        """
        past = self._cycle(rows - self.lookback, self.lookback)
        forecast: Tensor = self.net(x[:, : self.targets] - past)
        return forecast + self._cycle(rows, self.horizon)

    def _cycle(self, first: Tensor, count: int) -> Tensor:
        """(batch, targets, count): the cycle in `count` rows, beginning with each of `first`."""
        rows = first[:, None] + torch.arange(count, device=first.device)
        return self.cycle[:, rows % self.cycle.shape[1]].transpose(0, 1)


def _net(config: CycleNetConfig, shape: Shape) -> nn.Module:
    if config.model == "linear":
        return nn.Linear(shape.lookback, shape.horizon)
    return nn.Sequential(
        nn.Linear(shape.lookback, config.hidden), nn.ReLU(), nn.Linear(config.hidden, shape.horizon)
    )
