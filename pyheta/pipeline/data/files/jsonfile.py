"""Rows in JSON: an object on each line, or a list of objects."""

import io
import json
import re

import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.files.foreign import refuse_object
from pyheta.pipeline.data.files.rawtable import (
    MAX_COLUMNS,
    RawTable,
    numbered,
    quoted,
    refuse_large,
)
from pyheta.pipeline.data.files.typed import FAULTS, table

BEGINS = re.compile(rb"\s*(?:\{\s*[\"}]|\[\s*(?:[\[{]|\]\s*$))")
KEY = re.compile(rb'"((?:[^"\\]|\\.)*+)"\s*:')


def is_json(text: bytes) -> bool:
    return BEGINS.match(text) is not None


def read_json(text: bytes, name: str) -> tuple[str, RawTable]:
    """What it is, and the table. Raises DataError if it is damaged, too large or has no rows."""
    _refuse_many_keys(text, name)
    if text.lstrip().startswith(b"["):
        return "a JSON list", _list(text, name)
    lines = [line for line, content in enumerate(text.split(b"\n"), 1) if content.strip()]
    if len(lines) == 1 or not _is_object(text.lstrip().partition(b"\n")[0]):
        refuse_object(text, name)
    try:
        frame = pl.read_ndjson(text, infer_schema_length=None)
    except FAULTS as error:
        raise _explain(text, name) from error
    if frame.height != len(lines):
        raise _explain(text, name)
    return "JSON lines", table(frame, pl.Series(lines, dtype=pl.UInt32), name)


def _refuse_many_keys(text: bytes, name: str) -> None:
    """A row has a cell for each key that any of them has."""
    keys = set[bytes]()
    for match in KEY.finditer(text):
        keys.add(match[1])
        if len(keys) > MAX_COLUMNS:
            break
    refuse_large(text.count(b"{"), len(keys), name)


def _list(text: bytes, name: str) -> RawTable:
    cure = "write it as a list of objects, [{…}, {…}], or an object on each line"
    try:
        frame = pl.read_json(io.BytesIO(text), infer_schema_length=None)
    except FAULTS as error:
        raise DataError("not a JSON list of objects", where=name, cure=cure) from error
    if not re.match(rb"\s*\[\s*\{", text):
        raise DataError("not a JSON list of objects", where=name, cure=cure)
    return table(frame, numbered(1, frame.height), name)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _explain(text: bytes, name: str) -> DataError:
    """The first line that is no object as JSON has it, which knows no NaN."""
    for number, line in enumerate(text.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            what = f"not JSON: {quoted(line.decode(errors='replace'))} ({error})"
            return DataError(what, where=f"{name}: row {number}", cure="mend the line")
    return DataError("not JSON lines that read", where=name, cure="write it as CSV or Parquet")


def _refuse_constant(word: str) -> None:
    raise ValueError(f"JSON knows no {word}: write null")
