"""The step between rows: constant, of the calendar, or none at all, where rows are counted."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pyheta.errors import DataError
from pyheta.pipeline.data.draft import TIME, Draft
from pyheta.pipeline.data.options import DataOptions

HOUR = 3600.0
DAY = 24 * HOUR


class Unit(StrEnum):
    """What is counted from one row to the next."""

    SECOND = "second"  # `count` may be a fraction
    BUSINESS_DAY = "business day"
    SESSION = "session"  # a regular grid inside days
    MONTH = "month"  # 3 are a quarter, 12 a year
    ROW = "row"


@dataclass(frozen=True, slots=True)
class Cadence:
    """The step from each row to the next: `count` of a unit.

    `seconds` is its usual length, 1 where rows are counted; `season` is how many rows make a season
    (None where nothing says so).
    """

    unit: Unit
    count: float
    seconds: float
    season: int | None = None
    name: str = ""  # in words, after "one": "every hour", "each business day"
    notes: tuple[str, ...] = ()  # weekdays that are missing, …

    @property
    def calendar(self) -> bool:
        """Whether months are those of the calendar, not thirty days."""
        return self.unit in (Unit.BUSINESS_DAY, Unit.MONTH)


HOURLY = Cadence(Unit.SECOND, HOUR, HOUR, 24)


def find_cadence(draft: Draft, options: DataOptions) -> Cadence:
    """The cadence of rows that are in order. Raises DataError where there is none.

    The error prints the options that would accept the file.
    """
    if options.step == "rows":
        return Cadence(Unit.ROW, 1.0, 1.0, options.season)
    steps = np.diff(draft.frame[TIME].to_physical().to_numpy())
    lengths, counts = np.unique(steps, return_counts=True)
    usual = int(lengths[counts.argmax()])
    if len(lengths) > 1 and not (options.missing and (steps % usual == 0).all()):
        raise _irregular(draft, steps, usual)
    seconds = usual / 1e6
    return Cadence(Unit.SECOND, seconds, seconds, _season(seconds))


def _season(seconds: float) -> int | None:
    if seconds < DAY and DAY % seconds == 0:
        return int(DAY / seconds)
    return 7 if seconds == DAY else None


def _irregular(draft: Draft, steps: NDArray[np.int64], usual: int) -> DataError:
    index = int((steps != usual).argmax()) + 1
    places = int((steps != usual).sum())
    what = f"{_span(steps[index - 1])} after the row before, where the step is {_span(usual)}"
    more = f" ({places} such places)" if places > 1 else ""
    cure = "fill the gaps or resample to a regular step first"
    return DataError(what + more, where=draft.where(index, draft.times), cure=cure)


def _span(microseconds: int) -> str:
    return str(np.timedelta64(int(microseconds), "us").item())
