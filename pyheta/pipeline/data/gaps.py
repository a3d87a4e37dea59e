"""Rows that are missing between two others, by the step between rows."""

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pyheta.errors import DataError
from pyheta.pipeline.data.cadence import Cadence, Unit, find_cadence
from pyheta.pipeline.data.cures import write
from pyheta.pipeline.data.draft import TIME, Draft
from pyheta.pipeline.data.options import DataOptions

#: What lacks so many times the rows that it has does not have that step.
LONGEST = 20

DAY = np.timedelta64(1, "D").astype("m8[us]")


def with_missing_rows(draft: Draft, cadence: Cadence) -> Draft:
    """The draft with a row at each step, null where the file has none."""
    steps = steps_between(draft.frame[TIME], cadence)
    lacking = int((steps - 1).sum())
    if lacking == 0:
        return draft
    if lacking > LONGEST * draft.frame.height:
        what = f"{lacking:,} rows are missing between {draft.frame.height:,} rows"
        raise DataError(what, where=draft.name, cure=f"count rows: {write(step='rows')}")
    present = np.concatenate([[0], np.cumsum(steps)])
    before = np.repeat(np.arange(len(present)), [*steps, 1])  # each row's last one in the file
    after = np.arange(len(before)) - present[before]  # how many steps ago that was
    times = draft.frame[TIME].to_physical().to_numpy()
    full = draft.take(np.where(after == 0, before, -1))
    stamps = _later(times, before, after, steps, cadence)
    moments = pl.Series(TIME, stamps).cast(draft.frame.schema[TIME])
    return full.with_frame(full.frame.with_columns(moments), _told(lacking))


def _told(count: int) -> str:
    return f"{count:,} rows that the file lacks" if count > 1 else "1 row that the file lacks"


def _later(
    times: NDArray[np.int64],
    before: NDArray[np.intp],
    after: NDArray[np.intp],
    steps: NDArray[np.intp],
    cadence: Cadence,
) -> NDArray[np.int64]:
    """The times `after` steps after those of the rows `before`, in microseconds (rows,)."""
    if cadence.unit is Unit.MONTH:
        return _months_later(times, before, after * int(cadence.count))
    lengths = np.append(np.diff(times) / steps, 0)
    later: NDArray[np.int64] = np.rint(after * lengths[before]).astype(np.int64)
    return times[before] + later


def _months_later(
    times: NDArray[np.int64], before: NDArray[np.intp], months: NDArray[np.intp]
) -> NDArray[np.int64]:
    """Times at the end of months stay there; others stay on their day, or the month's last."""
    stamps = times.astype("M8[us]")
    starts = stamps.astype("M8[M]")
    to_end = (starts + 1).astype("M8[us]") - stamps
    target = starts[before] + months
    begin, end = target.astype("M8[us]"), (target + 1).astype("M8[us]")
    if (to_end <= DAY).all():
        later = end - to_end[before]
    else:
        later = np.minimum(begin + (stamps - starts)[before], end - np.minimum(to_end, DAY)[before])
    return np.where(months == 0, stamps[before], later).astype(np.int64, copy=False)


def steps_between(times: pl.Series, cadence: Cadence) -> NDArray[np.intp]:
    """How many steps lie between each row and the next (rows - 1,): 1 where none is missing."""
    match cadence.unit:
        case Unit.SECOND:
            apart = np.diff(times.to_physical().to_numpy()) / (cadence.count * 1e6)
        case Unit.MONTH:
            months = times.dt.year().to_numpy() * 12 + times.dt.month().to_numpy()
            apart = np.diff(months.astype(np.int64)) / cadence.count
        case _:  # holidays and nights are no gaps
            return np.ones(max(len(times) - 1, 0), dtype=np.intp)
    return np.maximum(np.rint(apart).astype(np.intp), 1)


def recounted(draft: Draft, cadence: Cadence, options: DataOptions) -> Cadence:
    """The cadence of a draft after rows were dropped: rows are counted where some lack inside."""
    if (steps_between(draft.frame[TIME], cadence) <= 1).all():
        return cadence
    counted = find_cadence(draft, options.model_copy(update={"step": "rows"}))
    note = "rows that were dropped leave gaps, so rows are counted: times are labels"
    return replace(counted, notes=(*counted.notes, note))
