"""The bytes of a data file as a table of unchecked columns.

What the file is packed in comes off first. What it is shows by its first bytes: a binary table, a
file that holds none, or text. Nothing larger than `MAX_BYTES` is read or unpacked, no table larger
than `rawtable` allows is made.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from pyheta.errors import DataError
from pyheta.pipeline.data.files.csvfile import read_csv
from pyheta.pipeline.data.files.encodings import to_utf8
from pyheta.pipeline.data.files.excel import is_excel, read_excel
from pyheta.pipeline.data.files.foreign import refuse_foreign, refuse_foreign_text
from pyheta.pipeline.data.files.jsonfile import is_json, read_json
from pyheta.pipeline.data.files.packing import MAX_BYTES, unpack
from pyheta.pipeline.data.files.rawtable import RawTable, first, quoted, reads_as_number
from pyheta.pipeline.data.files.typed import TYPED, read_typed
from pyheta.pipeline.data.options.format import Format

BLANK = 1 << 10  # bytes that are looked at before all are
CSV, PARQUET, UTF8 = "CSV", "Parquet", "utf-8"
ENCODINGS = {
    "cp1252": "Latin-1 (cp1252)",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}
TEXT_OPTIONS = ("separator", "decimal", "encoding", "skip_rows", "comment")

__all__ = ["MAX_BYTES", "RawTable", "first", "parse", "quoted", "read_bytes", "reads_as_number"]


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
    """The table in a file, whatever it is written in. Raises DataError if there is none."""
    raw, packed_in = unpack(raw, name)
    if not raw or (raw[:BLANK].isspace() and raw.isspace()):
        raise DataError("the file is empty", where=name)
    kind, table = _table(raw, name, options)
    ways = [kind, *(f"unpacked from {packing}" for packing in reversed(packed_in))]
    return table if ways in ([CSV], [PARQUET]) else table.noting(f"read as {', '.join(ways)}")


def _table(raw: bytes, name: str, options: Format) -> tuple[str, RawTable]:
    """How it is written, in words, and the table."""
    if magic := next((magic for magic in TYPED if raw.startswith(magic)), None):
        _refuse_idle(options, name, TYPED[magic][0])
        return read_typed(raw, name, magic)
    if is_excel(raw):
        _refuse_idle(options, name, "Excel", "sheet", "skip_rows")
        table, sheet = read_excel(raw, name, options)
        return f"Excel, sheet '{sheet}'", table
    refuse_foreign(raw, name)
    text, encoding = to_utf8(raw, name, options.encoding)
    refuse_foreign_text(text, name)
    if is_json(text):
        _refuse_idle(options, name, "JSON", "encoding")
        return read_json(text, name)
    _refuse_idle(options, name, CSV, *TEXT_OPTIONS)
    table, ways = read_csv(text, name, options)
    inside = [] if encoding == UTF8 else [f"in {ENCODINGS.get(encoding, encoding)}"]
    return ", ".join([" with ".join([CSV, *([_and(ways)] if ways else [])]), *inside]), table


def _refuse_idle(options: Format, name: str, kind: str, *used: str) -> None:
    """An option that says nothing about this kind of file is a mistake."""
    for option in Format.model_fields:
        if option not in used and getattr(options, option) is not None:
            what = f"`{option}` says nothing about a file in {kind}"
            raise DataError(what, where=name, cure="remove it")


def _and(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


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
