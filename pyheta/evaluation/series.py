"""The loss series of a candidate: how wrong it was at each forecast origin."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pyheta.pipeline.arrays import Floats, Rows


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The losses of windows in order of time."""

    rows: Rows  # (windows,): of the first targets, increasing
    loss: Floats  # (windows,)


def mean_series(parts: Sequence[Series]) -> Series:
    """The mean over seeds, with the folds of each stitched together.

    Each row has the mean over those of the parts that forecast it: the loss that is to be expected
    of a candidate there. A row occurs once, however many folds forecast it. There is at least one
    part; their rows may be in any order.
    """
    rows, place = np.unique(np.concatenate([part.rows for part in parts]), return_inverse=True)
    sums = np.bincount(place, np.concatenate([part.loss for part in parts]))
    return Series(rows, sums / np.bincount(place))
