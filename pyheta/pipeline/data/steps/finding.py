"""The cadence of a file's rows, or the question that decides what is done without one."""

from dataclasses import replace

import numpy as np
import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.draft import TIME, Draft
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.questions import Answer, Question
from pyheta.pipeline.data.steps import cadence
from pyheta.pipeline.data.steps.cadence import Cadence
from pyheta.pipeline.data.steps.grids import Grid, Times, find_grid
from pyheta.pipeline.data.times.zones import clock_change, to_utc

COUNTED = {"step": "rows"}


def find_cadence(draft: Draft, options: DataOptions, *, gaps: bool = False) -> Cadence:
    """The cadence of rows that are in order. Raises DataError where there is none.

    With `gaps` rows may be missing on the grid: a policy says what is done about them. The error
    prints the options that would accept the file.
    """
    times = draft.frame[TIME].to_physical().to_numpy()
    if len(times) < 2:  # noqa: PLR2004 (two rows make a step)
        raise DataError("only one row", where=draft.name, cure="a series needs at least two rows")
    if options.step == "rows":
        return _with_season(cadence.counted(), options)
    grid = find_grid(times, counted=draft.counted)
    if grid is None:
        raise _irregular(draft, times)
    if not grid.whole and not gaps:
        raise _gaps(draft, times, grid)
    return _with_season(grid.cadence, options)


def full_times(draft: Draft) -> Times:
    """The times of all rows on the grid of a draft with a cadence, missing ones included: µs."""
    times: Times = draft.frame[TIME].to_physical().to_numpy()
    grid = find_grid(times, counted=draft.counted)
    return times if grid is None else grid.full()


def _with_season(found: Cadence, options: DataOptions) -> Cadence:
    return replace(found, season=options.season) if options.season else found


def _gaps(draft: Draft, times: Times, grid: Grid) -> Question:
    """Rows are missing on a grid: the first place, how many, and both ways on."""
    index = int((grid.missing > 0).argmax()) + 1
    places = int((grid.missing > 0).sum())
    gap = _span(draft, times[index] - times[index - 1])
    usual = "numbers grow by less" if draft.counted else f"there is one {grid.cadence.name}"
    what = f"{gap} after the row before, where {usual}"
    what += f" ({places} such places, {grid.missing.sum()} rows)" if places > 1 else ""
    fill = {"missing": {"fill": "forward", "limit": int(grid.missing.max())}}
    answers = Answer(fill, "to fill them"), Answer(COUNTED, "to count rows as they are")
    return _asked(draft, times, index, what, *answers)


def _irregular(draft: Draft, times: Times) -> Question:
    steps = np.diff(times)
    lengths, counts = np.unique(steps, return_counts=True)
    usual = lengths[counts.argmax()]
    index = int((steps != usual).argmax()) + 1
    what = (
        f"{_span(draft, steps[index - 1])} after the row before, where {_span(draft, usual)} is "
        f"usual ({(steps != usual).sum()} such places): there is no regular step"
    )
    answer = Answer(COUNTED, "to count rows and take times for their order alone")
    return _asked(draft, times, index, what, answer)


def _asked(draft: Draft, times: Times, index: int, what: str, *answers: Answer) -> Question:
    """A question about a row; where a clock change explains it all, its zone is the answer."""
    where = draft.where(index, draft.times)
    if zone := _clock_change(draft, times):
        lead = "this is a clock change: name the zone of the file's clock and"
        return Question(what, Answer({"time_zone": zone}), where=where, lead=lead)
    return Question(what, *answers, where=where)


def _clock_change(draft: Draft, times: Times) -> str:
    """The zone of an example where a clock change is all that makes a file irregular."""
    if draft.counted:
        return ""
    steps = np.diff(times)
    for place in np.flatnonzero(steps != np.median(steps))[:4]:
        if zone := clock_change(times, int(place) + 1):
            moments = to_utc(pl.Series(times).cast(pl.Datetime("us")), zone)
            if moments.has_nulls():
                return ""
            grid = find_grid(moments.to_physical().to_numpy())
            return zone if grid and grid.whole else ""
    return ""


def _span(draft: Draft, step: np.int64) -> str:
    return str(int(step)) if draft.counted else str(np.timedelta64(int(step), "us").item())
