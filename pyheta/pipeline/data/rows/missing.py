"""What is done about cells without a value. Nothing is, unless the options say so.

forward   the last value is carried on
mask      so too, and a column is 1 where it was
drop      rows without a value are left out
linear    a straight line between the values before and after; the last value is carried on
seasonal  the same in each phase of the season apart: from one season to the next

Before a column's first value it stays NaN, whatever is done about the others.
"""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pyheta.errors import DataError
from pyheta.pipeline.data.draft import ROW, Draft
from pyheta.pipeline.data.files.rawfile import first
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.options.missing import Missing, Policy
from pyheta.pipeline.data.questions import Answer, Question
from pyheta.pipeline.data.rows.answers import ages_of, longest_gap, to_accept
from pyheta.pipeline.data.rows.gaps import with_missing_rows
from pyheta.pipeline.data.steps.cadence import Cadence


@dataclass(frozen=True, slots=True)
class _Filled:
    """A column of which nothing is missing after its first value, unless rows are dropped."""

    values: pl.Series
    missing: pl.Series  # Boolean: where the file has no value
    policy: Policy


def settle(draft: Draft, options: DataOptions, cadence: Cadence) -> Draft:
    """The draft without missing values: a column that still has some is left out."""
    missing = options.missing or Missing()
    if options.missing:
        draft = with_missing_rows(draft, cadence)
    filled: list[_Filled] = []
    refused: dict[str, DataError] = {}
    for name in draft.columns:
        if draft.frame[name].has_nulls():
            try:
                filled.append(_fill(draft, name, missing, cadence.season))
            except DataError as error:
                refused[name] = error
    return _dropped(_masked(_with(draft.without(refused), filled), filled), filled)


def _fill(draft: Draft, name: str, missing: Missing, season: int | None) -> _Filled:
    column, policy = draft.frame[name], missing.of(name)
    absent = column.is_null()
    if not policy.decides:
        raise _question(draft, name, absent, missing)
    _refuse_long_gaps(draft, name, absent, missing)
    if policy.how == "mask" and _mask(name) in draft.columns:
        cure = "rename it, or fill forward"
        raise DataError(f"'{_mask(name)}' is a column too", where=draft.name, cure=cure)
    return _Filled(_values(draft, column, policy, season), absent, policy)


def _question(draft: Draft, name: str, absent: pl.Series, missing: Missing) -> DataError:
    count = int(absent.sum())
    what = f"{count:,} missing values, the first here" if count > 1 else "a missing value"
    options = to_accept(missing, name, longest_gap(absent))
    answer = Answer(options, "(or mask, or drop)")
    return Question(what, answer, where=draft.where(first(absent), name))


def _refuse_long_gaps(draft: Draft, name: str, absent: pl.Series, missing: Missing) -> None:
    limit = missing.of(name).limit
    if limit is None or (longest := longest_gap(absent)) <= limit:
        return
    ages = ages_of(absent)
    index = int((ages > limit).argmax()) - limit
    what = f"{longest:,} values in a row are missing, and the limit is {limit:,}"
    where = draft.where(index, name)
    raise Question(what, Answer(to_accept(missing, name, longest)), where=where)


def _values(draft: Draft, column: pl.Series, policy: Policy, season: int | None) -> pl.Series:
    match policy.fill:
        case "linear":
            return column.interpolate().forward_fill()
        case "seasonal":
            return _seasonal(draft, column, season)
    return column if policy.how == "drop" else column.forward_fill()


def _seasonal(draft: Draft, column: pl.Series, season: int | None) -> pl.Series:
    """Rows before the first value stay without one."""
    where = f"{draft.name}: column '{column.name}'"
    if season is None:
        answer = Answer({"season": 24}, "where a season has so many rows")
        raise Question("nothing says how long a season is", answer, where=where)
    phase = pl.int_range(pl.len()) % season
    filled = column.to_frame().select(
        pl.col(column.name).interpolate().forward_fill().backward_fill().over(phase)
    )
    known = column.is_not_null().cum_max()
    values = filled.to_series().set(~known, None)
    if values.filter(known).has_nulls():
        cure = "take a fill that needs no season"
        raise DataError("no value at one time of the season", where=where, cure=cure)
    return values


def _with(draft: Draft, filled: list[_Filled]) -> Draft:
    """Values that were filled in; NaN before the first one of a column."""
    if not filled:
        return draft
    columns = [column.values.fill_null(np.nan) for column in filled]
    places = {column.values.name: column.missing & column.values.is_not_null() for column in filled}
    changed = {name: mask.arg_true().to_numpy() for name, mask in places.items() if mask.any()}
    return draft.with_frame(draft.frame.with_columns(columns)).with_changed(changed)


def _mask(name: str) -> str:
    return f"{name} missing"


def _masked(draft: Draft, filled: list[_Filled]) -> Draft:
    """A column for each mask, after all others."""
    masks = {c.values.name: c.missing for c in filled if c.policy.how == "mask"}
    columns = [mask.cast(pl.Float64).alias(_mask(name)) for name, mask in masks.items()]
    names = {name: _mask(name) for name in masks}
    meaning = replace(draft.meaning, masks={**draft.meaning.masks, **names})
    return replace(draft.with_frame(draft.frame.with_columns(columns)), meaning=meaning)


def _dropped(draft: Draft, filled: list[_Filled]) -> Draft:
    absent = [column.missing.to_numpy() for column in filled if column.policy.how == "drop"]
    if not absent:
        return draft
    kept: NDArray[np.intp] = np.flatnonzero(~np.logical_or.reduce(absent))
    after = draft.take(kept)
    dropped = draft.frame[ROW].count() - after.frame[ROW].count()
    return after.noting(f"{dropped:,} of {draft.frame[ROW].count():,} rows dropped")
