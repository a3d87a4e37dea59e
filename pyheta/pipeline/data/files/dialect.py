"""How a text separates its cells and marks what it does not mean as rows, found by looking."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pyheta.errors import DataError
from pyheta.pipeline.data.files.layout import Layout, find_layout, is_ruled
from pyheta.pipeline.data.files.rawtable import quoted
from pyheta.pipeline.data.files.records import (
    MalformedRecord,
    Record,
    beginning,
    from_line,
    records,
)
from pyheta.pipeline.data.options.format import Format
from pyheta.pipeline.data.questions import Answer, Question

SEPARATORS = ("\t", ";", "|", ",")  # of two that fit as well, the first
FITS = 0.5  # of the lines have the same number of cells
DECLARED = re.compile(rb'\s*"?sep=([^\w"\n])"?[^\S\n]*(?:\n|$)', re.IGNORECASE)
COMMENT = "#"


@dataclass(frozen=True, slots=True)
class Dialect:
    separator: str
    comment: str | None
    layout: Layout
    sample: Sequence[Record]  # rows


def find_dialect(text: bytes, name: str, options: Format) -> Dialect:
    """Raises DataError where it cannot be told, or where no line has the names of the columns."""
    start = 1 if options.skip_rows is None else options.skip_rows + 1
    declared = DECLARED.match(text) if options.skip_rows is None else None
    start += declared is not None
    head = beginning(text[from_line(text, start) :] if start > 1 else text)
    if not head.strip():
        raise DataError(f"no line after the {start - 1} that are skipped", where=name)
    wanted = options.separator or (declared.group(1).decode() if declared else None)
    separator = wanted or _separator(head, options)
    found = [record for record in _look(head, separator, start) if not is_ruled(record)]
    comment = options.comment or _comment(found)
    rows, commented = _without_comments(found, comment, separator)
    if not rows:
        raise DataError("nothing but comments", where=name)
    if not wanted:
        _refuse_spaces(rows, head, name, options)
    layout = find_layout(rows, commented, name, chosen=options.skip_rows is not None)
    sample = [record for record in rows if record.line >= layout.first_line]
    return Dialect(separator, comment, layout, sample)


def _look(head: bytes, separator: str, line: int = 1) -> list[Record]:
    try:
        return list(records(head, separator, strict=False, line=line))
    except MalformedRecord:  # a cell that is larger than any: the reading says so
        return [Record(line, head[:1000].decode(errors="replace").splitlines()[:1])]


def _separator(head: bytes, options: Format) -> str:
    """The one by which most lines have the same number of cells, two at least."""
    candidates = [s for s in SEPARATORS if s != options.decimal and s.encode() in head]
    fits = {separator: _fit(head, separator, options) for separator in candidates}
    best = max(candidates, key=fits.__getitem__, default=",")
    return best if best in fits and fits[best][0] >= FITS else _unused(options)


def _unused(options: Format) -> str:
    """For a file with one column."""
    return ";" if options.decimal == "," else ","


def _fit(head: bytes, separator: str, options: Format) -> tuple[float, int]:
    """The share of lines that have the usual number of cells, and that number."""
    comment = options.comment or COMMENT
    cells = [r.cells for r in _look(head, separator) if r.cells and not _begins(r.cells, comment)]
    widths = Counter(len(record) for record in cells if len(record) > 1)
    width, lines = max(widths.items(), key=lambda item: item[::-1], default=(0, 0))
    return lines / max(1, len(cells)), width


def _begins(cells: Sequence[str], comment: str) -> bool:
    return cells[0].startswith(comment)


def _comment(found: Sequence[Record]) -> str | None:
    """A `#`, where lines that begin with it are no records as the others are."""
    marked = [record for record in found if _begins(record.cells, COMMENT)]
    others = {len(record) for record in found if not _begins(record.cells, COMMENT)}
    is_first = bool(marked) and marked[0] is found[0]
    odd = all(len(record) not in others for record in marked)
    return COMMENT if marked and (is_first or odd) else None


def _without_comments(
    found: Sequence[Record], comment: str | None, separator: str
) -> tuple[list[Record], list[Record]]:
    """The records that are none, and the comments before the first of these without their marks."""
    if comment is None:
        return list(found), []
    rows = [record for record in found if not _begins(record.cells, comment)]
    before = [r for r in found if _begins(r.cells, comment) and rows and r.line < rows[0].line]
    return rows, [_unmarked(record, comment, separator) for record in before]


def _unmarked(record: Record, comment: str, separator: str) -> Record:
    first = record.cells[0].removeprefix(comment).strip()
    cells = [first, *record.cells[1:]]
    return Record(record.line, cells if separator != " " or first else cells[1:])


def _refuse_spaces(rows: Sequence[Record], head: bytes, name: str, options: Format) -> None:
    """One column in which lines have as many words as most others: spaces separate cells there."""
    words = {len(record.cells[0].split()) for record in rows}
    share, width = _fit(head, " ", options)
    alike = len(words) == 1 and max(words) > 1
    mostly = share > FITS and width > 2  # noqa: PLR2004 (a day and its time are two words)
    if all(len(record) == 1 for record in rows) and (alike or mostly):
        what = f"no separator found between the cells of {quoted(rows[-1].cells[0])}"
        raise Question(what, Answer({"separator": " "}, "if these are spaces"), where=name)
