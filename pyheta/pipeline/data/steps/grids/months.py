"""Calendar months, quarters and years: one row in each, always on the same kind of day."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pyheta.pipeline.data.steps import cadence
from pyheta.pipeline.data.steps.grids.grid import (
    DAY,
    DAYS_OF_A_WEEK,
    Days,
    Grid,
    Numbers,
    Times,
    split_days,
    usual,
    weekday,
)

Months = NDArray[np.datetime64]  # datetime64[M] (rows,)
Rule = Callable[[Months], Days]


def months(times: Times) -> Grid | None:
    """Rows of which each is a month, or as many months as the others, after the one before."""
    if (split := split_days(times)) is None or np.diff(times).min() < 28 * DAY:
        return None
    days, clock = split
    month = days.astype("datetime64[M]")
    number = month.astype(np.int64)
    count = usual(np.diff(number))
    if count < 1 or (np.diff(number) % count).any() or not (rule := _day_of_month(days)):
        return None
    name, day_of = rule

    def at(wanted: Numbers) -> Times:
        """As the file has it where it has it: a last trading day may be any."""
        made = day_of(_plus(month[0], wanted * count))
        known = np.searchsorted(numbers, wanted).clip(max=len(numbers) - 1)
        day = np.where(numbers[known] == wanted, days[known], made)
        return np.asarray(day.astype(np.int64) * DAY + clock)

    numbers = (number - number[0]) // count
    return Grid(cadence.months(count, name), numbers, at)


def _plus(month: np.datetime64, count: Numbers) -> Months:
    return np.asarray(month + count.astype("timedelta64[M]"))


def _start(month: Months) -> Days:
    return month.astype("datetime64[D]")


def _end(month: Months) -> Days:
    return np.asarray(_start(month + np.timedelta64(1, "M")) - np.timedelta64(1, "D"))


def _first_weekday(month: Months) -> Days:
    return np.asarray(np.busday_offset(_start(month), 0, roll="forward"))


def _last_weekday(month: Months) -> Days:
    return np.asarray(np.busday_offset(_end(month), 0, roll="backward"))


def _day_of_month(days: Days) -> tuple[str, Rule] | None:
    """Which day of each month it is, in words, and that day of any month."""
    month = days.astype("datetime64[M]")
    rules = {
        "start": _start,
        "end": _end,
        "first business day": _first_weekday,
        "last business day": _last_weekday,
        **_fixed_day(days, month),
        **_nth_weekday(days, month),
    }
    for name, rule in rules.items():
        if (rule(month) == days).all():
            return name, rule
    return _near_an_end(days, month)


def _fixed_day(days: Days, month: Months) -> dict[str, Rule]:
    """The 15th, or the 30th, which in February is its last."""
    day = (days - _start(month)).max()

    def rule(month: Months) -> Days:
        return np.asarray(np.minimum(_start(month) + day, _end(month)))

    return {f"day {day.astype(int) + 1}": rule}


def _nth_weekday(days: Days, month: Months) -> dict[str, Rule]:
    """The third Friday, as options expire."""
    nth = int((days[0] - _start(month)[0]).astype(int)) // 7
    day = int(weekday(days[:1])[0])
    mask = [index == day for index in range(7)]

    def rule(month: Months) -> Days:
        return np.asarray(np.busday_offset(_start(month), nth, roll="forward", weekmask=mask))

    return {f"{('first', 'second', 'third', 'fourth', 'fifth')[nth]} {DAYS_OF_A_WEEK[day]}": rule}


def _near_an_end(days: Days, month: Months) -> tuple[str, Rule] | None:
    """The first or last trading day, which holidays move by a few days from the business day."""
    few = np.timedelta64(4, "D")
    for name, rule, off in (
        ("last trading day", _last_weekday, _last_weekday(month) - days),
        ("first trading day", _first_weekday, days - _first_weekday(month)),
    ):
        if (
            (off >= np.timedelta64(0, "D")).all()
            and (off <= few).all()
            and np.is_busday(days).all()
        ):
            return name, rule
    return None
