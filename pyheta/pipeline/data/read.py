"""From the bytes of a file to the table that steps read: the stations, one after the other.

Nothing is repaired silently. What a station cannot decide it refuses, and the error prints the
options that would decide it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.cells import read_cells
from pyheta.pipeline.data.draft import ROW, Draft, Meaning
from pyheta.pipeline.data.files.rawfile import RawTable, parse
from pyheta.pipeline.data.numbers import NoNumbers, kinds_of
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.roles import assign, select, without_ended
from pyheta.pipeline.data.rows.gaps import recounted
from pyheta.pipeline.data.rows.missing import settle
from pyheta.pipeline.data.rows.order import arrange, cut
from pyheta.pipeline.data.rows.panels import pick_series, refuse_panel
from pyheta.pipeline.data.rows.resample import resample
from pyheta.pipeline.data.rows.sentinels import ask_about_sentinels
from pyheta.pipeline.data.steps.cadence import Cadence
from pyheta.pipeline.data.steps.finding import find_cadence
from pyheta.pipeline.data.times.axis import TimeAxis, find_time, read_times
from pyheta.pipeline.features import add

#: Rows that make a step.
LEAST = 2

#: What is done to the cells of a file before anything is made of them: see `plan.probe`.
Spoil = Callable[[Draft], Draft]


@dataclass(frozen=True, slots=True)
class Reading:
    """A checked table, and all that was found on the way.

    `frame`: TIME (Datetime, µs, UTC where an offset was given), then finite Float64 columns in the
    order of the file. A column may be NaN before the first row at which it is known.
    """

    frame: pl.DataFrame
    times: tuple[str, ...]  # the time columns of the file
    counted: bool  # times are whole numbers, no moments
    cadence: Cadence
    left_out: Mapping[str, DataError]  # columns that are no series of numbers, and why
    notes: tuple[str, ...]  # what was found and what was done: a sentence each
    meaning: Meaning = field(default_factory=Meaning)


def read(raw: bytes, name: str, options: DataOptions, spoil: Spoil = lambda it: it) -> Reading:
    """Read and check a file. `name` is what messages call it. Raises DataError."""
    return check(parse(raw, name, options), options, spoil)


def check(table: RawTable, options: DataOptions, spoil: Spoil = lambda it: it) -> Reading:
    """Check what stands in a file. Raises DataError."""
    axis, draft = read_rows(table, options, spoil)
    _refuse_nothing_left(draft)
    draft = resample(draft, options)
    _refuse_too_few(draft)
    cadence = find_cadence(draft, options, gaps=options.missing is not None)
    draft = settle(without_ended(draft, options), options, cadence)
    _refuse_nothing_left(draft)
    _refuse_too_few(draft)
    cadence = recounted(draft, cadence, options)
    draft = add(assign(draft, options), options, options.time_zone)
    return Reading(
        frame=draft.frame.drop(ROW),
        times=axis.columns,
        counted=axis.counted,
        cadence=cadence,
        left_out=draft.left_out,
        notes=(*draft.notes, *cadence.notes),
        meaning=draft.meaning,
    )


def read_rows(
    table: RawTable, options: DataOptions, spoil: Spoil = lambda it: it
) -> tuple[TimeAxis, Draft]:
    """The rows of a file in order, one at each time; cells may be missing. Raises DataError."""
    table = pick_series(table, options)
    _refuse_no_rows(table)
    found = find_time(table, options)
    table = select(table, found, options)
    _refuse_no_columns(table, found)
    axis = read_times(table, found, options)
    refuse_panel(table, axis, options)
    draft = cut(spoil(read_cells(table, axis, options)), options)
    return axis, arrange(ask_about_sentinels(draft, options), options)


def _refuse_no_rows(raw: RawTable) -> None:
    if (rows := raw.frame.height) < LEAST:
        what = "only a header, no rows" if rows == 0 else "only one row"
        raise DataError(what, where=raw.name, cure="a series needs at least two rows")


def _refuse_no_columns(raw: RawTable, times: tuple[str, ...]) -> None:
    if set(raw.frame.columns) == set(times):
        named = ", ".join(times)
        raise DataError(f"no column beside the time column '{named}'", where=raw.name)


def _refuse_too_few(draft: Draft) -> None:
    if (rows := draft.frame.height) < LEAST:
        what = f"{'one row is' if rows else 'no rows are'} left: " + "; ".join(draft.notes)
        raise DataError(what, where=draft.name, cure="a series needs at least two rows")


def _refuse_nothing_left(draft: Draft) -> None:
    """Where no column is left, what is wrong with the first says most."""
    if draft.columns:
        return
    wrong = [error for error in draft.left_out.values() if not isinstance(error, NoNumbers)]
    if wrong:
        raise wrong[0]
    kinds = [f"{name} ({error})" for name, error in kinds_of(draft.left_out).items()]
    what = f"nothing to forecast: no column of numbers beside the times, only {', '.join(kinds)}"
    raise DataError(what, where=draft.name)
