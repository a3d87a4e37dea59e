"""Exogenous channels for nets that forecast each target with the same weights."""

import torch
from torch import Tensor

from pyheta.pipeline.windows import Shape


def exogenous_rows(shape: Shape) -> int:
    """Numbers in a window that belong to no target."""
    return (shape.channels - shape.targets) * shape.lookback


def beside(own: Tensor, x: Tensor) -> Tensor:
    """(batch, targets, n) of each target with all that x has of exogenous channels after it.

    x is (batch, channels, lookback); gives (batch, targets, n + exogenous rows).
    """
    targets = own.shape[1]
    exogenous = x[:, None, targets:].flatten(2)
    return torch.cat([own, exogenous.expand(-1, targets, -1)], dim=-1)
