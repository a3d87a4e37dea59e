"""Exogenous channels for nets that forecast each target with the same weights."""

import torch
from torch import Tensor

from pyheta.pipeline.windows import Shape


def exogenous_values(shape: Shape) -> int:
    """How many values of a window belong to exogenous channels."""
    return (shape.channels - shape.targets) * shape.lookback


def concat_exogenous(own: Tensor, x: Tensor) -> Tensor:
    """Each target's own values, followed by the values of all exogenous channels.

    `own` is (batch, targets, n), x the window (batch, channels, lookback); gives
    (batch, targets, n + exogenous values).
    """
    targets = own.shape[1]
    exogenous = x[:, None, targets:].flatten(2)
    return torch.cat([own, exogenous.expand(-1, targets, -1)], dim=-1)
