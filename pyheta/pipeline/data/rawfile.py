"""The bytes of a data file as a frame of unchecked columns.

CSV cells stay text, so that a check can quote exactly what stands in the file. A file larger than
`MAX_BYTES` is refused before it is read, a table wider than `MAX_COLUMNS` before it is checked.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from stat import S_ISDIR, S_ISREG

import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.options.format import Format

MAX_BYTES = 1 << 30
MAX_COLUMNS = 10_000

PARQUET = b"PAR1"
FOREIGN = {
    b"\x1f\x8b": ("gzip", "unpack it first"),
    b"PK\x03\x04": ("a zip or Excel file", "unpack it, or export it as CSV"),
    b"BZh": ("bzip2", "unpack it first"),
    b"\x28\xb5\x2f\xfd": ("zstd", "unpack it first"),
    b"\x89HDF": ("HDF5", "export it as CSV or Parquet"),
    b"\xff\xfe": ("UTF-16", "save it as UTF-8"),
    b"\xfe\xff": ("UTF-16", "save it as UTF-8"),
}


@dataclass(frozen=True, slots=True)
class RawTable:
    """Columns as they stand in the file; those of a text file are texts, as they are written.

    `rows` has each row's number as a user counts: the line of a text file, from 1 elsewhere.
    """

    frame: pl.DataFrame
    name: str  # what messages call the file
    rows: pl.Series  # UInt32
    decimal: str = "."  # of numbers in texts
    notes: tuple[str, ...] = ()  # what was found, for people: a sentence each

    def where(self, *, index: int | None = None, column: str | None = None) -> str:
        """The place of a data row (0 is the first) and a column, as a user names them."""
        row = [] if index is None else [f"row {self.rows[index]}"]
        field = [] if column is None else [f"column '{column}'"]
        return ": ".join(filter(None, [self.name, ", ".join(row + field)]))


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


def _numbered(frame: pl.DataFrame, start: int) -> pl.Series:
    return pl.Series(range(start, start + frame.height), dtype=pl.UInt32)


def read_bytes(path: Path) -> bytes:
    """The whole file. Raises DataError if it is missing, odd, unreadable or too large."""
    try:
        status = path.stat()
        _refuse_odd_file(path, status.st_mode, status.st_size)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DataError("no such file", where=str(path), cure=_neighbour(path)) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(reason, where=str(path)) from error


def parse(raw: bytes, name: str, options: Format) -> RawTable:
    """CSV or Parquet, told apart by the first bytes. Raises DataError if it is neither."""
    del options
    if not raw.strip():
        raise DataError("the file is empty", where=name)
    for magic, (kind, cure) in FOREIGN.items():
        if raw.startswith(magic):
            raise DataError(f"looks like {kind}", where=name, cure=cure)
    table = _parse_parquet(raw, name) if raw.startswith(PARQUET) else _parse_csv(raw, name)
    if table.frame.width > MAX_COLUMNS:
        raise DataError(f"{table.frame.width} columns; at most {MAX_COLUMNS} are read", where=name)
    return table


def _refuse_odd_file(path: Path, mode: int, size: int) -> None:
    if S_ISDIR(mode):
        raise DataError("is a directory", where=str(path), cure="name the file in it")
    if not S_ISREG(mode):
        raise DataError("not a regular file", where=str(path))
    if size > MAX_BYTES:
        cure = "keep the columns and rows that are needed, or write it as Parquet"
        raise DataError(f"larger than {MAX_BYTES >> 20} MiB", where=str(path), cure=cure)


def _neighbour(path: Path) -> str:
    """A hint for a misspelt path: the nearest name in the same folder."""
    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except OSError:
        return f"there is no folder '{path.parent}' that can be read"
    close = get_close_matches(path.name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"check the path, and what is in '{path.parent}'"


def _parse_parquet(raw: bytes, name: str) -> RawTable:
    try:
        frame = pl.read_parquet(io.BytesIO(raw))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise DataError("not a readable Parquet file", where=name, cure="write it anew") from error
    return RawTable(frame, name, _numbered(frame, 1))


def _parse_csv(raw: bytes, name: str) -> RawTable:
    _refuse_other_text(raw, name)
    try:
        header = _header(raw, name)
        # Empty lines at the end are no rows; one in between is a row, and the checks name it.
        frame = pl.read_csv(raw.rstrip(), infer_schema=False)
        frame.columns = header
    except (pl.exceptions.PolarsError, csv.Error) as error:
        raise _explain(raw, name) from error
    return RawTable(frame, name, _numbered(frame, 2))


def _refuse_other_text(raw: bytes, name: str) -> None:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        what = f"not UTF-8 at byte {error.start} (latin-1?)"
        raise DataError(what, where=name, cure="save it as UTF-8") from error
    if (position := raw.find(b"\x00")) >= 0:
        raise DataError(
            f"NUL at byte {position}", where=name, cure="is this a text file, undamaged?"
        )


def _records(raw: bytes) -> Iterator[list[str]]:
    text = io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8-sig", newline="")
    return csv.reader(text, strict=True)


def _header(raw: bytes, name: str) -> list[str]:
    """The column names, read and checked here: Polars would silently rename duplicates."""
    header = [title.strip() for title in next(_records(raw))]
    if len(header) == 1 and (wrong := next((c for c in ";\t|" if c in header[0]), None)):
        cure = "write it with commas between the columns and points in the numbers"
        raise DataError(f"1 column found (delimiter {wrong!r}?)", where=name, cure=cure)
    for position, title in enumerate(header):
        if not title:
            raise DataError(f"column {position + 1} has no name", where=name, cure="name it")
        if (first := header.index(title)) < position:
            what = f"duplicate column '{title}' ({first + 1} and {position + 1})"
            raise DataError(what, where=name, cure="rename or remove one of them")
    return header


def _explain(raw: bytes, name: str) -> DataError:
    """Why a CSV cannot be read: the first record that is not well formed, by its row."""
    row = 0
    width = 0
    try:
        for row, record in enumerate(_records(raw), start=1):
            width = width or len(record)
            if len(record) > width:
                what = f"{len(record)} fields, but the header has {width}"
                return DataError(what, where=f"{name}: row {row}")
    except csv.Error as error:
        return DataError(f"not well-formed CSV ({error})", where=f"{name}: row {row + 1}")
    return DataError("not well-formed CSV", where=name)
