"""iTransformer (Liu et al. 2024, arXiv 2310.06625, section 3).

    tokens = W_e x of each channel's whole window,   layers of attention between the channels,
    ŷ = W_o norm(token) of each target

Tokens carry no positions: channels are told apart by their values.
"""

from torch import Tensor, nn

from pyheta.nets.configs.deep import ITransformerConfig
from pyheta.nets.zoo.attention import EncoderLayer
from pyheta.pipeline.windows import Shape


class ITransformer(nn.Module):
    """Attention between all channels, targets and exogenous ones."""

    def __init__(self, config: ITransformerConfig, shape: Shape) -> None:
        super().__init__()
        self.targets = shape.targets
        self.embedding = nn.Sequential(
            nn.Linear(shape.lookback, config.width), nn.Dropout(config.dropout)
        )
        self.layers = nn.Sequential(
            *(EncoderLayer(config, nn.LayerNorm) for _ in range(config.layers))
        )
        self.head = nn.Sequential(
            nn.LayerNorm(config.width), nn.Linear(config.width, shape.horizon)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, lookback) -> (batch, targets, horizon)."""
        tokens = self.layers(self.embedding(x))
        forecast: Tensor = self.head(tokens[:, : self.targets])
        return forecast
