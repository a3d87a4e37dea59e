"""The rows of a CSV text in the form in which Polars reads them, and the line of each.

What Polars does not know (comments among the rows, empty lines, cells of several lines, spaces
before quotes) is written anew as plain CSV before, record by record.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.files.dialect import Dialect
from pyheta.pipeline.data.files.rawtable import numbered
from pyheta.pipeline.data.files.records import (
    MalformedRecord,
    Record,
    count_lines,
    from_line,
    records,
)


@dataclass(frozen=True, slots=True)
class Body:
    """The rows stand after `skip` lines and one of names."""

    text: bytes
    separator: str
    skip: int
    lines: pl.Series | int  # that of each row, or that of the first where each row has one
    notes: tuple[str, ...] = ()

    def rows(self, height: int) -> pl.Series:
        if isinstance(self.lines, pl.Series):
            return self.lines
        return numbered(self.lines, height)

    def parsed(
        self, kinds: Sequence[type[pl.DataType]], only: Sequence[int] | None = None
    ) -> pl.DataFrame:
        """The columns, of these kinds, or some of them. Raises PolarsError."""
        return pl.read_csv(
            self.text,
            separator=self.separator,
            skip_lines=self.skip,
            schema_overrides=kinds,
            infer_schema=False,
            columns=only,
        )

    def hides_lines(self, frame: pl.DataFrame) -> bool:
        """Whether a row of what Polars read may have several lines, or one without cells."""
        lines = count_lines(self.text) + (not self.text.endswith(b"\n"))
        if b'"' in self.text and frame.height + self.skip + 1 != lines:
            return True
        first, *others = frame.get_columns()
        if not others or not all(column.has_nulls() for column in others):
            return False
        blank = first.is_null() | (first.cast(pl.String).str.strip_chars() == "")
        alone = frame.select(pl.all_horizontal(pl.nth(range(1, frame.width)).is_null())).to_series()
        return bool((blank & alone).any())


def is_plain(text: bytes, dialect: Dialect) -> bool:
    """Whether Polars knows all that is in it."""
    separator = dialect.separator
    spaced = f'{separator} "'.encode() in text if b'"' in text else False
    return dialect.comment is None and separator not in {" ", '"'} and not spaced


def as_it_is(text: bytes, dialect: Dialect) -> Body:
    """The text itself, if the line above the rows has a name for each column."""
    layout = dialect.layout
    line = layout.first_line
    start, above = from_line(text, line), from_line(text, max(1, line - 1))
    header = list(records(text[above:start], dialect.separator, strict=False))
    if header and len(header[-1]) == len(layout.names):
        return Body(text, dialect.separator, line - 2, line)
    names = dialect.separator.join(f"c{i}" for i in range(len(layout.names)))
    return Body(names.encode() + b"\n" + text[start:], dialect.separator, 0, line)


def written_anew(text: bytes, dialect: Dialect, name: str) -> Body:
    """Each record in the plainest way, and its line.

    Raises DataError where one is not well formed, or longer than the line of names.
    """
    width, single = len(dialect.layout.names), len(dialect.layout.names) == 1
    buffer, lines, blank = io.StringIO(), list[int](), 0
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([f"c{i}" for i in range(width)])
    for record in _records(text, dialect, name):
        cells = record.cells or [""]
        if len(cells) > width and any(cells[width:]):
            what = f"{len(cells)} fields, but the header has {width}"
            raise DataError(what, where=f"{name}: row {record.line}")
        if cells == [""] and not single:
            blank += 1
        elif dialect.comment is None or not cells[0].startswith(dialect.comment):
            writer.writerow(cells[:width])
            lines.append(record.line)
    lines_are = "lines are" if blank > 1 else "line is"
    notes = (f"{blank} empty {lines_are} skipped between rows",) if blank else ()
    return Body(buffer.getvalue().encode(), ",", 0, pl.Series(lines, dtype=pl.UInt32), notes)


def _records(text: bytes, dialect: Dialect, name: str) -> Iterator[Record]:
    line = dialect.layout.first_line
    try:
        yield from records(text[from_line(text, line) :], dialect.separator, strict=True, line=line)
    except MalformedRecord as error:
        what = f"not well-formed CSV ({error})"
        raise DataError(what, where=f"{name}: row {error.line}") from error
