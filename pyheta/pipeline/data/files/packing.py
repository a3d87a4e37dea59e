"""What a file is packed in. Nothing larger than `MAX_BYTES` is ever unpacked."""

import bz2
import gzip
import io
import lzma
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import IO, cast

from pyheta.errors import DataError
from pyheta.pipeline.data.files.rawtable import listed

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdError, ZstdFile
else:
    from backports.zstd import ZstdError, ZstdFile

MAX_BYTES = 1 << 30
DEPTH = 2  # a packed file may lie in another
CHUNK = 1 << 20
ZIP = b"PK\x03\x04"
FAULTS = (
    *(EOFError, OSError, ValueError, RuntimeError),
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile, ZstdError),
)

Opener = Callable[[bytes, str], IO[bytes]]


def unpack(raw: bytes, name: str) -> tuple[bytes, tuple[str, ...]]:
    """What is packed, and in what. Raises DataError if it is damaged, too large or several files.

    A zip file that is something of its own, such as an Excel file, stays as it is.
    """
    packed_in: list[str] = []
    while magic := next((magic for magic in PACKINGS if raw.startswith(magic)), None):
        if magic == ZIP and is_document(raw):
            break
        kind, opener = PACKINGS[magic]
        if len(packed_in) == DEPTH:
            what = f"packed more than {DEPTH} times"
            raise DataError(what, where=name, cure="unpack it first")
        raw = _unpacked(raw, name, kind, opener)
        packed_in.append(kind)
    return raw, tuple(packed_in)


def is_document(raw: bytes) -> bool:
    return any(marks(raw, *names) for names in (EXCEL, *DOCUMENTS))


def marks(raw: bytes, *names: str) -> bool:
    """Whether a zip file has a member of one of these names, or of this ending (`*.npy`)."""
    try:
        members = zipfile.ZipFile(io.BytesIO(raw)).namelist()
    except FAULTS:
        return False
    return any(m == n or (n[0] == "*" and m.endswith(n[1:])) for m in members for n in names)


def _unpacked(raw: bytes, name: str, kind: str, opener: Opener) -> bytes:
    try:
        with opener(raw, name) as stream:
            return _bounded(stream, name)
    except FAULTS as error:
        raise DataError(f"damaged {kind}", where=name, cure="get the file again") from error


def _bounded(stream: IO[bytes], name: str) -> bytes:
    content = io.BytesIO()
    for chunk in iter(lambda: stream.read(CHUNK), b""):
        if content.tell() + len(chunk) > MAX_BYTES:
            what = f"unpacks to more than {MAX_BYTES >> 20} MiB"
            cure = "keep the columns and rows that are needed, or write it as Parquet"
            raise DataError(what, where=name, cure=cure)
        content.write(chunk)
    return content.getvalue()


def _gzip(raw: bytes, _name: str) -> IO[bytes]:
    return cast("IO[bytes]", gzip.GzipFile(fileobj=io.BytesIO(raw)))


def _bzip2(raw: bytes, _name: str) -> IO[bytes]:
    return bz2.BZ2File(io.BytesIO(raw))


def _zstd(raw: bytes, _name: str) -> IO[bytes]:
    return cast("IO[bytes]", ZstdFile(io.BytesIO(raw)))


def _zip(raw: bytes, name: str) -> IO[bytes]:
    archive = zipfile.ZipFile(io.BytesIO(raw))
    members = [member for member in archive.infolist() if _is_content(member)]
    if not members:
        raise DataError("no file in the zip", where=name)
    if len(members) > 1:
        what = f"{len(members)} files in one zip: {listed([m.filename for m in members])}"
        raise DataError(what, where=name, cure="unpack it and give the path of one of them")
    if members[0].flag_bits & 1:
        raise DataError("a zip file with a password", where=name, cure="unpack it first")
    return archive.open(members[0])


def _is_content(member: zipfile.ZipInfo) -> bool:
    """Not a folder, and nothing that a Mac adds."""
    path = member.filename
    return not (member.is_dir() or path.startswith("__MACOSX/") or path.endswith(".DS_Store"))


#: First bytes -> what that is, and how it is read.
PACKINGS: Mapping[bytes, tuple[str, Opener]] = {
    b"\x1f\x8b": ("gzip", _gzip),
    b"BZh": ("bzip2", _bzip2),
    b"\x28\xb5\x2f\xfd": ("zstd", _zstd),
    ZIP: ("zip", _zip),
}

#: Zip files that are documents, by what is in them.
EXCEL = ("xl/workbook.xml",)
DOCUMENTS: Mapping[tuple[str, ...], tuple[str, str]] = {
    ("xl/workbook.bin",): ("a binary Excel file", "save it as .xlsx or CSV"),
    ("content.xml",): ("an OpenDocument file", "save it as .xlsx or CSV"),
    ("word/document.xml",): ("a Word file", "save its table as CSV"),
    ("*.npy",): ("NumPy arrays", "write them as CSV or Parquet, with names for the columns"),
    ("*data.pkl",): ("a pickle of PyTorch", "write the table as CSV or Parquet"),
}
