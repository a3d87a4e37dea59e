"""The records of a CSV text: the cells of each, and the line at which it begins."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

csv.field_size_limit(1 << 24)
PART = 1 << 18
LINE_END = ord("\n")


class MalformedRecord(Exception):
    """Quotes are broken, or a cell is larger than any."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Record:
    line: int  # from 1, as a text editor counts
    cells: list[str]

    def __len__(self) -> int:
        return len(self.cells)


def records(text: bytes, separator: str, *, strict: bool, line: int = 1) -> Iterator[Record]:
    r"""All records of a text whose first line is `line`; an empty line has no cells.

    Spaces before a cell are no part of it, nor are those after a quoted one; so several in a row
    separate two cells once. Raises MalformedRecord; for broken quotes only if `strict`.
    """
    stream = io.TextIOWrapper(io.BytesIO(text), encoding="utf-8", errors="replace", newline="")
    after_quote = re.compile(rf'" +(?=[{re.escape(separator)}\n])')
    lines = (after_quote.sub('"', content) for content in stream)
    reader = csv.reader(lines, delimiter=separator, strict=strict, skipinitialspace=True)
    before = 0
    try:
        for cells in reader:
            trailing = separator == " " and bool(cells) and not cells[-1]
            yield Record(line + before, cells[:-1] if trailing else cells)
            before = reader.line_num
    except csv.Error as error:
        raise MalformedRecord(line + before, str(error)) from error


def count_lines(text: bytes) -> int:
    r"""How many lines end in \n, in parts that a processor's cache holds."""
    values = np.frombuffer(text, np.uint8)
    parts = range(0, len(values), PART)
    return sum(int(np.count_nonzero(values[start : start + PART] == LINE_END)) for start in parts)


def beginning(text: bytes, size: int = 1 << 16, most: int = 1 << 22, lines: int = 40) -> bytes:
    """Enough of a text to see how it is written: whole lines, some at least."""
    while size < min(len(text), most) and text.count(b"\n", 0, size) < lines:
        size *= 2
    if size >= len(text):
        return text
    return text[: text.rfind(b"\n", 0, size) + 1]


def from_line(text: bytes, line: int) -> int:
    """Where a line (from 1) begins; the end where there are not so many."""
    offset = 0
    for _ in range(line - 1):
        offset = text.find(b"\n", offset) + 1
        if not offset:
            return len(text)
    return offset
