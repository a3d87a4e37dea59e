"""Columns that are made: of the times, or of other columns. `FEATURES` lists the kinds, by key.

Every kind makes row t from rows up to t, and the probe for leakage checks it (`plan.probe`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.draft import TIME, Draft
from pyheta.pipeline.data.options.columns import Columns
from pyheta.pipeline.features.calendar import calendar
from pyheta.pipeline.features.controls import noise, shuffled
from pyheta.pipeline.features.feature import Given, Kind, Made
from pyheta.pipeline.features.fourier import fourier
from pyheta.pipeline.features.holidays import holidays
from pyheta.pipeline.features.lags import lags
from pyheta.pipeline.features.prices import difference, returns
from pyheta.pipeline.features.rolling import rolling

FEATURES: Mapping[str, Kind] = {
    "calendar": calendar,
    "fourier": fourier,
    "holidays": holidays,
    "lags": lags,
    "rolling": rolling,
    "returns": returns,
    "range": difference,
    "noise": noise,
    "shuffled": shuffled,
}

MAX_MADE = 10_000  # columns, as many as a file may have


def add(draft: Draft, options: Columns, zone: str | None = None) -> Draft:
    """The draft with the columns that the options ask for, after its own.

    `zone`: whose calendar counts, where times are in UTC. Raises DataError for a column that is not
    there, or a name that is taken.
    """
    made: dict[str, Made] = {}
    for column in _made(options, Given(draft, zone)):
        _refuse_taken(column.name, {*draft.frame.columns, *draft.left_out, *made}, draft)
        made[column.name] = column
    if not made:
        return draft
    frame = draft.frame.with_columns(pl.Series(name, each.values) for name, each in made.items())
    meaning = replace(
        draft.meaning,
        known=draft.meaning.known | {name for name, each in made.items() if each.known},
        reach={name: each.reach for name, each in made.items() if each.reach and not each.known},
    )
    return replace(draft, frame=frame, meaning=meaning)


def _made(options: Columns, given: Given) -> Iterator[Made]:
    for kind, make in FEATURES.items():
        if (wanted := getattr(options.features, kind, None)) is not None:
            yield from make(wanted, given)


def _refuse_taken(name: str, taken: set[str], draft: Draft) -> None:
    if name in taken or name == TIME:
        what = f"a feature would be called '{name}', and there is a column of that name"
        raise DataError(what, where=draft.name, cure="rename the column, or leave the feature out")
    if len(taken) > MAX_MADE:
        raise DataError(f"more than {MAX_MADE:,} columns", where=draft.name, cure="make fewer")
