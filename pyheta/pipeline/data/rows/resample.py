"""A longer step made out of a finer one: each row stands for an interval, at its start."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pyheta.errors import DataError, nearest
from pyheta.pipeline.data.draft import ROW, TIME, Draft
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.options.resample import How, Resample

#: The longest that an interval may be, in seconds.
SECONDS = {
    "s": 1,
    "min": 60,
    "h": 3600,
    "d": 86_400,
    "w": 7 * 86_400,
    "mo": 31 * 86_400,
    "q": 92 * 86_400,
    "y": 366 * 86_400,
}

#: An interval with a smaller share of the usual number of rows is told of.
FEW = 0.9


def resample(draft: Draft, options: DataOptions) -> Draft:
    """The draft with a row for each interval that has one; `draft` is in the order of time.

    Days and weeks (from Monday) are those of the table's times: of UTC where a zone is known.
    The first and the last interval are left out where the file has a part of them alone. Raises
    DataError for intervals that are shorter than the step.
    """
    asked = options.resample
    if asked is None:
        return draft
    _refuse_unfit(draft, asked)
    made = draft.frame.group_by_dynamic(TIME, every=_duration(asked.every)).agg(
        pl.col(ROW).first(), *(_made(name, asked.of(name)) for name in draft.columns)
    )
    whole, notes = _whole(draft.frame[TIME], made[TIME], asked.every)
    unchanged = replace(draft, meaning=replace(draft.meaning, changed={}))
    return unchanged.with_frame(made.filter(whole), f"resampled: {_told(asked)}", *notes)


def _refuse_unfit(draft: Draft, asked: Resample) -> None:
    if draft.counted:
        raise DataError("rows are counted, so there is nothing to resample", where=draft.name)
    for name, _ in asked.how:
        if name and name not in (*draft.columns, *draft.left_out):
            raise DataError(
                f"resample: no column '{name}'", where=draft.name, cure=nearest(name, draft.columns)
            )
    step = _usual_step(draft.frame[TIME])
    if _seconds(asked.every) * 1e6 < step * 0.999:
        what = f"resample to a finer step: rows are {timedelta(microseconds=step)} apart"
        raise DataError(what, where=draft.name, cure=f"{asked.every} is shorter: take a longer one")


def _usual_step(times: pl.Series) -> int:
    """Microseconds from a row to the next: half of them are longer, half are shorter."""
    return int(np.median(np.diff(times.to_physical().to_numpy())))


def _duration(every: str) -> str:
    """The same as Polars writes it, for which `m` is a minute."""
    return every.replace("min", "m")


def _seconds(every: str) -> int:
    unit = every.lstrip("0123456789")
    return int(every.removesuffix(unit)) * SECONDS[unit]


def _made(name: str, how: How) -> pl.Expr:
    """What is missing is no part of it, but for a sum: nobody knows that of a part."""
    column = pl.col(name)
    match how:
        case "sum":
            return pl.when(column.null_count() == 0).then(column.sum())
        case "last":
            return column.drop_nulls().last()
        case "min":
            return column.min()
        case "max":
            return column.max()
        case "mean":
            return column.mean()


def _whole(times: pl.Series, starts: pl.Series, every: str) -> tuple[pl.Series, list[str]]:
    """Which intervals are all in the file (rows,), and what is to be told.

    One at an end is, if rows reach its end as near as a step, or if it has as many as others (days
    of sessions and weeks of working days do; months have no usual number).
    """
    stamps, step = times.to_physical().to_numpy(), _usual_step(times)
    begins = starts.to_physical().to_numpy()
    end = int(starts[-1:].dt.offset_by(_duration(every)).to_physical()[0])
    counts = np.diff(np.append(np.searchsorted(stamps, begins), len(stamps)))
    usual = np.median(counts)
    as_others = (counts >= usual) & every.endswith(("s", "min", "h", "d", "w"))
    whole = np.ones(len(counts), dtype=bool)
    whole[0] = stamps[0] - begins[0] < step or as_others[0]
    whole[-1] &= end - stamps[-1] <= step or as_others[-1]
    few = int((counts[whole] < FEW * usual).sum())
    return pl.Series(whole), [*_parts(whole, starts), *_fewer(few)]


def _parts(whole: NDArray[np.bool_], starts: pl.Series) -> Iterator[str]:
    if dropped := [str(starts[int(index)]) for index in np.flatnonzero(~whole)]:
        yield f"resampled: left out what the file has only a part of ({' and '.join(dropped)})"


def _fewer(count: int) -> Iterator[str]:
    if count:
        intervals = "1 interval has" if count == 1 else f"{count:,} intervals have"
        yield f"resampled: {intervals} less than nine tenths of the usual rows"


def _told(asked: Resample) -> str:
    ways = ", ".join(f"{name} {how}".strip() for name, how in asked.how)
    return f"every {asked.every}, {ways}"
