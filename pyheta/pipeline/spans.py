"""Moments and lengths of time as people write them: 2019-01-01, 2019Q3; 8d, 36h, 12mo.

Moments are those of tables: in UTC where an offset or a zone is known, as the clock shows them
otherwise, without a zone. Sweeps read this file, so it imports nothing heavy.
"""

import re
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

MONTH = timedelta(days=30)  # as the literature on long-term forecasting counts
YEAR_MONTHS = 12
QUARTER_MONTHS = 3

_UNITS = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_LENGTH = re.compile(rf"([1-9][0-9]{{0,6}})({'|'.join(_UNITS)}|mo|y)")
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_QUARTER = re.compile(r"([0-9]{4})-?[Qq]([1-4])")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (without a zone, as tables have it)


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time: so many months, so many years, or a fixed one."""

    fixed: timedelta = timedelta()
    months: int = 0
    years: int = 0

    @classmethod
    def of(cls, text: str) -> Self | None:
        """`36h`, `8d`, `2w`, `12mo`, `2y`; None for any other text."""
        if not (match := _LENGTH.fullmatch(text)):
            return None
        count, unit = int(match[1]), match[2]
        if unit in _UNITS:
            return cls(fixed=count * _UNITS[unit])
        return cls(months=count) if unit == "mo" else cls(years=count)

    def after(self, start: datetime, *, calendar: bool) -> datetime:
        """The moment so long after `start`.

        Years are those of the calendar; months too where `calendar` says so, else they have 30
        days.
        """
        months = YEAR_MONTHS * self.years + self.months * calendar
        days = self.fixed + MONTH * self.months * (not calendar)
        try:
            return _months_after(start, months) + days
        except OverflowError:
            return datetime.max  # noqa: DTZ901 (without a zone, as tables have it)

    def before(self, end: datetime, *, calendar: bool) -> datetime:
        """The moment so long before `end`; months and years are those of `after`."""
        months = YEAR_MONTHS * self.years + self.months * calendar
        try:
            days = self.fixed + MONTH * self.months * (not calendar)
            return _months_after(end, -months) - days
        except OverflowError:
            return datetime.min  # noqa: DTZ901 (without a zone, as tables have it)

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.fixed + other.fixed, self.months + other.months, self.years + other.years
        )

    def __rmul__(self, count: int) -> Self:
        return type(self)(count * self.fixed, count * self.months, count * self.years)


def _months_after(start: datetime, months: int) -> datetime:
    """So many months later on the same day or, in a shorter month, on its last."""
    year, month = divmod(start.year * YEAR_MONTHS + start.month - 1 + months, YEAR_MONTHS)
    if not MINYEAR <= year < MAXYEAR:
        raise OverflowError
    following = start.replace(year=year + month // 11, month=(month + 1) % 12 + 1, day=1)
    last = (following - timedelta(days=1)).day
    return start.replace(year=year, month=month + 1, day=min(start.day, last))


def moment_of(text: str) -> datetime | None:
    """A moment in one of the forms of ISO 8601, a month or a quarter; None for any other text."""
    if _MONTH.fullmatch(text):
        text = f"{text}-01"
    elif match := _QUARTER.fullmatch(text):
        text = f"{match[1]}-{QUARTER_MONTHS * int(match[2]) - 2:02}-01"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def without_zone(moment: datetime, zone: str | None) -> datetime:
    """The moment as tables have it; `zone` is that of a moment without an offset."""
    if moment.tzinfo is None and zone is None:
        return moment
    aware = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(str(zone)))
    return aware.astimezone(UTC).replace(tzinfo=None)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
