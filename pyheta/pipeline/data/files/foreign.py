"""Files that hold no table that is read here, each called what it is."""

import json
import re
from collections.abc import Mapping

from pyheta.errors import DataError
from pyheta.pipeline.data.files.packing import DOCUMENTS, ZIP, marks
from pyheta.pipeline.data.files.rawtable import listed

TABLE = "write the table as CSV or Parquet"
NEVER_UNPICKLED = "it can run code, so it is not opened: df.to_parquet(…) writes what is read"

#: First bytes -> what that is, and what to do.
FOREIGN: Mapping[bytes, tuple[str, str]] = {
    b"\x89HDF": ("HDF5", TABLE),
    b"CDF": ("netCDF", TABLE),
    b"SQLite format 3": ("an SQLite database", "write one of its tables as CSV or Parquet"),
    b"%PDF": ("a PDF", "save its table as CSV"),
    b"\x93NUMPY": ("a NumPy array", "write it as CSV or Parquet, with names for the columns"),
    b"MATLAB 5.0": ("a MATLAB file", "writetable(T, 'data.csv') writes what is read"),
    b"\x80\x02": ("a pickle", NEVER_UNPICKLED),
    b"\x80\x03": ("a pickle", NEVER_UNPICKLED),
    b"\x80\x04": ("a pickle", NEVER_UNPICKLED),
    b"\x80\x05": ("a pickle", NEVER_UNPICKLED),
    b"RDX": ("data of R", "write.csv(x, 'data.csv', row.names = FALSE) writes what is read"),
    b"X\n\x00": ("data of R", "write.csv(x, 'data.csv', row.names = FALSE) writes what is read"),
    b"\xd0\xcf\x11\xe0": ("an old Excel file (.xls)", "save it as .xlsx or CSV"),
    b"FEA1": ("Feather of version 1", "write it anew as Feather or Parquet"),
    b"ORC": ("ORC", "write it as Parquet"),
    b"Obj\x01": ("Avro", "write it as Parquet"),
    b"GRIB": ("GRIB", TABLE),
    b"PK\x05\x06": ("an empty zip file", "give the path of the file that belongs into it"),
    b"\xfd7zXZ": ("xz", "unpack it first"),
    b"7z\xbc\xaf": ("7-Zip", "unpack it first"),
    b"Rar!": ("RAR", "unpack it first"),
    b"\x04\x22\x4d\x18": ("LZ4", "unpack it first"),
    b"\x89PNG": ("a picture", "the numbers that it shows are needed"),
    b"\xff\xd8\xff": ("a picture", "the numbers that it shows are needed"),
}
TAR = (257, b"ustar")  # where it stands

#: How a text begins -> what that is, and what to do.
FOREIGN_TEXTS: Mapping[str, tuple[str, str]] = {
    r"version https://git-lfs": (
        "a Git LFS pointer, not the file that it stands for",
        "`git lfs pull` gets that",
    ),
    r"<(!doctype html|html|head|body|script)\b": (
        "an HTML page, not data",
        "it may be an error or a log-in page: download the file itself",
    ),
    r"<(\?xml|!--|svg\b|rss\b|error>)": ("XML, not a table", TABLE),
    r"(#.*\n|\s)*@relation(.*\n)*@frequency": (
        "a .tsf file of the Monash archive",
        "write the series as columns of a CSV file, with a time column",
    ),
    r"((#|%).*\n|\s)*@(relation|attribute|problemname)\b": (
        "an ARFF or .ts file",
        "write it as CSV, with a line of names",
    ),
    r"BEGIN:VCALENDAR": ("a calendar (iCalendar), not data", "write its numbers as CSV"),
    r"\{\\rtf": ("a text document (RTF)", "save its table as CSV"),
}
HEAD = 4096
LARGEST_OBJECT = 1 << 24


def refuse_foreign(raw: bytes, name: str) -> None:
    """Raises DataError for bytes that are no text and no table that is read here."""
    for magic, (kind, cure) in FOREIGN.items():
        if raw.startswith(magic):
            raise DataError(f"looks like {kind}", where=name, cure=cure)
    if raw.startswith(TAR[1], TAR[0]):
        raise DataError("looks like tar", where=name, cure="unpack it first")
    if raw.startswith(ZIP):
        for members, (kind, cure) in DOCUMENTS.items():
            if marks(raw, *members):
                raise DataError(f"looks like {kind}", where=name, cure=cure)


def refuse_foreign_text(text: bytes, name: str) -> None:
    """Raises DataError for a text that is no table."""
    head = text[:HEAD].decode(errors="replace").lstrip()
    for beginning, (kind, cure) in FOREIGN_TEXTS.items():
        if re.match(beginning, head, re.IGNORECASE):
            raise DataError(f"this is {kind}", where=name, cure=cure)


def refuse_object(text: bytes, name: str) -> None:
    """Raises DataError for one JSON object, by what is in it."""
    keys = _keys(text)
    if "nbformat" in keys:
        raise DataError("this is a Jupyter notebook", where=name, cure=TABLE + " in it")
    what = f"one JSON object, not rows; its keys: {listed(keys)}" if keys else "no JSON that reads"
    cure = "it may be an error message in place of data; df.to_json(orient='records') writes rows"
    raise DataError(what, where=name, cure=cure)


def _keys(text: bytes) -> list[str]:
    try:
        return list(json.loads(text)) if len(text) < LARGEST_OBJECT else []
    except (ValueError, RecursionError):
        return []
