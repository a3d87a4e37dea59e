"""Recurrent layers row by row, with torch's names for their weights: vmap cannot stack torch's own.

The formulas are those of `torch.nn.LSTM` and `torch.nn.GRU`, with any number of layers.
"""

from copy import deepcopy

import torch
from torch import Tensor, nn


class Unrolled(nn.Module):
    """The weights of a recurrent layer, and its formulas as plain products."""

    def __init__(self, recurrent: nn.LSTM | nn.GRU) -> None:
        super().__init__()
        self.hidden = recurrent.hidden_size
        self.layers = recurrent.num_layers
        self.cell = _lstm if isinstance(recurrent, nn.LSTM) else _gru
        for name, weights in recurrent.named_parameters():
            self.register_parameter(name, nn.Parameter(weights.detach()))

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """(batch, rows, inputs) -> the states (batch, rows, hidden) of the last layer."""
        for layer in range(self.layers):
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            weights = [getattr(self, f"{name}_l{layer}") for name in names]
            x = self._layer(x, *weights)
        return x, None

    def _layer(
        self, x: Tensor, inputs: Tensor, states: Tensor, bias: Tensor, state_bias: Tensor
    ) -> Tensor:
        from_inputs = x @ inputs.T + bias
        h = c = torch.zeros_like(from_inputs[:, 0, : self.hidden])
        outputs = []
        for row in range(x.shape[1]):
            h, c = self.cell(from_inputs[:, row], h @ states.T + state_bias, h, c)
            outputs.append(h)
        return torch.stack(outputs, dim=1)


def _lstm(x: Tensor, state: Tensor, _: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    i, f, g, o = (x + state).chunk(4, dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def _gru(x: Tensor, state: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    x_r, x_z, x_n = x.chunk(3, dim=-1)
    h_r, h_z, h_n = state.chunk(3, dim=-1)
    candidate = torch.tanh(x_n + torch.sigmoid(x_r + h_r) * h_n)
    return candidate + torch.sigmoid(x_z + h_z) * (h - candidate), c


def unrolled(module: nn.Module) -> nn.Module:
    """A copy of a net with its recurrent layers unrolled."""
    copied = deepcopy(module)
    for parent in list(copied.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.LSTM | nn.GRU):
                setattr(parent, name, Unrolled(child))
    return copied
