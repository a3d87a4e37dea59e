"""PatchTST (Nie et al. 2023, arXiv 2211.14730, section 3.1).

Each target alone. Its window, lengthened by one `stride` of its last value, is cut into patches:

    tokens = W_p patch + W_pos,   layers of attention between the tokens,   ŷ = W flatten(tokens)

with batch normalisation in the layers, as in the paper. (Its code adds the attention scores of the
layer below to each layer's, which the paper does not describe; that is left out.)
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from pyheta.nets.configs.deep import PatchTSTConfig
from pyheta.nets.zoo.attention import EncoderLayer
from pyheta.pipeline.windows import Shape


class PatchTST(nn.Module):
    """Attention between patches, shared by the targets. Ignores exogenous channels."""

    def __init__(self, config: PatchTSTConfig, shape: Shape) -> None:
        super().__init__()
        self.targets, self.patch, self.stride = shape.targets, config.patch, config.stride
        patches = (shape.lookback - config.patch) // config.stride + 2
        self.embedding = nn.Linear(config.patch, config.width)
        self.position = nn.Parameter(torch.empty(patches, config.width).uniform_(-0.02, 0.02))
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.Sequential(
            *(EncoderLayer(config, TokenBatchNorm) for _ in range(config.layers))
        )
        self.head = nn.Linear(patches * config.width, shape.horizon)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, lookback) -> (batch, targets, horizon)."""
        patches = self.patches(x[:, : self.targets].flatten(0, 1))
        tokens = self.layers(self.dropout(self.embedding(patches) + self.position))
        forecast: Tensor = self.head(tokens.flatten(1))
        return forecast.reshape(len(x), self.targets, -1)

    def patches(self, x: Tensor) -> Tensor:
        """(series, lookback) -> (series, patches, rows of a patch)."""
        return pad(x, (0, self.stride), mode="replicate").unfold(-1, self.patch, self.stride)


class TokenBatchNorm(nn.BatchNorm1d):
    """Batch normalisation of (batch, tokens, width): each feature over all tokens of a batch."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's name)
        return super().forward(input.transpose(1, 2)).transpose(1, 2)
