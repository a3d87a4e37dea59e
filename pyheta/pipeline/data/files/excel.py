"""A sheet of an Excel file as a table of texts, read with calamine through Polars."""

import io
import re
import zipfile
from collections.abc import Sequence

import polars as pl

from pyheta.errors import DataError, nearest
from pyheta.pipeline.data.files.layout import find_layout
from pyheta.pipeline.data.files.naming import tidied, without_nameless
from pyheta.pipeline.data.files.packing import EXCEL, MAX_BYTES, ZIP, marks
from pyheta.pipeline.data.files.packing import FAULTS as ZIP_FAULTS
from pyheta.pipeline.data.files.rawtable import RawTable, listed, numbered, refuse_large
from pyheta.pipeline.data.files.records import Record
from pyheta.pipeline.data.files.typed import FAULTS
from pyheta.pipeline.data.options.format import Format
from pyheta.pipeline.data.questions import Answer, Question

LOOKED_AT = 300  # rows
CELL = re.compile(rb'<c r="([A-Z]{1,3})(\d{1,7})"')
DAY_ZERO = r"^1899-12-3[01] "
MIDNIGHT = r"^(\d{4}-\d\d-\d\d) 00:00:00$"
DAMAGED = "not a readable Excel file"


def is_excel(raw: bytes) -> bool:
    return raw.startswith(ZIP) and marks(raw, *EXCEL)


def read_excel(raw: bytes, name: str, options: Format) -> tuple[RawTable, str]:
    """The table and the name of its sheet. Raises DataError if none is found, or several."""
    try:
        import fastexcel
    except ImportError as error:
        cure = "pip install 'pyheta[excel]', or save it as CSV"
        raise DataError("reading Excel files needs fastexcel", where=name, cure=cure) from error
    try:
        _refuse_large(raw, name)
        sheets = _sheets(raw)
    except (*FAULTS, *ZIP_FAULTS, fastexcel.FastExcelError) as error:
        raise DataError(DAMAGED, where=name, cure="write it anew") from error
    sheet = _chosen(sheets, options.sheet, name)
    return _table(_without_empty_edges(sheets[sheet]), f"{name}: sheet '{sheet}'", options), sheet


def _refuse_large(raw: bytes, name: str) -> None:
    """By the last cell of each sheet: a cell in the last corner would make all of them."""
    archive = zipfile.ZipFile(io.BytesIO(raw))
    if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
        raise DataError(f"unpacks to more than {MAX_BYTES >> 20} MiB", where=name)
    for member in archive.namelist():
        if member.startswith("xl/worksheets/sheet"):
            cells = [(_number(m[1]), int(m[2])) for m in CELL.finditer(archive.read(member))]
            columns, rows = (max(ends) for ends in zip(*cells, strict=True)) if cells else (0, 0)
            refuse_large(rows, columns, name)


def _number(letters: bytes) -> int:
    """A column's number: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number


def _sheets(raw: bytes) -> dict[str, pl.DataFrame]:
    """All sheets, each a frame of texts as wide and as high as what is in it."""
    return pl.read_excel(
        io.BytesIO(raw),
        sheet_id=0,
        has_header=False,
        infer_schema_length=0,
        drop_empty_rows=False,
        drop_empty_cols=False,
        raise_if_empty=False,
    )


def _chosen(sheets: dict[str, pl.DataFrame], wanted: str | None, name: str) -> str:
    if wanted is not None and wanted not in sheets:
        raise DataError(f"no sheet '{wanted}'", where=name, cure=nearest(wanted, list(sheets)))
    filled = [sheet for sheet, frame in sheets.items() if frame.height and frame.width]
    if wanted is None and not filled:
        raise DataError("no sheet holds anything", where=name)
    if wanted is None and len(filled) > 1:
        answer = Answer({"sheet": filled[0]}, "(or another of them)")
        raise Question(f"sheets with data: {listed(filled)}", answer, where=name)
    return wanted if wanted is not None else filled[0]


def _without_empty_edges(frame: pl.DataFrame) -> pl.DataFrame:
    """Without the columns at its right that have no cell."""
    filled = [i for i, column in enumerate(frame) if column.null_count() < len(column)]
    return frame[:, : filled[-1] + 1] if filled else frame.clear()


def _table(frame: pl.DataFrame, place: str, options: Format) -> RawTable:
    skipped = options.skip_rows or 0
    found = _records(frame.slice(skipped, LOOKED_AT), skipped + 1)
    if not found:
        raise DataError("nothing in it", where=place)
    layout = find_layout(found, [], place, chosen=options.skip_rows is not None)
    names = tidied(layout.names, place)
    rows = frame.slice(layout.first_line - 1).select(frame.columns[: len(names)])
    rows.columns = names
    numbers = numbered(layout.first_line, rows.height)
    filled = rows.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    rows, notes = without_nameless(_plain_times(rows.filter(filled)), place)
    return RawTable(rows, place, numbers.filter(filled), notes)


def _plain_times(rows: pl.DataFrame) -> pl.DataFrame:
    """Times of the day without the day from which Excel counts, and days without a midnight."""
    days = pl.all().str.contains(MIDNIGHT).all()
    is_day = rows.select(days).row(0) if rows.height else ()
    named = [name for name, all_days in zip(rows.columns, is_day, strict=False) if all_days]
    rows = rows.with_columns(pl.all().str.replace(DAY_ZERO, ""))
    return rows.with_columns(pl.col(named).str.replace(MIDNIGHT, "$1"))


def _records(frame: pl.DataFrame, line: int) -> Sequence[Record]:
    """Its rows, without those that are empty, and without the empty cells at their ends."""
    rows = enumerate(frame.iter_rows(), line)
    return [Record(number, [cell or "" for cell in row]) for number, row in rows if any(row)]
