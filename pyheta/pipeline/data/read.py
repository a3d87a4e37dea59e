"""From the bytes of a file to the table that steps read: the stations, one after the other.

Nothing is repaired silently. What a station cannot decide it refuses, and the error prints the
options that would decide it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.cadence import Cadence
from pyheta.pipeline.data.cells import read_cells
from pyheta.pipeline.data.draft import ROW, TIME, Draft, Meaning
from pyheta.pipeline.data.missing import settle
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.rawfile import RawTable, parse
from pyheta.pipeline.data.rows import arrange
from pyheta.pipeline.data.steps import find_cadence
from pyheta.pipeline.data.times import find_time, read_times


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


def read(raw: bytes, name: str, options: DataOptions) -> Reading:
    """Read and check a file. `name` is what messages call it. Raises DataError."""
    table = parse(raw, name, options)
    found = find_time(table, options)
    _refuse_no_table(table, found)
    axis = read_times(table, found, options)
    draft = arrange(read_cells(table, axis, options), options)
    cadence = find_cadence(draft, options)
    draft = settle(draft, options)
    _refuse_nothing_left(draft)
    return Reading(
        frame=draft.frame.drop(ROW),
        times=found,
        counted=axis.counted,
        cadence=cadence,
        left_out=draft.left_out,
        notes=(*draft.notes, *cadence.notes),
        meaning=draft.meaning,
    )


def _refuse_no_table(raw: RawTable, times: tuple[str, ...]) -> None:
    columns = [name for name in raw.frame.columns if name not in times]
    rows = raw.frame.height
    if not columns:
        raise DataError(f"no column beside the time column '{times[0]}'", where=raw.name)
    if TIME in columns:
        cure = "rename one: in a table of PyHeta `time` is the time column"
        what = f"both '{times[0]}' and 'time' are columns" if times else "'time' holds no times"
        raise DataError(what, where=raw.name, cure=cure)
    if rows < 2:  # noqa: PLR2004 (two rows make a step)
        what = "only a header, no rows" if rows == 0 else "only one row"
        raise DataError(what, where=raw.name, cure="a series needs at least two rows")


def _refuse_nothing_left(draft: Draft) -> None:
    """Where no column is left, what is wrong with the first says most."""
    if not draft.columns:
        raise next(iter(draft.left_out.values()))
