"""Regular grids on which the times of rows lie: constant, months, days of the week, sessions.

Each way to look at times gives each row's number on a grid, or nothing. Numbers that grow by one
from row to row are a regular series; where they sometimes grow by more, rows are missing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pyheta.pipeline.data import cadence
from pyheta.pipeline.data.cadence import Cadence, Unit

Times = NDArray[np.int64]  # microseconds since 1970 (rows,), growing
Numbers = NDArray[np.int64]  # (rows,)

SECOND = 1_000_000
DAY = 86_400 * SECOND
HOUR = 3600 * SECOND
DAYS_OF_A_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
BUSINESS = [True, True, True, True, True, False, False]

EQUAL = 1e-3  # steps that differ by less, and do not drift, are equal
LONGEST_HOLIDAY = 10  # business days in a row
HOLIDAYS = 0.1  # of all business days, at most


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


def find_grid(times: Times, *, counted: bool = False) -> Grid | None:
    """The grid on which all rows lie, the most natural one first; None where there is none.

    One on which rows are missing is taken if no other is whole. Where rows are `counted`, times
    are no moments, and have no calendar.
    """
    if counted:
        grid = _constant(times)
        return replace(grid, cadence=cadence.counted()) if grid and grid.mostly else None
    mostly: list[Grid] = []
    for way in (_months, _constant, _weekdays, _sessions):
        if (grid := way(times)) and grid.whole:
            return grid
        mostly += [grid] if grid and grid.mostly else []
    return next(
        (grid for grid in mostly if grid.cadence.unit != Unit.SECOND), next(iter(mostly), None)
    )


# Constant steps


def _constant(times: Times) -> Grid | None:
    """Equal steps, or such as are equal but for how they were rounded, and do not drift."""
    steps = np.diff(times)
    usual = _usual(steps)
    if not (steps % usual).any():
        return _even(times, float(usual), (times - times[0]) // usual)
    middle = float(np.median(steps))
    single = steps[steps < 1.5 * middle]  # rows that are missing make longer steps
    mean = float(single.mean())
    numbers = np.concatenate([[0], np.rint(steps / mean).astype(np.int64).cumsum()])
    if (np.diff(numbers) < 1).any():
        return None
    mean = float(times[-1] - times[0]) / float(numbers[-1])
    tolerance = _tolerance(steps, mean)
    best = _roundest(mean, times, numbers, tolerance)
    return _even(times, best, numbers) if _fits(times, numbers, best, tolerance) else None


def _usual(steps: Times) -> int:
    lengths, counts = np.unique(steps, return_counts=True)
    return int(lengths[counts.argmax()])


def _tolerance(steps: Times, mean: float) -> float:
    """How far from the grid a time may be: half the last digit that is written, if that is fine."""
    digit = int(np.gcd.reduce(steps))
    rounding = digit if digit <= min(SECOND, mean / 10) else 0
    return max(float(rounding), EQUAL * mean)


def _fits(times: Times, numbers: Numbers, step: float, tolerance: float) -> bool:
    off = (times - times[0]) - numbers * step
    return bool(off.max() - off.min() <= tolerance)


def _roundest(mean: float, times: Times, numbers: Numbers, tolerance: float) -> float:
    """A whole number a second, or of seconds, where that fits as well."""
    rate = SECOND / mean
    nice = SECOND / round(rate) if rate >= 1 else SECOND * float(round(mean / SECOND))
    return nice if _fits(times, numbers, nice, tolerance) else mean


def _even(times: Times, step: float, numbers: Numbers) -> Grid:
    def at(wanted: Numbers) -> Times:
        """As the file has it where it has it, in between where it has not."""
        since = np.rint(np.interp(wanted, numbers, times - times[0]))
        return np.asarray(since.astype(np.int64) + times[0])

    return Grid(cadence.constant(step / SECOND), numbers, at)


# The calendar


def _split_days(times: Times) -> tuple[NDArray[np.datetime64], int] | None:
    """Days and the time of the day, if it is always the same."""
    clock = times % DAY
    if (clock != clock[0]).any():
        return None
    return (times // DAY).astype("datetime64[D]"), int(clock[0])


def _months(times: Times) -> Grid | None:
    if (split := _split_days(times)) is None or np.diff(times).min() < 28 * DAY:
        return None
    days, clock = split
    month = days.astype("datetime64[M]")
    number = month.astype(np.int64)
    count = _usual(np.diff(number))
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


Months = NDArray[np.datetime64]
Days = NDArray[np.datetime64]


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


def _day_of_month(days: Days) -> tuple[str, Callable[[Months], Days]] | None:
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


def _fixed_day(days: Days, month: Months) -> dict[str, Callable[[Months], Days]]:
    """The 15th, or the 30th, which in February is its last."""
    day = (days - _start(month)).max()

    def rule(month: Months) -> Days:
        return np.asarray(np.minimum(_start(month) + day, _end(month)))

    return {f"day {day.astype(int) + 1}": rule}


def _nth_weekday(days: Days, month: Months) -> dict[str, Callable[[Months], Days]]:
    """The third Friday, as options expire."""
    nth = int((days[0] - _start(month)[0]).astype(int)) // 7
    weekday = int(_weekday(days[:1])[0])
    mask = [index == weekday for index in range(7)]

    def rule(month: Months) -> Days:
        return np.asarray(np.busday_offset(_start(month), nth, roll="forward", weekmask=mask))

    return {
        f"{('first', 'second', 'third', 'fourth', 'fifth')[nth]} {DAYS_OF_A_WEEK[weekday]}": rule
    }


def _near_an_end(days: Days, month: Months) -> tuple[str, Callable[[Months], Days]] | None:
    """The first or last trading day, which holidays move by a few days from the business day."""
    few = np.timedelta64(4, "D")
    for name, rule, off in (
        ("last trading day", _last_weekday, _last_weekday(month) - days),
        ("first trading day", _first_weekday, days - _first_weekday(month)),
    ):
        if (off >= np.timedelta64(0, "D")).all() and (off <= few).all() and _on_weekdays(days):
            return name, rule
    return None


def _weekday(days: Days) -> NDArray[np.int64]:
    """0 is Monday."""
    return (days.astype("datetime64[D]").astype(np.int64) + 3) % 7


def _on_weekdays(days: Days) -> bool:
    return bool(np.is_busday(days).all())


# Days of the week


def _weekdays(times: Times) -> Grid | None:
    """Business days, or others that come each week. Those that are missing are holidays."""
    if (split := _split_days(times)) is None:
        return None
    days, clock = split
    seen = np.bincount(_weekday(days), minlength=7) > 0
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


# Sessions


def _sessions(times: Times) -> Grid | None:
    """The same grid inside each day, after a pause; some days may end early.

    Days begin at most an hour apart, since a clock change moves them in UTC.
    """
    step = _usual(np.diff(times))
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
