"""Numbers of the calendar, each under its own name: `hour` (0 … 23), `weekday` (Monday is 0), …"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from pyheta.pipeline.features.feature import Given, Made

SATURDAY = 6  # as Polars counts, from 1

NUMBERS: Mapping[str, Callable[[pl.Series], pl.Series]] = {
    "minute": lambda times: times.dt.minute(),
    "hour": lambda times: times.dt.hour(),
    "weekday": lambda times: times.dt.weekday() - 1,
    "weekend": lambda times: times.dt.weekday() >= SATURDAY,
    "day": lambda times: times.dt.day(),
    "yearday": lambda times: times.dt.ordinal_day(),
    "week": lambda times: times.dt.week(),
    "month": lambda times: times.dt.month(),
    "quarter": lambda times: times.dt.quarter(),
    "year": lambda times: times.dt.year(),
}


def calendar(names: Sequence[str], given: Given) -> Iterator[Made]:
    times = given.times("calendar")
    for name in names:
        yield Made(name, NUMBERS[name](times).to_numpy().astype(np.float64), known=True)
