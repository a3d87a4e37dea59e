"""Gated recurrent unit (Cho et al. 2014, arXiv 1406.1078), with torch's place for the reset gate.

    r = sigmoid(W_r x + U_r h),   z = sigmoid(W_z x + U_z h),   n = tanh(W_n x + r ⊙ (U_n h)),
    h ← (1 - z) ⊙ n + z ⊙ h

each product with a bias; the paper resets h before its product with U_n, not after it.
"""

from torch import Tensor, nn

from pyheta.nets.configs import GRUConfig
from pyheta.pipeline.windows import Shape


class GRU(nn.Module):
    """Reads the window row by row; a linear layer maps the last hidden state to the forecasts."""

    def __init__(self, config: GRUConfig, shape: Shape) -> None:
        super().__init__()
        between = config.dropout if config.layers > 1 else 0.0  # torch's is between layers only
        self.recurrent = nn.GRU(
            shape.channels, config.hidden, config.layers, batch_first=True, dropout=between
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden, shape.targets * shape.horizon)
        self.forecast = nn.Unflatten(1, (shape.targets, shape.horizon))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, lookback) -> (batch, targets, horizon)."""
        states, _ = self.recurrent(x.transpose(1, 2))
        forecast: Tensor = self.forecast(self.head(self.dropout(states[:, -1])))
        return forecast
