"""The circular block bootstrap (Politis & Romano 1992): intervals for means of dependent values.

Losses of neighbouring windows depend on each other: their targets overlap, and a bad day is bad for
all its hours. So blocks of neighbours are drawn with replacement, never single windows; a block
that reaches the end goes on at the beginning. All candidates are drawn at the same windows, so the
difference of two draws is a draw of the paired difference.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from pyheta.pipeline.arrays import Floats

DRAWS: Final = 2000
LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """From where to where a mean difference lies, with probability `LEVEL`."""

    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 where all of it lies above or below 0, else 0."""
        return (self.low > 0) - (self.high < 0)


def block_length(windows: int, span: int) -> int:
    """`span`, over which windows depend on each other for sure, but at least windows^(1/3).

    Both in windows; the root is rounded up. With it the best length grows (Hall, Horowitz & Jing
    1995).
    """
    root = round(math.cbrt(windows))
    return max(span, root + (root**3 < windows))


def means_of_draws(losses: Floats, block: int, *, seed: int, draws: int = DRAWS) -> Floats:
    """(draws, candidates): the mean loss of each candidate in each draw.

    losses: (windows, candidates). A draw has as many windows as there are: its last block is cut.
    Candidates with equal losses have equal means, and no candidate's depend on the others.
    """
    whole, rest = divmod(len(losses), block)
    random = np.random.default_rng(seed)
    starts = random.integers(len(losses), size=(draws, whole))
    sums = _block_sums(losses, block)
    totals = np.stack([sums[chosen].sum(axis=0) for chosen in starts])
    if rest:
        totals += _block_sums(losses, rest)[random.integers(len(losses), size=draws)]
    return totals / len(losses)


def _block_sums(losses: Floats, block: int) -> Floats:
    """(windows, candidates): the sum of so many windows from each one on, around the end.

    Of sums over 1, 2, 4 … windows those that the length is made of. Differences of running sums
    would be quicker, and would lose all digits behind the loss of a run that diverged.
    """
    total, done, doubled, width = np.zeros_like(losses), 0, losses, 1
    while done < block:
        if block & width:
            total += np.roll(doubled, -done, axis=0)
            done += width
        doubled = doubled + np.roll(doubled, -width, axis=0)
        width *= 2
    return total


def interval(draws: Floats, level: float = LEVEL) -> Interval:
    """The percentile interval (Efron 1979) of a mean whose draws these are."""
    outside = (1 - level) / 2
    low, high = np.quantile(draws, [outside, 1 - outside])
    return Interval(float(low), float(high))
