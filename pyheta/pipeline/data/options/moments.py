"""Moments as people write them: a year, a month, a day, a time, or the number of a row."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator

_MONTH = re.compile(r"(\d{4})-(\d{2})")
_YEAR = re.compile(r"\d{4}")
_TICK = timedelta(microseconds=1)


def stretch(moment: str | int) -> tuple[datetime, datetime]:
    """All that is meant: its first moment, and the first one after it; UTC where it has an offset.

    A year, a month and a day are as long as they are, a time is a single moment. Raises ValueError.
    """
    text = str(moment).strip()
    if _YEAR.fullmatch(text):
        return _months(int(text), 1, 12)
    if parts := _MONTH.fullmatch(text):
        return _months(int(parts[1]), int(parts[2]), 1)
    try:
        day = datetime.combine(date.fromisoformat(text), datetime.min.time())
    except ValueError:
        time = _without_zone(datetime.fromisoformat(text))
        return time, time + _TICK
    return day, day + timedelta(days=1)


def _months(year: int, month: int, count: int) -> tuple[datetime, datetime]:
    start = datetime(year, month, 1)  # noqa: DTZ001 (tables have no zones)
    more, last = divmod(month - 1 + count, 12)
    return start, start.replace(year=year + more, month=last + 1)


def _without_zone(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time


def _checked(moment: str | int) -> str | int:
    if isinstance(moment, str):
        try:
            stretch(moment)
        except (ValueError, OverflowError) as error:
            forms = "2019, 2019-01, 2019-01-31 or 2019-01-31 18:00, or a number of a counted row"
            raise ValueError(f"expected a time such as {forms}, got '{moment[:40]}'") from error
    return moment


Moment = Annotated[int | str, AfterValidator(_checked)]
