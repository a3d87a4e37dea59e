"""Which rows a table has: those of a stretch of time, in order, one at each time."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pyheta.errors import DataError
from pyheta.pipeline.data.draft import ROW, TIME, Draft
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.options.moments import stretch
from pyheta.pipeline.data.questions import Answer, Question
from pyheta.pipeline.data.times.zones import clock_change, to_utc


def cut(draft: Draft, options: DataOptions) -> Draft:
    """The rows from `from` to `to`, both included. Raises DataError where that leaves none."""
    if options.from_ is None and options.to is None:
        return draft
    times = draft.frame[TIME].to_physical().to_numpy()
    start = times.min() if options.from_ is None else _ticks(draft, options.from_)[0]
    stop = times.max() + 1 if options.to is None else _ticks(draft, options.to)[1]
    kept = np.flatnonzero((times >= start) & (times < stop))
    if not len(kept):
        raise _nothing(draft, options)
    return draft.take(kept).noting(f"{len(kept):,} of {len(times):,} rows are taken")


def _ticks(draft: Draft, moment: str | int) -> tuple[int, int]:
    """Microseconds since 1970 of a moment's start and end; of a counted row, its number."""
    if draft.counted:
        if isinstance(moment, str):
            cure = "write the number of a row"
            raise DataError(f"'{moment}': rows are counted here", where=draft.name, cure=cure)
        return moment, moment + 1
    try:
        ends = [np.datetime64(end, "us").astype(np.int64) for end in stretch(moment)]
    except ValueError as error:
        cure = "write a time such as 2019-01-31"
        raise DataError(f"{moment} is no time", where=draft.name, cure=cure) from error
    return int(ends[0]), int(ends[1])


def _nothing(draft: Draft, options: DataOptions) -> DataError:
    ends = {"from": options.from_, "to": options.to}
    asked = " ".join(f"{key} {value}" for key, value in ends.items() if value is not None)
    times = draft.frame[TIME].to_physical()
    first, last = (draft.moment(int(np.argmin(times))), draft.moment(int(np.argmax(times))))
    what = f"no row {asked}: the file goes from {first} to {last}"
    return DataError(what, where=draft.name, cure="take a stretch between them")


def arrange(draft: Draft, options: DataOptions) -> Draft:
    """The draft with one row at each time, in the order of time.

    Raises DataError where that is not so and no option says what to do.
    """
    return _single(_ordered(draft, options), options)


def _steps(draft: Draft) -> NDArray[np.int64]:
    return np.diff(draft.frame[TIME].to_physical().to_numpy())


def _ordered(draft: Draft, options: DataOptions) -> Draft:
    steps = _steps(draft)
    if (steps >= 0).all():
        return draft
    order = np.argsort(draft.frame[TIME].to_physical().to_numpy(), kind="stable")
    in_order = draft.take(order)
    if not options.sort:
        raise _unordered(draft, in_order, options)
    moved = int((order != np.arange(len(order))).sum())
    return in_order.noting(f"sorted: {moved:,} rows moved")


def _unordered(draft: Draft, in_order: Draft, options: DataOptions) -> DataError:
    steps = _steps(draft)
    index = int((steps < 0).argmax()) + 1
    places = int((steps < 0).sum())
    ordered: dict[str, Any] = {"sort": True}
    if options.duplicates is None and (_steps(in_order) == 0).any():
        ordered["duplicates"] = "first"
    what = f"times must grow, but {draft.moment(index)} follows {draft.moment(index - 1)}"
    more = f" ({places} such places)" if places > 1 else ""
    answers = _answers(draft, options, Answer(ordered))
    return Question(what + more, *answers, where=draft.where(index, draft.times))


def _single(draft: Draft, options: DataOptions) -> Draft:
    same = np.concatenate([[False], _steps(draft) == 0])
    if not same.any():
        return draft
    match options.duplicates:
        case "first":
            return _kept(draft, ~same, "first")
        case "last":
            return _kept(draft, ~np.concatenate([same[1:], [False]]), "last")
        case "mean":
            return _averaged(draft, same)
    raise _doubled(draft, same, options)


def _kept(draft: Draft, rows: NDArray[np.bool_], which: str) -> Draft:
    dropped = int((~rows).sum())
    note = f"{_rows(dropped)} dropped whose time stands in another (the {which} is kept)"
    return draft.take(np.flatnonzero(rows)).noting(note)


def _averaged(draft: Draft, same: NDArray[np.bool_]) -> Draft:
    """The mean of what is known, where a time has several rows."""
    means = draft.frame.group_by(TIME, maintain_order=True).agg(
        pl.col(ROW).first(), pl.col(draft.columns).mean()
    )
    first_rows = np.flatnonzero(~same)
    several = np.flatnonzero(np.diff(np.append(first_rows, len(same))) > 1)
    note = f"{_rows(int(same.sum()))} dropped whose time stands in another (their mean is taken)"
    single = draft.take(first_rows).with_frame(means, note)
    return single.with_changed(dict.fromkeys(draft.columns, several))


def _doubled(draft: Draft, same: NDArray[np.bool_], options: DataOptions) -> DataError:
    index, count = int(same.argmax()), int(same.sum())
    more = f" ({count} such rows)" if count > 1 else ""
    what = f"{draft.moment(index)} stands in the row before too{more}"
    usual = Answer({"duplicates": "first"}, "(or last, or mean)")
    answers = _answers(draft, options, usual)
    return Question(what, *answers, where=draft.where(index, draft.times))


def _rows(count: int) -> str:
    return f"{count:,} row" + ("s" if count > 1 else "")


def _answers(draft: Draft, options: DataOptions, usual: Answer) -> Iterator[Answer]:
    """Before the usual one a zone where clocks were put back, if that may be why."""
    times = draft.frame[TIME].to_physical().to_numpy()
    newest_first = bool(times[0] > times[-1])
    are_clocks = not (draft.counted or options.time_zone)
    if are_clocks and (zone := _put_back(times[::-1] if newest_first else times)):
        order = {"sort": True} if newest_first else {}
        yield Answer({"time_zone": zone, **order}, "if clocks were put back there")
    yield usual


def _put_back(times: NDArray[np.int64]) -> str:
    """The zone of an example that put its clocks back where times first do not grow."""
    back = np.diff(times) <= 0
    if not back.any() or not (zone := clock_change(times, int(back.argmax()) + 1)):
        return ""
    moments = to_utc(pl.Series(times).cast(pl.Datetime("us")), zone)
    return "" if moments.has_nulls() else zone
