"""A file that is parsed once however often it is asked for: a panel has many series."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from pyheta.pipeline.data.files.rawfile import parse, read_bytes
from pyheta.pipeline.data.files.rawtable import RawTable
from pyheta.pipeline.data.options.format import Format


class Opened(NamedTuple):
    """What stands in a file, and the hash of its bytes."""

    table: RawTable
    sha256: str


def open_file(path: Path, options: Format) -> Opened:
    """Read and parse a file, unless it is the last one and did not change. Raises DataError."""
    form = Format(**{name: getattr(options, name) for name in Format.model_fields})
    return _opened(path, tuple(_state(path)), form)


def _state(path: Path) -> Sequence[int]:
    """What changes when a file does; empty where there is none, which reading it says better."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_mtime_ns, status.st_size, status.st_ino


@lru_cache(maxsize=1)
def _opened(path: Path, _state: tuple[int, ...], options: Format) -> Opened:
    raw = read_bytes(path)
    return Opened(parse(raw, path.name, options), sha256(raw).hexdigest())
