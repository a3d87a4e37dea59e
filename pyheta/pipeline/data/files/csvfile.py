"""A CSV text as a table of texts, and of numbers where a column has nothing else."""

import math
from collections.abc import Iterator, Sequence

import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.files.csvbody import Body, as_it_is, is_plain, written_anew
from pyheta.pipeline.data.files.dialect import Dialect, find_dialect
from pyheta.pipeline.data.files.dressed import undressed
from pyheta.pipeline.data.files.looks import PLAIN_NUMBER, YEAR_AND_MONTH, is_name, is_of_totals
from pyheta.pipeline.data.files.naming import tidied, without_nameless
from pyheta.pipeline.data.files.numerals import Decimal, Style, find_style, rewritten
from pyheta.pipeline.data.files.rawtable import RawTable, quoted, refuse_large
from pyheta.pipeline.data.files.records import (
    Record,
    count_lines,
    from_line,
    records,
)
from pyheta.pipeline.data.options.format import Format
from pyheta.pipeline.data.questions import Answer, Question

BLANK = b" \t\n\v\f\x1a"
TAIL = 1 << 14
CALLED = {"\t": "tabs", " ": "spaces"}


def read_csv(text: bytes, name: str, options: Format) -> tuple[RawTable, list[str]]:
    """The table, and how the file is written, where that is not plain. Raises DataError."""
    text = _without_blank_end(text)
    dialect = find_dialect(text, name, options)
    names = tidied(dialect.layout.names, name)
    text, footer = _without_footer(text, dialect)
    refuse_large(count_lines(text), len(names), name)
    frame, body = _read(text, dialect, name, options)
    frame.columns = names
    frame, units = undressed(frame)
    style = _style(frame, dialect, name, options)
    if style.decimal is Decimal.COMMA and pl.Float64 in frame.dtypes:
        frame = body.parsed([pl.String] * len(names))
        frame.columns = names
        frame, units = undressed(frame)
        style = find_style(frame, [], dialect.separator, style.decimal, name)
    frame, rows = _without_empty_end(rewritten(frame, style), body.rows(frame.height))
    frame, rows, repeated = _without_repeated_names(frame, rows, dialect)
    _refuse_totals(frame, rows, dialect, name)
    frame, unnamed = without_nameless(frame, name)
    notes = (*_notes(dialect), *body.notes, *units, *repeated, *footer, *unnamed)
    return RawTable(frame, name, rows, notes), _written(dialect, style)


def _without_blank_end(text: bytes) -> bytes:
    """Empty lines at the end are no rows, nor is what DOS ends a text with."""
    content = len(text) - len(text[-TAIL:]) + len(text[-TAIL:].rstrip(BLANK))
    return text if text[content:] in (b"", b"\n") else text.rstrip(BLANK)


def _without_footer(text: bytes, dialect: Dialect) -> tuple[bytes, tuple[str, ...]]:
    """The text without the lines at its end that have fewer cells than rows, and no data."""
    start = _tail(text, from_line(text, dialect.layout.first_line))
    tail = text[start:]
    several = any(line.count(b'"') % 2 for line in tail.split(b"\n"))  # lines in a cell, maybe
    if dialect.layout.width == 1 or dialect.comment or several:
        return text, ()
    found = list(records(tail, dialect.separator, strict=False))
    rows = [place for place, record in enumerate(found) if _is_row(record, dialect)]
    footer = [record for record in found[rows[-1] + 1 :] if any(record.cells)] if rows else []
    if not footer:
        return text, ()
    lines = f"{len(footer)} lines are no rows" if len(footer) > 1 else "line is no row"
    note = f"the last {lines}: {quoted(dialect.separator.join(footer[0].cells))}"
    return text[: start + from_line(tail, footer[0].line)].rstrip(BLANK), (note,)


def _tail(text: bytes, first: int) -> int:
    """Where the last lines begin, of those from a place on."""
    near = len(text) - TAIL
    return first if near <= first else text.find(b"\n", near) + 1


def _is_row(record: Record, dialect: Dialect) -> bool:
    layout, cells = dialect.layout, record.cells
    if layout.lead is None or len(cells) >= layout.width or not any(cells):
        return any(cells)
    return layout.lead < len(cells) and not is_name(cells[layout.lead])


def _read(text: bytes, dialect: Dialect, name: str, options: Format) -> tuple[pl.DataFrame, Body]:
    """Raises DataError where a record is not well formed, or longer than the line of names."""
    kinds = _kinds(dialect, options)
    if is_plain(text, dialect):
        body = as_it_is(text, dialect)
        try:
            frame = _typed(body, kinds)
        except pl.exceptions.PolarsError:
            pass  # the way below says why, by its line
        else:
            if not body.hides_lines(frame):
                return frame, body
    body = written_anew(text, dialect, name)
    try:
        return _typed(body, kinds), body
    except pl.exceptions.PolarsError as error:
        raise DataError("not well-formed CSV", where=name) from error


def _kinds(dialect: Dialect, options: Format) -> list[type[pl.DataType]]:
    """Float64 where all cells that were looked at are plain numbers, some of them fractions.

    Whole numbers stay texts: they may be times, and have more digits than a float. So do months
    such as 2026.10, which as a number would be 2026.1.
    """
    width = len(dialect.layout.names)
    if options.decimal == ",":
        return [pl.String] * width
    columns = _sampled(dialect)
    return [pl.Float64 if _are_fractions(columns[i]) else pl.String for i in range(width)]


def _sampled(dialect: Dialect) -> list[list[str]]:
    """The cells of each column that were looked at."""
    width = len(dialect.layout.names)
    return [[r.cells[i] if i < len(r) else "" for r in dialect.sample] for i in range(width)]


def _are_fractions(cells: Sequence[str]) -> bool:
    plain = all(map(PLAIN_NUMBER.fullmatch, cells)) and any("." in cell for cell in cells)
    return plain and not all(map(YEAR_AND_MONTH.fullmatch, cells))


def _typed(body: Body, kinds: list[type[pl.DataType]]) -> pl.DataFrame:
    """A column with a cell that is no finite number is text after all. Raises PolarsError."""
    try:
        frame = body.parsed(kinds)
    except pl.exceptions.PolarsError:
        texts = body.parsed([pl.String] * len(kinds))
        return texts.with_columns(
            column.cast(pl.Float64, strict=False)
            for column, kind in zip(texts.get_columns(), kinds, strict=True)
            if kind == pl.Float64 and _is_sound(column.cast(pl.Float64, strict=False))
        )
    wrong = [i for i, column in enumerate(frame) if not _is_sound(column)]
    return frame.with_columns(body.parsed([pl.String] * len(kinds), wrong)) if wrong else frame


def _is_sound(column: pl.Series) -> bool:
    """Its sum is finite if its cells are, and takes no memory; one that overflows does no harm."""
    is_number = column.dtype == pl.Float64
    return not is_number or (not column.has_nulls() and math.isfinite(column.sum()))


def _style(frame: pl.DataFrame, dialect: Dialect, name: str, options: Format) -> Style:
    columns = _sampled(dialect)
    samples = [columns[i] for i, kind in enumerate(frame.dtypes) if kind == pl.Float64]
    return find_style(frame, samples, dialect.separator, options.decimal, name)


def _without_empty_end(frame: pl.DataFrame, rows: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
    """Rows of separators alone, as sheets have them at their end, are none."""
    height = frame.height
    if frame.width == 1 or not height or any(value for value in frame.row(-1)):
        return frame, rows
    filled = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    kept = height - int(filled.reverse().arg_max() or 0) if filled.any() else 0
    return frame.head(kept), rows.head(kept)


def _without_repeated_names(
    frame: pl.DataFrame, rows: pl.Series, dialect: Dialect
) -> tuple[pl.DataFrame, pl.Series, tuple[str, ...]]:
    """Without the lines of names that stand among the rows where files were joined."""
    names = dict(zip(frame.columns, dialect.layout.names, strict=True))
    named = next((column for column in frame if names[column.name]), None)
    are_texts = all(dtype == pl.String for dtype in frame.dtypes)
    if named is None or not are_texts or not (named == names[named.name]).any():
        return frame, rows, ()
    cells = {column: pl.col(column).fill_null("").str.strip_chars() for column in names}
    same = [cells[column] == name.strip() for column, name in names.items()]
    repeats = frame.select(pl.all_horizontal(same)).to_series()
    count = int(repeats.sum())
    lines = f"{count} lines repeat" if count > 1 else "1 line repeats"
    notes = (f"{lines} the names of the columns and {'are' if count > 1 else 'is'} skipped",)
    return frame.filter(~repeats), rows.filter(~repeats), notes if count else ()


def _refuse_totals(frame: pl.DataFrame, rows: pl.Series, dialect: Dialect, name: str) -> None:
    lead = dialect.layout.lead
    last = frame[-1, lead] if lead is not None and frame.height else None
    if isinstance(last, str) and is_of_totals(last):
        what = f"{quoted(last)} is no row like the others"
        answer = Answer({"comment": last.split()[0]}, "to skip lines that begin so")
        raise Question(what, answer, where=f"{name}: row {rows[-1]}")


def _notes(dialect: Dialect) -> Iterator[str]:
    layout = dialect.layout
    if layout.titles:
        lines = "lines are" if layout.titles > 1 else "line is"
        yield f"{layout.titles} {lines} skipped above the names of the columns"
    if layout.stacked:
        yield f"the names of the columns stand in {layout.stacked} lines"
    if layout.units:
        yield "a line of units is skipped below the names of the columns"
    if dialect.comment:
        yield f"lines that begin with {dialect.comment!r} are skipped"


def _written(dialect: Dialect, style: Style) -> list[str]:
    """What is not plain, in words that follow "with"."""
    separator = dialect.separator
    cells = [] if separator == "," else [f"{CALLED.get(separator, repr(separator))} between cells"]
    comma = ["a decimal comma"] if style.decimal is Decimal.COMMA else []
    return [*cells, *comma, *(["separators between thousands"] if style.grouped else [])]
