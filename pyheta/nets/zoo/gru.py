"""Gated recurrent unit (Cho et al. 2014, arXiv 1406.1078), with torch's place for the reset gate.

    r = sigmoid(W_r x + U_r h),   z = sigmoid(W_z x + U_z h),   n = tanh(W_n x + r ⊙ (U_n h)),
    h ← (1 - z) ⊙ n + z ⊙ h

each product with a bias; the paper resets h before its product with U_n, not after it.
"""

from torch import nn

from pyheta.nets.configs.recurrent import GRUConfig
from pyheta.nets.zoo.recurrent import Recurrent
from pyheta.pipeline.windows import Shape


class GRU(Recurrent):
    """Layers of gated recurrent units."""

    def __init__(self, config: GRUConfig, shape: Shape) -> None:
        super().__init__(nn.GRU, config, shape)
