"""Local wall time: as moments where its zone is known, and how a clock change looks where not."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

#: Zones that change their clocks by different rules, the best known first: what is printed as an
#: example is one in which the file's own clock change exists.
EXAMPLES = (
    "Europe/Zurich",
    "America/New_York",
    "Europe/London",
    "Australia/Sydney",
    "Europe/Helsinki",
    "Pacific/Auckland",
    "Australia/Lord_Howe",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/Havana",
    "Asia/Jerusalem",
    "Asia/Tehran",
    "Asia/Beirut",
    "Africa/Cairo",
    "Europe/Moscow",
    "Atlantic/Azores",
)

LONGEST_JUMP = 3_600_000_000  # µs


def to_utc(wall: pl.Series, zone: str) -> pl.Series:
    """Times (Datetime, µs) of a zone's clocks, in the order of the file, in UTC.

    An hour that clocks show twice is told apart by the order of rows. Null where the clocks never
    showed a time.
    """
    early = _moments(wall, zone, "earliest")
    late = _moments(wall, zone, "latest")
    twice = np.flatnonzero((early != late).fill_null(value=False).to_numpy())
    if not len(twice):
        return early
    clock, first, second = (
        series.fill_null(datetime(1970, 1, 1)).to_physical().to_numpy()  # noqa: DTZ001 (no zone)
        for series in (wall, early, late)
    )
    moments = _told_apart(clock, first, second, twice)
    return pl.Series(moments, dtype=pl.Datetime("us")).set(early.is_null(), None)


def _moments(wall: pl.Series, zone: str, which: str) -> pl.Series:
    """The earlier or the later moment of times that clocks show twice."""
    moments = wall.dt.replace_time_zone(zone, ambiguous=which, non_existent="null")  # type: ignore[arg-type]
    return moments.dt.convert_time_zone("UTC").dt.replace_time_zone(None)


Times = NDArray[np.int64]  # microseconds (rows,)


def _told_apart(clock: Times, first: Times, second: Times, twice: NDArray[np.intp]) -> Times:
    """The first moments, and the second ones of those rows where the clock had been set back."""
    moments = first.copy()
    backwards = clock[-1] < clock[0]
    usual = int(np.median(np.abs(np.diff(clock)))) if len(clock) > 1 else 0
    for run in np.split(twice, np.flatnonzero(np.diff(twice) > 1) + 1):
        rows = run[::-1] if backwards else run
        before = rows[0] + (1 if backwards else -1)
        known = 0 <= before < len(clock)
        again = _set_back(clock[rows])
        if again == len(rows) and known and second[rows[0]] - moments[before] == usual:
            again = 0  # the step says that the clock had been set back just before
        moments[rows[again:]] = second[rows[again:]]
    return moments


def _set_back(clock: Times) -> int:
    """The first row at which the clock shows what it had shown before; the number of rows if none.

    A clock is set back once: rows after another such place are those of another year or series.
    """
    places = np.flatnonzero(np.diff(clock) <= 0)
    return int(places[0]) + 1 if len(places) else len(clock)


def clock_change(times: Times, index: int) -> str:
    """A zone whose clocks were set forward or back just before row `index`; empty if none were.

    `times` are what the clocks showed, in µs since 1970 and in the order of the file. In autumn
    the row is early, or even before the last one, by as much as clocks were set back; in spring it
    is late by as much as they were set forward.
    """
    step = int(np.median(np.abs(np.diff(times))))
    before, now = int(times[index - 1]), int(times[index])
    jump = now - before - step
    if not 0 < abs(jump) <= LONGEST_JUMP:
        return ""
    return next((zone for zone in EXAMPLES if _jump(zone, before, now) == jump), "")


def _jump(zone: str, before: int, now: int) -> int:
    """Microseconds by which a zone's clocks were set forward between two times that they show."""
    then, later = _offset(zone, before, fold=0), _offset(zone, now, fold=1)
    return (later - then) // timedelta(microseconds=1)


def _offset(zone: str, microseconds: int, *, fold: int) -> timedelta:
    try:
        shown = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)
        return shown.replace(tzinfo=ZoneInfo(zone), fold=fold).utcoffset() or timedelta()
    except OverflowError:  # a year after 9999, or its zone's
        return timedelta()
