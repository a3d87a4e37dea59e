"""A table on its way from a file to the rows that steps read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pyheta.errors import DataError

#: The name of the column of a draft that has each row's number in the file, for messages; null for
#: a row that is not in the file. No file has it, since NUL is refused.
ROW = "\x00row"

#: The name of its time column, and that of the table's.
TIME = "time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What columns are, beside their values. Names are those of a table's columns.

    `known` are known over the horizon too; `declared` of them are so because the user says it.
    `reach`: column -> how many rows ahead it is known, where not all are: a lag is. `delayed`:
    column -> after how many rows its values became known.
    `masks`: column -> the column that is 1 where its value is missing and carried on, else 0.
    `groups`: a name that stands for several columns, as a category does -> those columns.
    `changed`: column -> the rows (positions) at which its value is not the file's.
    """

    known: frozenset[str] = frozenset()
    declared: frozenset[str] = frozenset()
    reach: Mapping[str, int] = field(default_factory=dict)
    delayed: Mapping[str, int] = field(default_factory=dict)
    masks: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    changed: Mapping[str, NDArray[np.intp]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A table whose rows may still be out of order, double or missing.

    `frame` has TIME (Datetime, µs, without a zone), ROW (UInt32), and Float64 columns in the file's
    order with null, never NaN, where a value is missing.
    """

    name: str  # what messages call the file
    frame: pl.DataFrame
    times: str  # what messages call the time column; empty where rows are counted
    counted: bool  # times are whole numbers in microseconds, no moments
    left_out: Mapping[str, DataError] = field(default_factory=dict)  # columns, and why
    notes: Sequence[str] = ()  # what was found, and what was done: a sentence each
    meaning: Meaning = field(default_factory=Meaning)

    @property
    def columns(self) -> list[str]:
        """The value columns."""
        return [name for name in self.frame.columns if name not in (TIME, ROW)]

    def where(self, index: int, column: str = "") -> str:
        """The place of a row (0 is the first) and a column, as a user names them."""
        row = self.frame[ROW][index]
        place = f"row {row}" if row is not None else f"time {self.moment(index)}"
        return f"{self.name}: {place}" + (f", column '{column}'" if column else "")

    def moment(self, index: int) -> str:
        """A row's time, or its number where rows are counted, as messages have it."""
        times = self.frame[TIME]
        return str(times.to_physical()[index] if self.counted else times[index])

    def take(self, index: NDArray[np.intp]) -> "Draft":
        """These rows in this order; -1 is a row that is missing: null in every column."""
        rows = pl.Series(index, dtype=pl.Int64)
        frame = self.frame.select(pl.all().gather(rows.set(rows < 0, None)))
        changed = {
            name: np.flatnonzero(np.isin(index, positions))
            for name, positions in self.meaning.changed.items()
        }
        return replace(self, frame=frame, meaning=replace(self.meaning, changed=changed))

    def with_changed(self, changed: Mapping[str, NDArray[np.intp]]) -> "Draft":
        """The same, with more cells known to be not the file's."""
        before = self.meaning.changed
        more = {name: np.union1d(before.get(name, []), rows) for name, rows in changed.items()}
        after = {**before, **{name: rows.astype(np.intp) for name, rows in more.items()}}
        return replace(self, meaning=replace(self.meaning, changed=after))

    def noting(self, *notes: str) -> "Draft":
        return replace(self, notes=[*self.notes, *notes])

    def with_frame(self, frame: pl.DataFrame, *notes: str) -> "Draft":
        """Another frame with the same rows, or with none of which a cell was changed."""
        return replace(self, frame=frame, notes=[*self.notes, *notes])

    def without(self, columns: Mapping[str, DataError]) -> "Draft":
        """The same without some columns; each error says what is wrong with one."""
        frame = self.frame.drop(list(columns))
        kept = {name: rows for name, rows in self.meaning.changed.items() if name not in columns}
        meaning = replace(self.meaning, changed=kept)
        return replace(self, frame=frame, left_out={**self.left_out, **columns}, meaning=meaning)
