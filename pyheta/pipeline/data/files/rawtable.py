"""What a data file holds before anything in it is checked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from pyheta.errors import DataError

MAX_COLUMNS = 10_000
MAX_CELLS = 250_000_000  # 2 GiB of numbers


@dataclass(frozen=True, slots=True)
class RawTable:
    """Columns as they stand in the file.

    Those of a text file are texts, as they are written, but for two things. A column of plain
    numbers alone is Float64, to the bit what its texts read as, unless they may be times. Numbers
    that are written with a decimal comma or with thousands separators have a decimal point and no
    separators here.
    `rows` has each row's number as a user counts: the line of a text file or the row of a sheet,
    from 1 elsewhere.
    """

    frame: pl.DataFrame
    name: str  # what messages call the file
    rows: pl.Series  # UInt32
    notes: tuple[str, ...] = ()  # what was found, for people: a sentence each

    def where(self, *, index: int | None = None, column: str | None = None) -> str:
        """The place of a data row (0 is the first) and a column, as a user names them."""
        row = [] if index is None else [f"row {self.rows[index]}"]
        field = [] if column is None else [f"column '{column}'"]
        return ": ".join(filter(None, [self.name, ", ".join(row + field)]))

    def noting(self, note: str) -> "RawTable":
        """The same, with a sentence before its notes."""
        return replace(self, notes=(note, *self.notes))


def first(mask: pl.Series) -> int:
    """The first place where it is true; 0 if it never is."""
    position = mask.arg_max()
    return position if position is not None else 0


def quoted(value: object) -> str:
    """A value for a message, never longer than a line."""
    text = str(value)
    return f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'"  # noqa: PLR2004


def reads_as_number(text: str) -> bool:
    return pl.Series([text]).cast(pl.Float64, strict=False).is_not_null().all()


def numbered(first: int, count: int) -> pl.Series:
    """The numbers of rows that follow each other."""
    return pl.int_range(first, first + count, dtype=pl.UInt32, eager=True)


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names for a message: not more than a line's worth."""
    return ", ".join(map(quoted, names[:most])) + (", …" if len(names) > most else "")


def refuse_large(rows: int, columns: int, name: str) -> None:
    """Before anything of that size is made. Raises DataError."""
    if columns > MAX_COLUMNS:
        cure = "keep those that are needed"
        raise DataError(f"{columns} columns; at most {MAX_COLUMNS} are read", where=name, cure=cure)
    if rows * columns > MAX_CELLS:
        what = f"{rows:,} rows of {columns:,} columns are more than {MAX_CELLS:,} cells"
        raise DataError(what, where=name, cure="keep the columns and rows that are needed")
