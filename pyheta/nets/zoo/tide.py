"""TiDE (Das et al. 2023, arXiv 2304.08424, section 4).

    e = encoder(window),  d_1 … d_H = decoder(e),  ŷ_h = temporal decoder(d_h) + (W window)_h

all but W made of residual blocks: LayerNorm(dropout(W_2 ReLU(W_1 x)) + W_3 x). Each target is
forecast by the same weights. Exogenous channels are flattened and appended to the encoder's window,
where the paper projects covariates row by row; those that are known ahead are among them.
"""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import relu

from pyheta.nets.configs.deep import TiDEConfig
from pyheta.nets.zoo.concat_exogenous import concat_exogenous, exogenous_values
from pyheta.pipeline.windows import Shape


class TiDE(nn.Module):
    """Dense encoder and decoder, a small decoder for each step ahead, a linear skip over them."""

    def __init__(self, config: TiDEConfig, shape: Shape) -> None:
        super().__init__()
        self.targets = shape.targets
        hidden, dropout = config.hidden, config.dropout
        inputs = shape.lookback + exogenous_values(shape)
        decoded = shape.horizon * config.decoder_output
        self.encoder = _blocks([inputs, *config.encoder_layers * [hidden]], hidden, dropout)
        self.decoder = _blocks([*config.decoder_layers * [hidden], decoded], hidden, dropout)
        self.by_step = nn.Unflatten(-1, (shape.horizon, config.decoder_output))
        self.temporal = ResidualBlock(
            config.decoder_output, config.temporal_hidden, 1, dropout, norm=False
        )
        self.skip = nn.Linear(shape.lookback, shape.horizon)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, lookback) -> (batch, targets, horizon)."""
        own = x[:, : self.targets]
        decoded = self.by_step(self.decoder(self.encoder(concat_exogenous(own, x))))
        forecast: Tensor = self.temporal(decoded).squeeze(-1) + self.skip(own)
        return forecast


class ResidualBlock(nn.Module):
    """One hidden layer and a linear skip: (…, inputs) -> (…, outputs).

    `norm` is off for a single output, which it would make constant.
    """

    def __init__(
        self, inputs: int, hidden: int, outputs: int, dropout: float, *, norm: bool = True
    ) -> None:
        super().__init__()
        self.hidden = nn.Linear(inputs, hidden)
        self.output = nn.Linear(hidden, outputs)
        self.dropout = nn.Dropout(dropout)
        self.skip = nn.Linear(inputs, outputs)
        self.norm = nn.LayerNorm(outputs) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        dense = self.dropout(self.output(relu(self.hidden(x))))
        normed: Tensor = self.norm(dense + self.skip(x))
        return normed


def _blocks(widths: list[int], hidden: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        *(ResidualBlock(inputs, hidden, outputs, dropout) for inputs, outputs in pairwise(widths))
    )
