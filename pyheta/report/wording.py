"""A table in words and digits: headers, cells, and the notes below. Every form uses these."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pyheta.evaluation.bootstrap import DRAWS, LEVEL
from pyheta.report.cells import Cell
from pyheta.report.metrics import Judge, Meaning, unit_of
from pyheta.report.table import Column, Row, Table

BEST = "*"
TIED = "="
WORSE = "!"
UNTOLD = "?"  # before a baseline's name, too
LEAKY = "~"
REMARK = "no better than"

ERRORS: Mapping[Judge, str] = {"square": "squared", "absolute": "absolute"}

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

    `n` counts the results behind its means; `remark` names the baselines that it does not beat.
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
    return any(cell.worse_than or cell.tied_with for cell in _cells(table))


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
    return Line(row.labels, tuple(cells), _n(row), ", ".join(_not_beaten(row)))


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
    mean, spread = ("", "") if cell.mean is None else digits.words(cell.mean, cell.std)
    return Words(
        mean=mean,
        spread=spread,
        marks=_marks(cell),
        trouble=", ".join([*(_lacking(cell) if counts else ()), *_undefined(cell)]),
    )


def _marks(cell: Cell) -> str:
    leaky = bool(cell.leaks) and cell.mean is not None
    untold = bool(cell.tied_with) and not cell.worse_than
    shown = {
        BEST: cell.best,
        TIED: cell.tied,
        WORSE: bool(cell.worse_than),
        UNTOLD: untold,
        LEAKY: leaky,
    }
    return "".join(mark for mark, holds in shown.items() if holds)


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


def _not_beaten(row: Row) -> Iterable[str]:
    """The baselines that it is worse than in some column, then those it cannot be told from."""
    cells = [cell for cell in row.cells if cell]
    worse = dict.fromkeys(name for cell in cells for name in cell.worse_than)
    tied = dict.fromkeys(name for cell in cells for name in cell.tied_with if name not in worse)
    return [*worse, *(f"{UNTOLD} {name}" for name in tied)]


def notes(table: Table, *, best: str = BEST) -> list[str]:
    """What a reader has to know beside the numbers. `best` says how the form marks the best."""
    averaged = ", ".join(["seeds", *table.averaged])
    written = [
        _progress(table),
        *_failures(table),
        f"Mean ± standard deviation over {averaged}; n distinct results.",
    ]
    written += unit_notes({column.metric: column.meaning for column in table.columns})
    written += _of_marks(table, best)
    leaky = leak_notes([cell.leaks for cell in _cells(table)], table.leakage)
    return [*written, *leaky, *table.remarks]


def _of_marks(table: Table, best: str) -> Iterator[str]:
    """What the marks of a table mean, and what they stand on."""
    cells = list(_cells(table))
    if any(cell.best for cell in cells):
        same = " (several: the same forecasts)" if table.same else ""
        yield f"{best} {_extreme(table)} of those that forecast the same values{same}."
    if any(cell.tied for cell in cells):
        yield f"{TIED} cannot be told apart from it."
    if any(cell.worse_than for cell in cells):
        yield f"{WORSE} worse than a baseline that forecasts the same values."
    if any(cell.tied_with for cell in cells):
        yield f"{UNTOLD} cannot be told apart from a baseline."
    if table.bases:
        yield _of_intervals(table)
    yield from _of_means(table)


def _extreme(table: Table) -> str:
    """What the best of the metrics have: "lowest error or highest skill"."""
    meanings = {column.metric.rpartition("/")[2]: column.meaning for column in table.columns}
    higher = [metric for metric, meaning in meanings.items() if meaning.higher_is_better]
    lowest = ["lowest error"] if len(higher) < len(meanings) else []
    return " or ".join([*lowest, *(f"highest {metric}" for metric in higher)])


def _of_intervals(table: Table) -> str:
    errors = " or ".join(dict.fromkeys(ERRORS[basis.judge] for basis in table.bases))
    windows = _from_to([basis.windows for basis in table.bases])
    block = _from_to([basis.block for basis in table.bases])
    return (
        f"Told apart: 0 is not in the {LEVEL * 100:.0f} % interval of the paired difference in "
        f"{errors} error of {windows} windows (circular block bootstrap, {DRAWS:,} draws, blocks "
        f"of {block})."
    )


def _from_to(counts: Sequence[int]) -> str:
    return " to ".join(f"{count:,}" for count in dict.fromkeys([min(counts), max(counts)]))


def _of_means(table: Table) -> Iterator[str]:
    """Why there are no intervals, and for which metrics."""
    metrics = defaultdict[str, list[str]](list)
    for metric, reason in table.by_means:
        metrics[reason].append(metric)
    for reason, named in metrics.items():
        yield f"{', '.join(named)}: means alone are compared where {reason}."


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
