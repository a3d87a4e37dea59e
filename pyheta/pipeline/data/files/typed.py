"""Files whose columns have types: Parquet, and Arrow (Feather) as a file or as a stream."""

import io
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.files.arrow import MAGIC, sizes
from pyheta.pipeline.data.files.naming import tidied, without_nameless
from pyheta.pipeline.data.files.packing import MAX_BYTES
from pyheta.pipeline.data.files.rawtable import RawTable, numbered, refuse_large

Read = Callable[[bytes, str], pl.DataFrame]
FAULTS = (
    *(struct.error, pl.exceptions.PolarsError, pl.exceptions.PanicException),
    *(OSError, ValueError, TypeError, OverflowError, MemoryError),
)


def read_typed(raw: bytes, name: str, magic: bytes) -> tuple[str, RawTable]:
    """What it is, and the table. Raises DataError if it is damaged or too large."""
    kind, read = TYPED[magic]
    with translated(f"not a readable {kind} file", name):
        frame = read(raw, name)
    return kind, table(frame, numbered(1, frame.height), name)


def table(frame: pl.DataFrame, rows: pl.Series, name: str) -> RawTable:
    frame.columns = tidied(frame.columns, name)
    frame, notes = without_nameless(frame, name)
    return RawTable(frame, name, rows, notes)


@contextmanager
def translated(what: str, name: str) -> Iterator[None]:
    """What a library raises about a file, as a DataError."""
    try:
        yield
    except FAULTS as error:
        raise DataError(what, where=name, cure="write it anew") from error


def _parquet(raw: bytes, name: str) -> pl.DataFrame:
    return _collected(pl.scan_parquet(io.BytesIO(raw)), name)


def _arrow(raw: bytes, name: str) -> pl.DataFrame:
    _refuse_large_batches(raw, name)
    return _collected(pl.scan_ipc(io.BytesIO(raw)), name)


def _stream(raw: bytes, name: str) -> pl.DataFrame:
    rows = _refuse_large_batches(raw, name)
    refuse_large(rows, pl.read_ipc_stream(io.BytesIO(raw), n_rows=0).width, name)
    return pl.read_ipc_stream(io.BytesIO(raw))


def _refuse_large_batches(raw: bytes, name: str) -> int:
    """The number of rows. Raises DataError where batches promise too much."""
    batches = sizes(raw)
    if sum(size for _, size in batches) > MAX_BYTES:
        raise DataError(f"unpacks to more than {MAX_BYTES >> 20} MiB", where=name)
    return sum(rows for rows, _ in batches)


def _collected(lazy: pl.LazyFrame, name: str) -> pl.DataFrame:
    """Columns of lists and structs, which may hold any amount, come without what is in them."""
    schema = lazy.collect_schema()
    rows = lazy.select(pl.len()).collect().item()
    refuse_large(rows, len(schema), name)
    nested = [column for column, dtype in schema.items() if dtype.is_nested()]
    empty = [pl.lit(None, dtype=schema[column]).alias(column) for column in nested]
    return lazy.with_columns(empty).collect()


#: First bytes -> what that is, and how it is read.
TYPED: Mapping[bytes, tuple[str, Read]] = {
    b"PAR1": ("Parquet", _parquet),
    MAGIC: ("Arrow", _arrow),
    b"\xff\xff\xff\xff": ("Arrow", _stream),
}
