"""The step between rows: constant, of the calendar, or none at all, where rows are counted."""

from dataclasses import dataclass
from enum import StrEnum

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
YEAR = 365.2425 * DAY
MONTH = YEAR / 12


class Unit(StrEnum):
    """What is counted from one row to the next."""

    SECOND = "second"  # `count` may be a fraction
    BUSINESS_DAY = "business day"
    SESSION = "session"  # a regular grid inside days; `count` seconds apart
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


def constant(seconds: float) -> Cadence:
    """Rows that are always as far apart.

    The season is a day for steps of a minute and more, a week for days, a year for weeks. Below a
    minute nothing says what it is: a minute is no season of anything.
    """
    return Cadence(Unit.SECOND, seconds, seconds, _season(seconds), _every(seconds))


def months(count: int, where: str) -> Cadence:
    """Calendar months; `where` says on which day: "start", "end", "day 15"."""
    names = {1: "each month", 3: "each quarter", 12: "each year"}
    name = f"{names.get(count, f'every {count} months')} ({where})"
    season = 12 // count if 12 % count == 0 and count < 12 else None  # noqa: PLR2004 (months)
    return Cadence(Unit.MONTH, count, count * MONTH, season, name)


def weekdays(days: tuple[str, ...], *, usual: bool, notes: tuple[str, ...]) -> Cadence:
    """The same days of each week; `usual` are those on which business is done."""
    name = "each business day" if usual else f"each {', '.join(days[:-1])} and {days[-1]}"
    return Cadence(Unit.BUSINESS_DAY, 1, WEEK / len(days), len(days), name, notes)


def sessions(seconds: float, rows: int, notes: tuple[str, ...]) -> Cadence:
    """A regular grid inside days, of so many rows a day."""
    name = f"{_every(seconds)} of a session"
    return Cadence(Unit.SESSION, seconds, seconds, rows, name, notes)


def counted() -> Cadence:
    """No step at all: rows are counted."""
    return Cadence(Unit.ROW, 1, 1, None, "each row")


def _season(seconds: float) -> int | None:
    if seconds < MINUTE:
        return None
    if seconds < DAY:
        return _whole(DAY / seconds)
    if seconds < WEEK:
        return _whole(WEEK / seconds)
    return _whole(52 * WEEK / seconds) if seconds % WEEK == 0 else None


def _whole(rows: float) -> int | None:
    return round(rows) if rows == round(rows) and rows > 1 else None


def _every(seconds: float) -> str:
    if seconds < 1 and abs(1 / seconds - round(1 / seconds)) < 1e-6 / seconds:
        rate = round(1 / seconds)
        return f"every 1/{rate} second ({rate:,} a second)"
    units = (("week", WEEK), ("day", DAY), ("hour", HOUR), ("minute", MINUTE))
    word, length = next(
        ((word, length) for word, length in units if seconds % length == 0), ("second", 1.0)
    )
    count = seconds / length
    return f"every {word}" if count == 1 else f"every {count:,.10g} {word}s"


HOURLY = constant(HOUR)
