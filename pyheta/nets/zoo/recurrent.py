"""What recurrent nets share: they read a window row by row."""

from torch import Tensor, nn

from pyheta.nets.configs.recurrent import RecurrentConfig
from pyheta.pipeline.windows import Shape


class Recurrent(nn.Module):
    """Recurrent layers of one kind; a linear layer maps the last hidden state to the forecasts."""

    def __init__(self, kind: type[nn.LSTM | nn.GRU], config: RecurrentConfig, shape: Shape) -> None:
        super().__init__()
        between = config.dropout if config.layers > 1 else 0.0  # torch's is between layers
        self.recurrent = kind(
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
