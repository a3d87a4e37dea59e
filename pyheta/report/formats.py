"""The forms of a table: for a terminal, Markdown, CSV (one line a cell) and JSON."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from pyheta.report import wording
from pyheta.report.cells import Cell
from pyheta.report.table import Row, Table
from pyheta.report.wording import Line, Words
from pyheta.screen import Screen, parts, right
from pyheta.screen import table as screen_table

CSV_FIELDS = ("metric", "split", "mean", "std", "n", "asked", "failed", "cancelled", "open", "best")


def show_table(table: Table, form: str, on: Screen) -> None:
    """Print a table in the form of this name: "table", "md", "csv" or "json"."""
    if form == "table":
        on.show(to_terminal(table))
    elif form == "json":
        on.json(as_json(table))
    else:
        on.text(to_markdown(table) if form == "md" else to_csv(table))


def to_terminal(table: Table) -> RenderableType:
    """The table and its notes, the best in green and what failed in red."""
    heads = wording.heads(table)
    first, last = len(table.row_keys), len(table.row_keys) + len(table.columns)
    shown = screen_table(
        *heads[:first],
        *right(*heads[first : last + 1]),
        *heads[last + 1 :],
        title=f"{table.sweep}: {table.split} split",
    )
    lines = wording.lines(table)
    widths = [_widths(*column) for column in zip(*(line.cells for line in lines), strict=True)]
    nets, remarks = sum(not row.baseline for row in table.rows), wording.has_remarks(table)
    for at, (row, line) in enumerate(zip(table.rows, lines, strict=True), start=1):
        cells = map(_aligned, line.cells, widths, map(len, heads[first:last]), row.cells)
        remark = [line.remark] if remarks else []
        shown.add_row(*line.labels, *cells, line.n, *remark, end_section=at == nets)
    return parts(shown, Group(*(Text(note, style="dim") for note in wording.notes(table))))


def _widths(*words: Words) -> Sequence[int]:
    """How wide each part of a column's cells is, so that its numbers stand below each other."""
    return [max(map(len, part)) for part in zip(*words, strict=True)]


def _aligned(words: Words, widths: Sequence[int], least: int, cell: Cell | None) -> Text:
    tail = [part.ljust(width) for part, width in zip(words[1:], widths[1:], strict=True) if width]
    text = " ".join([words.mean.rjust(widths[0]), *tail])
    # Justified here, since rich strips the spaces on the right that stand for empty parts.
    return Text(text.rjust(least), style=_style(cell), justify="left")


def _style(cell: Cell | None) -> str:
    if cell is None:
        return ""
    if cell.failed:
        return "red"
    if cell.best:
        return "bold green"
    return "yellow" if cell.beaten_by or cell.cancelled else ""


def to_markdown(table: Table) -> str:
    """A pipe table, the best in bold, with the notes as a list below."""
    heads = wording.heads(table)
    left = {*table.row_keys, wording.REMARK}
    rule = [":--" if head in left else "--:" for head in heads]
    remarks = wording.has_remarks(table)
    rows = [_markdown_row(line, remarks=remarks) for line in wording.lines(table)]
    lines = [f"| {' | '.join(cells)} |" for cells in (map(_escaped, heads), rule, *rows)]
    notes = [f"- {_escaped(note)}" for note in wording.notes(table, best="Bold:")]
    return "\n".join([*lines, "", *notes]) + "\n"


def _markdown_row(line: Line, *, remarks: bool) -> list[str]:
    labels = map(_escaped, line.labels)
    remark = [line.remark] if remarks else []
    return [*labels, *map(_markdown_cell, line.cells), line.n, *remark]


def _markdown_cell(words: Words) -> str:
    if wording.BEST not in words.marks:
        return str(words)
    value = " ".join(filter(None, words[:2]))
    return str(Words(f"**{value}**", "", words.marks.replace(wording.BEST, ""), words.trouble))


def _escaped(text: str) -> str:
    for character in ("\\", "|", "*"):
        text = text.replace(character, f"\\{character}")
    return text


def to_csv(table: Table) -> str:
    """One line for each cell, numbers in full."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*table.row_keys, *table.col_keys, "baseline", *CSV_FIELDS, "beaten_by"])
    for row in table.rows:
        for column, cell in zip(table.columns, row.cells, strict=True):
            if cell:
                fields = asdict(cell) | {"metric": column.metric, "split": table.split}
                values = [fields[name] for name in CSV_FIELDS]
                beaten_by = " ".join(cell.beaten_by)
                writer.writerow([*row.labels, *column.labels, row.baseline, *values, beaten_by])
    return stream.getvalue()


def as_json(table: Table) -> Mapping[str, Any]:
    """The table with its keys beside its values; a row has no cell where no run was asked for."""
    return {
        "sweep": table.sweep,
        "id": table.id,
        "split": table.split,
        "leakage": table.leakage,
        "runs": table.runs,
        "finished": table.finished,
        "failed": table.failed,
        "averaged": table.averaged,
        "rows": [_json_row(table, row) for row in table.rows],
    }


def _json_row(table: Table, row: Row) -> Mapping[str, Any]:
    cells = [
        {
            "column": dict(zip(table.col_keys, column.labels, strict=True)),
            "metric": column.metric,
            **asdict(cell),
        }
        for column, cell in zip(table.columns, row.cells, strict=True)
        if cell
    ]
    labels = dict(zip(table.row_keys, row.labels, strict=True))
    return {"row": labels, "baseline": row.baseline, "cells": cells}
