"""Noise in place of the future, in the cells of a file, and the times at which it is tried.

What is done about missing values, double rows and rows out of order is done at few places. A policy
that looks ahead shows there alone: noise begins at some of these places and right after them.
"""

from collections.abc import Container, Iterator, Sequence
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pyheta.pipeline.data.draft import TIME, Draft
from pyheta.pipeline.data.options.missing import Missing, Policy

#: The noise is so many times as wide as the column, so that no scaling can hide it.
WIDTH = 5.0

#: Places of each kind that are tried.
FEW = 5


def with_noise(draft: Draft, start: datetime, known: Container[str] = ()) -> Draft:
    """The same cells with noise in every column but the known ones, from a time on.

    What is missing stays so. Rows may be in any order.
    """
    return _spoilt(draft, start, known, holes=False)


def without_holes(
    draft: Draft, start: datetime, times: pl.Series, known: Container[str] = ()
) -> Draft:
    """The same with noise in cells that are missing too, and a row at each of the times.

    So it shows whether what is done before `start` depends on what is missing after it.
    """
    lacking = times.filter((times >= start) & ~times.is_in(draft.frame[TIME].implode()))
    frame = pl.concat([draft.frame, lacking.alias(TIME).to_frame()], how="diagonal")
    if draft.frame[TIME].is_sorted():
        frame = frame.sort(TIME, maintain_order=True)
    return _spoilt(draft.with_frame(frame), start, known, holes=True)


def _spoilt(draft: Draft, start: datetime, known: Container[str], *, holes: bool) -> Draft:
    random = np.random.default_rng(0)
    late = draft.frame[TIME] >= start
    columns = [draft.frame[name] for name in draft.columns if name not in known]
    spoilt = [
        _noise(column, random).zip_with(late if holes else late & column.is_not_null(), column)
        for column in columns
    ]
    return draft.with_frame(draft.frame.with_columns(spoilt))


def _noise(column: pl.Series, random: np.random.Generator) -> pl.Series:
    known = column.drop_nulls().to_numpy()
    width = WIDTH * (float(known.std()) or 1.0) if known.size else 1.0
    centre = float(known.mean()) if known.size else 0.0
    noise = random.normal(centre, width, len(column))
    if known.size and known.min() > 0:  # its logarithm may be what is asked for
        noise = np.abs(noise)
    return pl.Series(column.name, noise)


def moments(draft: Draft, times: pl.Series, missing: Missing) -> list[datetime]:
    """Some of the table's times at which something begins to be done about rows or cells, and some
    right after.
    """
    there = pl.concat([draft.frame[TIME], times]).unique().sort()
    found: set[datetime] = set()
    for places in _places(draft, times, missing):
        inside = places.filter(places.is_between(times[0], times[-1]))
        rows = np.unique(np.searchsorted(there.to_numpy(), inside.to_numpy()))
        for some in (np.setdiff1d(rows, rows + 1), np.setdiff1d(rows + 1, rows)):
            found.update(there.gather(_few(some[some < len(there)])))
    return sorted(time for time in found if time <= times[-1])


def _places(draft: Draft, times: pl.Series, missing: Missing) -> Iterator[pl.Series]:
    """The times of missing cells by what is done about them, of missing rows, of double ones, and
    of those after which a row comes too late.
    """
    frame = draft.frame
    for columns in _by_policy(draft, missing):
        yield frame.filter(pl.any_horizontal(pl.col(columns).is_null()))[TIME]
    yield times.filter(~times.is_in(frame[TIME].implode()))
    yield frame[TIME].filter(frame[TIME].is_duplicated())
    yield frame[TIME].filter((frame[TIME] > frame[TIME].shift(-1)).fill_null(value=False))


def _by_policy(draft: Draft, missing: Missing) -> Iterator[Sequence[str]]:
    columns: dict[Policy, list[str]] = {}
    for name in draft.columns:
        if draft.frame[name].has_nulls():
            columns.setdefault(missing.of(name), []).append(name)
    yield from columns.values()


def _few(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    return rows[:: max(1, len(rows) // FEW)][:FEW]
