"""TSMixer (Chen et al. 2023, arXiv 2303.06053, section 4.1).

    time:      x ← x + dropout(ReLU(W_t norm(x)))                 along the rows of each channel
    channels:  x ← x + dropout(W_2 dropout(ReLU(W_1 norm(x))))    along the channels of each row

layer by layer, then one linear layer from the rows of the window to those of the horizon. The paper
takes the norm over channels and rows together, by batch or by layer; here it is by layer, which is
the same in training and evaluation.
"""

from torch import Tensor, nn

from pyheta.nets.configs.deep import TSMixerConfig
from pyheta.pipeline.windows import Shape


class TSMixer(nn.Module):
    """Mixing layers over all channels; the targets share what follows."""

    def __init__(self, config: TSMixerConfig, shape: Shape) -> None:
        super().__init__()
        self.targets = shape.targets
        self.layers = nn.Sequential(*(MixingLayer(config, shape) for _ in range(config.layers)))
        self.head = nn.Linear(shape.lookback, shape.horizon)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, lookback) -> (batch, targets, horizon)."""
        forecast: Tensor = self.head(self.layers(x)[:, : self.targets])
        return forecast


class MixingLayer(nn.Module):
    """(batch, channels, lookback) -> the same."""

    def __init__(self, config: TSMixerConfig, shape: Shape) -> None:
        super().__init__()
        channels, lookback = shape.channels, shape.lookback
        self.time = nn.Sequential(
            nn.LayerNorm((channels, lookback)),
            nn.Linear(lookback, lookback),
            nn.ReLU(),
            nn.Dropout(config.dropout),
        )
        self.norm = nn.LayerNorm((channels, lookback))
        self.channels = nn.Sequential(
            nn.Linear(channels, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, channels),
            nn.Dropout(config.dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.time(x)
        mixed: Tensor = self.channels(self.norm(x).transpose(1, 2)).transpose(1, 2)
        return x + mixed
