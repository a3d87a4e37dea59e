"""Which of several candidates can be told apart, by their losses at the same forecast origins."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pyheta.evaluation.bootstrap import Interval, block_length, interval, means_of_draws
from pyheta.evaluation.series import Series
from pyheta.pipeline.arrays import Floats, Rows

#: Fewer say too little about how much windows, or blocks of them, differ.
LEAST_WINDOWS: Final = 30
LEAST_BLOCKS: Final = 4


class Refused(Exception):
    """Nothing can be said of these losses; the text says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Candidates that forecast the same windows, by their places in the order they were given."""

    windows: int
    block: int  # in windows
    losses: Floats  # (windows, candidates)
    draws: Floats  # (draws, candidates): mean losses

    def interval(self, one: int, other: int) -> Interval:
        """The interval of the mean of one's losses minus the other's: above 0, one is worse."""
        return interval(self.draws[:, one] - self.draws[:, other])

    def same(self, one: int, other: int) -> bool:
        """Whether both made the same forecasts, as far as losses show."""
        return bool(np.array_equal(self.losses[:, one], self.losses[:, other]))


def compare(candidates: Sequence[Series], span: int) -> Comparison:
    """Draw the mean losses of at least one candidate.

    span: rows over which windows depend on each other for sure, a horizon or a season. The same
    rows are always drawn at the same places, so a pair's interval is the same in every table.
    Raises Refused where the candidates forecast different rows, or too few windows.
    """
    rows = candidates[0].rows
    if not all(np.array_equal(rows, candidate.rows) for candidate in candidates):
        raise Refused("results are about different windows")
    if len(rows) < LEAST_WINDOWS:
        raise Refused(f"{len(rows):,} windows are fewer than {LEAST_WINDOWS}")
    block = block_length(len(rows), _in_windows(span, rows))
    if len(rows) < LEAST_BLOCKS * block:
        raise Refused(
            f"{len(rows):,} windows are fewer than {LEAST_BLOCKS} blocks of {block:,}, over which "
            "they depend on each other"
        )
    losses = np.stack([candidate.loss for candidate in candidates], axis=1)
    return Comparison(len(rows), block, losses, means_of_draws(losses, block, seed=_seed(rows)))


def _in_windows(span: int, rows: Rows) -> int:
    """How many windows begin within so many rows; they may be several rows apart."""
    return -(-span // int(np.median(np.diff(rows))))


def _seed(rows: Rows) -> int:
    return int.from_bytes(hashlib.sha256(rows.astype("<i8").tobytes()).digest()[:8], "little")
