"""Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000)."""

from torch import Tensor, nn

from pyheta.nets.configs import LSTMConfig
from pyheta.pipeline.windows import Shape


class LSTM(nn.Module):
    """Reads the window row by row; a linear layer maps the last hidden state to the forecasts."""

    def __init__(self, config: LSTMConfig, shape: Shape) -> None:
        super().__init__()
        between = config.dropout if config.layers > 1 else 0.0  # torch's is between layers only
        self.recurrent = nn.LSTM(
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
