"""Temporal convolutional network (Bai, Kolter & Koltun 2018, arXiv 1803.01271, section 3).

A level computes o = ReLU(x + F(x)), F being two causal convolutions of dilation 2^level, each
followed by ReLU and dropout. The paper's weight normalisation is left out: it helps plain gradient
descent, and Adam scales its steps itself.
"""

from torch import Tensor, nn
from torch.nn.functional import pad, relu

from pyheta.nets.configs.feedforward import TCNConfig
from pyheta.pipeline.windows import Shape


class TCN(nn.Module):
    """Causal blocks; a linear layer maps the features of the last row to the forecasts."""

    def __init__(self, config: TCNConfig, shape: Shape) -> None:
        super().__init__()
        widths = [shape.channels] + config.levels * [config.channels]
        self.levels = nn.Sequential(
            *(Block(widths[level], config, dilation=2**level) for level in range(config.levels))
        )
        self.head = nn.Linear(config.channels, shape.targets * shape.horizon)
        self.forecast = nn.Unflatten(1, (shape.targets, shape.horizon))

    def features(self, x: Tensor) -> Tensor:
        """(batch, channels, lookback) -> (batch, features, lookback); no row sees a later one."""
        features: Tensor = self.levels(x)
        return features

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, lookback) -> (batch, targets, horizon)."""
        forecast: Tensor = self.forecast(self.head(self.features(x)[..., -1]))
        return forecast


class Block(nn.Module):
    """One level: (batch, inputs, rows) -> (batch, config.channels, rows)."""

    def __init__(self, inputs: int, config: TCNConfig, dilation: int) -> None:
        super().__init__()
        outputs = config.channels
        self.convolutions = nn.Sequential(
            CausalConvolution(inputs, outputs, config.kernel, dilation),
            nn.ReLU(),
            nn.Dropout1d(config.dropout),  # whole channels, as in the paper
            CausalConvolution(outputs, outputs, config.kernel, dilation),
            nn.ReLU(),
            nn.Dropout1d(config.dropout),
        )
        self.skip = nn.Identity() if inputs == outputs else nn.Conv1d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.skip(x) + self.convolutions(x))


class CausalConvolution(nn.Conv1d):
    """Reads a row and `kernel - 1` earlier ones, `dilation` rows apart; zeros before the first."""

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int) -> None:
        super().__init__(inputs, outputs, kernel, dilation=dilation)
        self.before = (kernel - 1) * dilation

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's name)
        return super().forward(pad(input, (self.before, 0)))
