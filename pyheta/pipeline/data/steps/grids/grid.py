"""A grid: a cadence, and a number for each of its times."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyheta.pipeline.data.steps.cadence import Cadence

Times = NDArray[np.int64]  # microseconds since 1970 (rows,), growing
Numbers = NDArray[np.int64]  # (rows,)
Days = NDArray[np.datetime64]  # datetime64[D] (rows,)

SECOND = 1_000_000
DAY = 86_400 * SECOND

DAYS_OF_A_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOLIDAYS = 0.1  # of all days, at most


@dataclass(frozen=True, slots=True)
class Grid:
    """A cadence, each row's number on it, and the times of any numbers."""

    cadence: Cadence
    numbers: Numbers
    at: Callable[[Numbers], Times]

    @property
    def missing(self) -> Numbers:
        """Rows that are missing before each row but the first (rows - 1,)."""
        return np.diff(self.numbers) - 1

    @property
    def whole(self) -> bool:
        return not self.missing.any()

    @property
    def mostly(self) -> bool:
        """Whether most steps are single ones, and most rows are there."""
        rows = len(self.numbers)
        return int((self.missing == 0).sum()) * 2 > rows - 1 and int(self.missing.sum()) <= rows

    def full(self) -> Times:
        """The times of all rows from the first to the last, those that are missing included."""
        return self.at(np.arange(self.numbers[0], self.numbers[-1] + 1))


def usual(steps: Times) -> int:
    """The step that comes most often."""
    lengths, counts = np.unique(steps, return_counts=True)
    return int(lengths[counts.argmax()])


def split_days(times: Times) -> tuple[Days, int] | None:
    """Days and the time of the day, if it is always the same."""
    clock = times % DAY
    if (clock != clock[0]).any():
        return None
    return (times // DAY).astype("datetime64[D]"), int(clock[0])


def weekday(days: Days) -> NDArray[np.int64]:
    """0 is Monday."""
    return (days.astype("datetime64[D]").astype(np.int64) + 3) % 7
