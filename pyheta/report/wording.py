"""A table in words and digits: headers, cells, and the notes below. Every form uses these."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pyheta.report.cells import Cell
from pyheta.report.metrics import Meaning, unit_of
from pyheta.report.table import Column, Row, Table

BEST = "*"
BEATEN = "!"
LEAKY = "~"
REMARK = "no better than"

MOST_DECIMALS = 9
MOST_REASONS = 5
SHARE_DECIMALS = 4  # of a metric whose best is 1: more would be noise
FAR = 1000  # so many times the least mean of its column is too far away to share its digits
FAR_SHARE = 10.0  # and so is this, where the best is 1


class Words(NamedTuple):
    """A cell in words: "0.6432", "± 0.0120", "*", "failed 1/3". Any of them may be empty."""

    mean: str = ""
    spread: str = ""
    marks: str = ""
    trouble: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, self))


class Digits(NamedTuple):
    """How a column writes its numbers: so many digits after the point, up to a mean of `most`.

    A larger one, of a run that diverged, is written by its own size and costs the others nothing.
    """

    after_point: int
    most: float

    def words(self, mean: float, std: float | None) -> tuple[str, str]:
        """The mean and its spread, as in "0.6432" and "± 0.0120"."""
        if abs(mean) > self.most:
            return f"{mean:#.4g}".rstrip("."), "" if std is None else f"± {std:.2g}"
        places = self.after_point
        return f"{mean:z.{places}f}", "" if std is None else f"± {std:.{places}f}"


class Line(NamedTuple):
    """A row in words.

    `n` counts the results behind its means; `remark` names the baselines that beat it.
    """

    labels: tuple[str, ...]
    cells: tuple[Words, ...]
    n: str
    remark: str


def heads(table: Table) -> list[str]:
    """The headers of row keys, columns, n and, where a row has one, the remark."""
    columns = [_head(table, column) for column in table.columns]
    return [*table.row_keys, *columns, "n", *([REMARK] if has_remarks(table) else [])]


def has_remarks(table: Table) -> bool:
    return any(cell.beaten_by for cell in _cells(table))


def _head(table: Table, column: Column) -> str:
    several = len({column.metric for column in table.columns}) > 1
    return " ".join([*column.labels, *([column.metric] if several or not column.labels else [])])


def lines(table: Table) -> list[Line]:
    """Every row in words."""
    digits = [_digits(table, number) for number in range(len(table.columns))]
    return [_line(table, row, digits) for row in table.rows]


def _line(table: Table, row: Row, digits: Sequence[Digits]) -> Line:
    first_metric = table.columns[0].metric if table.columns else ""
    cells = [
        _words(cell, each, counts=column.metric == first_metric)
        for cell, each, column in zip(row.cells, digits, table.columns, strict=True)
    ]
    return Line(row.labels, tuple(cells), _n(row), ", ".join(_beaten_by(row)))


def _digits(table: Table, number: int) -> Digits:
    """Those that show four digits of the largest of the column's means that share them."""
    sizes = [abs(cell.mean) for row in table.rows if (cell := row.cells[number]) and cell.mean]
    is_share = table.columns[number].meaning.is_share
    far = FAR_SHARE if is_share else FAR * min(sizes, default=1.0)
    near = [size for size in sizes if size <= far]
    decimals = max(3 - math.floor(math.log10(max(near))), 0) if near else 0
    return Digits(min(decimals, SHARE_DECIMALS if is_share else MOST_DECIMALS), far)


def _words(cell: Cell | None, digits: Digits, *, counts: bool) -> Words:
    """`counts`: say what failed or is open, which is the same for every metric of these runs."""
    if cell is None:
        return Words()
    leaky = bool(cell.leaks) and cell.mean is not None
    mean, spread = ("", "") if cell.mean is None else digits.words(cell.mean, cell.std)
    return Words(
        mean=mean,
        spread=spread,
        marks=BEST * cell.best + BEATEN * bool(cell.beaten_by) + LEAKY * leaky,
        trouble=", ".join([*(_lacking(cell) if counts else ()), *_undefined(cell)]),
    )


def _lacking(cell: Cell) -> Iterator[str]:
    counts = {"failed": cell.failed, "cancelled": cell.cancelled, "open": cell.open}
    for word, count in counts.items():
        if count:
            yield f"{word} {count}/{cell.asked}"


def _undefined(cell: Cell) -> Iterator[str]:
    if cell.undefined:
        yield f"undefined {cell.undefined}/{cell.asked}"


def _n(row: Row) -> str:
    counts = sorted({cell.n for cell in row.cells if cell})
    return " to ".join(str(count) for count in dict.fromkeys((*counts[:1], *counts[-1:])))


def _beaten_by(row: Row) -> Iterable[str]:
    return dict.fromkeys(name for cell in row.cells if cell for name in cell.beaten_by)


def notes(table: Table, *, best: str = BEST) -> list[str]:
    """What a reader has to know beside the numbers. `best` says how the form marks the best."""
    averaged = ", ".join(["seeds", *table.averaged])
    written = [
        _progress(table),
        *_failures(table),
        f"Mean ± standard deviation over {averaged}; n distinct results.",
    ]
    written += unit_notes({column.metric: column.meaning for column in table.columns})
    if any(cell.best for cell in _cells(table)):
        written.append(f"{best} best of those that forecast the same values.")
    if has_remarks(table):
        written.append(f"{BEATEN} no better than a baseline that forecasts the same values.")
    leaky = leak_notes([cell.leaks for cell in _cells(table)], table.leakage)
    return [*written, *leaky, *table.remarks]


def leak_notes(leaks: Iterable[tuple[str, ...]], leakage: str) -> list[str]:
    """How some results came to see the future; or that none did although the sweep allows it."""
    if reasons := _reasons(leaks):
        return [f"{LEAKY} saw the future ({reasons}): compared with nothing."]
    return ["Leakage is allowed, but no run here saw the future."] if leakage == "allow" else []


def _reasons(leaks: Iterable[tuple[str, ...]]) -> str:
    return "; ".join(dict.fromkeys(reason for each in leaks for reason in each))


def unit_notes(metrics: Mapping[str, Meaning]) -> list[str]:
    """The units of the metrics, those of all targets or components in one line."""
    units = {_of_any(metric): unit_of(metric, meaning) for metric, meaning in metrics.items()}
    return [f"{name}: {unit}." for name, unit in units.items()]


def _of_any(metric: str) -> str:
    _, own, name = metric.rpartition("/")
    return f"…/{name}" if own else name


def _failures(table: Table) -> Iterator[str]:
    """Why runs failed, the most frequent reasons first; a reason names the step that failed."""
    for reason, count in table.failures[:MOST_REASONS]:
        yield f"{count:,} failed: {reason}"


def _progress(table: Table) -> str:
    line = f"{table.finished:,} of {table.runs:,} runs finished"
    if not table.failed:
        return f"{line}."
    return f"{line}, {table.failed:,} failed (why: pyheta status {table.id[:12]})."


def _cells(table: Table) -> Iterator[Cell]:
    return (cell for row in table.rows for cell in row.cells if cell)
