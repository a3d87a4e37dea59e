"""The encoder layer of the Transformer (Vaswani et al. 2017, arXiv 1706.03762, section 3).

    x ← norm(x + dropout(attention(x))),   x ← norm(x + dropout(W_2 dropout(GELU(W_1 x))))
    attention: softmax(Q K^T / √d) V in each head

GELU, as in the forecasting nets that use this layer; they choose the norm.
"""

from collections.abc import Callable

from torch import Tensor, nn

from pyheta.nets.configs.deep import AttentionConfig


class EncoderLayer(nn.Module):
    """(batch, tokens, width) -> the same. `norm` makes the normalisation that ends each half."""

    def __init__(self, config: AttentionConfig, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.attention = SelfAttention(config.width, config.heads)
        self.perceptron = nn.Sequential(
            nn.Linear(config.width, config.feed_forward),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.feed_forward, config.width),
        )
        self.dropout = nn.Dropout(config.dropout)
        self.norms = nn.ModuleList([norm(config.width), norm(config.width)])

    def forward(self, x: Tensor) -> Tensor:
        for norm, part in zip(self.norms, (self.attention, self.perceptron), strict=True):
            x = norm(x + self.dropout(part(x)))
        return x


class SelfAttention(nn.Module):
    """(batch, tokens, width) -> the same; every token attends to all.

    Written out, because torch's fused kernel adds up in no fixed order on GPUs, and cannot train
    several nets at once.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width)  # to queries, keys and values
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, _ = x.shape
        split = self.project(x).reshape(batch, tokens, 3, self.heads, -1)
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        scores = queries @ keys.transpose(-1, -2) / queries.shape[-1] ** 0.5
        attended = scores.softmax(-1) @ values  # batch, heads, tokens, depth
        output: Tensor = self.output(attended.transpose(1, 2).flatten(2))
        return output
