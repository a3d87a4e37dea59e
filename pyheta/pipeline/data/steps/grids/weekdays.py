"""Business days, or others that come each week."""

import numpy as np

from pyheta.pipeline.data.steps import cadence
from pyheta.pipeline.data.steps.grids.grid import (
    DAY,
    DAYS_OF_A_WEEK,
    HOLIDAYS,
    Days,
    Grid,
    Numbers,
    Times,
    split_days,
    weekday,
)

BUSINESS = [True, True, True, True, True, False, False]
LONGEST_HOLIDAY = 10  # business days in a row


def weekdays(times: Times) -> Grid | None:
    """Business days, or others that come each week. Those that are missing are holidays."""
    if (split := split_days(times)) is None:
        return None
    days, clock = split
    seen = np.bincount(weekday(days), minlength=7) > 0
    masks = [BUSINESS] if not seen[5:].any() else []
    masks += [[bool(day) for day in seen]] if _weeks(days) >= 3 else []  # noqa: PLR2004
    grids = (_masked(days, clock, mask) for mask in masks if 1 < sum(mask) < 7)  # noqa: PLR2004
    return next((grid for grid in grids if grid), None)


def _weeks(days: Days) -> float:
    return float((days[-1] - days[0]).astype(int)) / 7


def _masked(days: Days, clock: int, mask: list[bool]) -> Grid | None:
    missing, longest = _missing_days(days, np.busdaycalendar(weekmask=mask))
    passes_a_weekend = (days[-1] - days[0]).astype(int) > len(days) + len(missing) - 1
    if len(missing) > HOLIDAYS * (len(days) + len(missing)) or not passes_a_weekend:
        return None
    holidays = missing[longest <= LONGEST_HOLIDAY]
    week = np.busdaycalendar(weekmask=mask, holidays=holidays)

    def at(wanted: Numbers) -> Times:
        day = np.busday_offset(days[0], wanted, busdaycal=week)
        return np.asarray(day.astype(np.int64) * DAY + clock)

    names = tuple(name for name, there in zip(DAYS_OF_A_WEEK, mask, strict=True) if there)
    is_business = len(names) == 5  # noqa: PLR2004 (somewhere a weekend is Friday and Saturday)
    kind = cadence.weekdays(names, usual=is_business, notes=_holidays(holidays))
    return Grid(kind, np.busday_count(days[0], days, busdaycal=week), at)


def _missing_days(days: Days, week: np.busdaycalendar) -> tuple[Days, Numbers]:
    """The days of a week's calendar that are missing, and how many are so in a row with each."""
    numbers = np.busday_count(days[0], days, busdaycal=week)
    holes = np.diff(numbers) - 1
    missing = np.setdiff1d(np.arange(numbers[-1] + 1), numbers)
    return np.asarray(np.busday_offset(days[0], missing, busdaycal=week)), np.repeat(holes, holes)


def _holidays(days: Days) -> tuple[str, ...]:
    if not len(days):
        return ()
    shown = ", ".join(str(day) for day in days[:10])
    more = ", …" if len(days) > 10 else ""  # noqa: PLR2004
    what = "1 weekday is" if len(days) == 1 else f"{len(days)} weekdays are"
    return (f"{what} missing and taken for holidays: {shown}{more}",)
