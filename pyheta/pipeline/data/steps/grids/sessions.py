"""Sessions: the same grid inside each day, as when markets are open."""

import numpy as np

from pyheta.pipeline.data.steps import cadence
from pyheta.pipeline.data.steps.grids.grid import DAY, HOLIDAYS, SECOND, Grid, Numbers, Times, usual

HOUR = 3600 * SECOND


def sessions(times: Times) -> Grid | None:
    """The same grid inside each day, after a pause; some days may end early.

    Days begin at most an hour apart, since a clock change moves them in UTC.
    """
    step = usual(np.diff(times))
    if not (days := _days_of_sessions(times, step)):
        return None
    starts, lengths = days
    offsets = times - np.repeat(times[starts], lengths)
    grid = _usual_offsets(offsets, len(starts))
    index = np.searchsorted(grid, offsets).clip(max=len(grid) - 1)
    if len(grid) < 2 or (grid % step).any() or (grid[index] != offsets).any():  # noqa: PLR2004
        return None
    sizes = index[starts + lengths - 1] + 1  # what is missing at the end of a day is no gap
    short = int((sizes < len(grid)).sum())
    if short > 2 * HOLIDAYS * len(starts):
        return None
    first = np.cumsum(sizes) - sizes

    def at(wanted: Numbers) -> Times:
        day = np.searchsorted(first, wanted, side="right") - 1
        return np.asarray(times[starts[day]] + grid[wanted - first[day]])

    kind = cadence.sessions(step / SECOND, len(grid), _short_days(short, len(starts)))
    return Grid(kind, np.repeat(first, lengths) + index, at)


def _usual_offsets(offsets: Times, days: int) -> Times:
    """The times of a day, from its first row, at which more than half of the days have a row."""
    found, counts = np.unique(offsets, return_counts=True)
    return np.asarray(found[counts * 2 > days])


def _short_days(short: int, days: int) -> tuple[str, ...]:
    return (f"{short} of {days} days end{'s' if short == 1 else ''} early",) if short else ()


def _days_of_sessions(times: Times, step: int) -> tuple[Numbers, Numbers] | None:
    """Where days start, and how many rows each has; None if there is no pause between them."""
    clocks = np.unique(times % DAY)
    pauses = np.diff(np.append(clocks, clocks[0] + DAY))
    opening = clocks[(int(pauses.argmax()) + 1) % len(clocks)]
    day = (times - opening) // DAY
    starts = np.flatnonzero(np.append(True, np.diff(day) > 0))
    opens = times[starts] - opening - day[starts] * DAY
    if len(starts) < 3 or pauses.max() <= step or opens.max() > HOUR:  # noqa: PLR2004
        return None
    return starts, np.diff(np.append(starts, len(times)))
