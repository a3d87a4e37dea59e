"""The forms of a table: for a terminal, Markdown, CSV (one line a cell) and JSON."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, assert_never

from rich.console import Group, RenderableType
from rich.text import Text

from pyheta.evaluation.bootstrap import DRAWS, LEVEL
from pyheta.report import wording
from pyheta.report.cells import Cell
from pyheta.report.grid import Grid
from pyheta.report.table import Row, Table
from pyheta.report.views import Form
from pyheta.report.wording import Line, Words
from pyheta.screen import Screen, parts, plain, right
from pyheta.screen import table as screen_table

#: The fields of a cell that list the baselines which forecast the same values.
BASELINES = ("worse_than", "tied_with", "better_than")

CSV_FIELDS = (
    "metric",
    "split",
    "mean",
    "std",
    "n",
    "asked",
    "failed",
    "cancelled",
    "open",
    "best",
    "tied",
    *BASELINES,
    "leaks",
)


def show_answer(answer: Table | Grid, form: Form, on: Screen) -> None:
    """Print a table or a grid."""
    match form:
        case Form.TABLE:
            on.show(to_terminal(answer) if isinstance(answer, Table) else grid_to_terminal(answer))
        case Form.MARKDOWN:
            on.text(to_markdown(answer) if isinstance(answer, Table) else grid_to_markdown(answer))
        case Form.CSV:
            on.text(to_csv(answer) if isinstance(answer, Table) else grid_to_csv(answer))
        case Form.JSON:
            on.json(as_json(answer) if isinstance(answer, Table) else grid_as_json(answer))
        case _:
            assert_never(form)


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
    return parts(shown, _notes(wording.notes(table)))


def _notes(notes: Sequence[str]) -> Group:
    return Group(*(Text(plain(note), style="dim") for note in notes))


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
    if cell.leaks:
        return "magenta"
    if cell.best:
        return "bold green"
    if cell.worse_than or cell.cancelled:
        return "yellow"
    return "green" if cell.tied else ""


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
    for character in ("\\", "|", "*", "~"):
        text = text.replace(character, f"\\{character}")
    return " ".join(text.splitlines())


def to_csv(table: Table) -> str:
    """One line for each cell, numbers in full."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*table.row_keys, *table.col_keys, "baseline", *CSV_FIELDS])
    for row in table.rows:
        for column, cell in zip(table.columns, row.cells, strict=True):
            if cell:
                fields = asdict(cell) | {"metric": column.metric, "split": table.split}
                values = [_csv_value(fields[name]) for name in CSV_FIELDS]
                writer.writerow([*row.labels, *column.labels, row.baseline, *values])
    return stream.getvalue()


def _csv_value(value: object) -> object:
    return "; ".join(value) if isinstance(value, tuple) else value


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
        "failures": dict(table.failures),
        "averaged": table.averaged,
        "intervals": {
            "level": LEVEL,
            "draws": DRAWS,
            "of": [asdict(basis) for basis in table.bases],
        },
        "means_alone": [{"metric": metric, "reason": reason} for metric, reason in table.by_means],
        "remarks": table.remarks,
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


def grid_to_terminal(grid: Grid) -> RenderableType:
    """The grid and its notes."""
    shown = screen_table(*grid.keys, *right(*map(plain, grid.columns)), title=grid.title)
    for row in grid.rows:
        shown.add_row(
            *map(plain, row.labels), *(Text(plain(word.text), word.style) for word in row.words)
        )
    return parts(shown, _notes(grid.notes))


def grid_to_markdown(grid: Grid) -> str:
    """A pipe table with the notes as a list below."""
    rule = [":--"] * len(grid.keys) + ["--:"] * len(grid.columns)
    rows = [[*row.labels, *(word.text for word in row.words)] for row in grid.rows]
    heads, *body = [map(_escaped, cells) for cells in ([*grid.keys, *grid.columns], *rows)]
    lines = [f"| {' | '.join(cells)} |" for cells in (heads, rule, *body)]
    return "\n".join([*lines, "", *(f"- {_escaped(note)}" for note in grid.notes)]) + "\n"


def grid_to_csv(grid: Grid) -> str:
    """One line for each row, numbers in full."""
    stream = io.StringIO()
    facts = list(dict.fromkeys(name for row in grid.rows for name in row.facts))
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*grid.keys, *facts])
    for row in grid.rows:
        writer.writerow([*row.labels, *(row.facts.get(name) for name in facts)])
    return stream.getvalue()


def grid_as_json(grid: Grid) -> Mapping[str, Any]:
    """The rows with their labels by key and their numbers by name."""
    rows = [
        {"row": dict(zip(grid.keys, row.labels, strict=True)), **row.facts} for row in grid.rows
    ]
    return {"title": grid.title, "rows": rows, "notes": grid.notes}
