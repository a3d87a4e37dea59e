"""Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    i, f, o = sigmoid(W x + U h),   g = tanh(W x + U h),   c ← f ⊙ c + i ⊙ g,   h ← o ⊙ tanh(c)

each gate with weights of its own and two biases, as torch has them.
"""

from torch import nn

from pyheta.nets.configs.recurrent import LSTMConfig
from pyheta.nets.zoo.recurrent import Recurrent
from pyheta.pipeline.windows import Shape


class LSTM(Recurrent):
    """Layers of LSTM cells."""

    def __init__(self, config: LSTMConfig, shape: Shape) -> None:
        super().__init__(nn.LSTM, config, shape)
