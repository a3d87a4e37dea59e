"""A table of results, built of runs and the losses that they keep: the same give the same table."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, cast

from pyheta.errors import InputError, nearest
from pyheta.pipeline.leakage import leaks
from pyheta.pipeline.losses import Losses
from pyheta.pipeline.metrics import METRICS
from pyheta.pipeline.splits import Part
from pyheta.report.cells import Cell, Entry, entry_of, with_metric
from pyheta.report.judging import Basis
from pyheta.report.labels import BASELINE, NET, Naming, keys_of, label
from pyheta.report.marks import mark
from pyheta.report.metrics import Meaning, definition_of, own_names
from pyheta.report.query import ReportQuery
from pyheta.steps import Key, State
from pyheta.store.seam import RunRow, SweepRow
from pyheta.sweep.given import FOLD

#: Where a sweep's `report` says which runs, by their ordinals, are what a baseline would be.
AS_BASELINES = "as_baselines"

NO_LOSSES: Final[Mapping[Key, Losses]] = MappingProxyType({})

Labels = tuple[str, ...]
Cells = Mapping[Labels, Sequence[RunRow]]  # runs by column
Groups = Sequence[tuple[Labels, Cells]]  # the same by row


@dataclass(frozen=True, slots=True)
class Column:
    """One metric of the runs with these values of the column keys."""

    labels: Labels
    metric: str
    meaning: Meaning


@dataclass(frozen=True, slots=True)
class Row:
    """The runs with these values of the row keys; a cell is None where no run was asked for."""

    labels: Labels
    baseline: bool
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The answer, ready to be written.

    `averaged`: axes other than seeds that vary within cells. `bases` and `by_means` say what its
    marks stand on: intervals, and where they lack (a metric, the reason) means alone. `same`: where
    several cells are best, they are the same forecasts.
    """

    sweep: str
    id: str
    split: str
    leakage: str
    runs: int
    finished: int
    failed: int
    failures: tuple[tuple[str, int], ...]  # reasons, each with the number of runs that it failed
    row_keys: Labels
    col_keys: Labels
    averaged: Labels
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    remarks: tuple[str, ...] = ()  # what a reader has to know of the data
    bases: tuple[Basis, ...] = ()
    by_means: tuple[tuple[str, str], ...] = ()
    same: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """A table whose cells have no marks yet, and the entries that are to be compared for them."""

    table: Table
    entries: Sequence[Entry]

    def marked(self, losses: Mapping[Key, Losses]) -> Table:
        """`losses` are those of `scores_to_read(entries)`, where the store has them."""
        marks = mark(self.entries, losses, cast(Part, self.table.split))
        rows = [
            replace(row, cells=tuple(marks.cells.get((at, n)) for n in range(len(row.cells))))
            for at, row in enumerate(self.table.rows)
        ]
        return replace(
            self.table,
            rows=tuple(rows),
            bases=marks.bases,
            by_means=marks.by_means,
            same=marks.same,
        )


def build(
    sweep: SweepRow,
    runs: Sequence[RunRow],
    query: ReportQuery,
    losses: Mapping[Key, Losses] = NO_LOSSES,
) -> Table:
    """The table of a sweep whose losses, as far as there are any, are known; see `lay_out`."""
    return lay_out(sweep, runs, query).marked(losses)


def lay_out(sweep: SweepRow, runs: Sequence[RunRow], query: ReportQuery) -> Layout:
    """Lay a sweep's runs out by a completed query.

    Raises InputError for a metric or a key that no run has.
    """
    check_metrics(query.metrics, runs)
    axes, row_keys, col_keys = _keys(sweep, runs, query)
    equal = frozenset(sweep.report.get(AS_BASELINES, ()))
    naming = Naming.of(runs, (*row_keys, *col_keys), equal)
    groups = _group(runs, row_keys, col_keys, naming)
    heads = dict.fromkeys(head for _, cells in groups for head in cells)
    meanings = {metric: definition_of(metric, runs) for metric in query.metrics}
    columns = tuple(Column(head, *each) for head in heads for each in meanings.items())
    entries = _entries(groups, columns, query.split, naming, sweep)
    states = Counter(run.state for run in runs)
    table = Table(
        sweep=sweep.title,
        id=sweep.id,
        split=query.split,
        leakage=sweep.leakage,
        runs=len(runs),
        finished=states[State.SUCCEEDED],
        failed=states[State.FAILED],
        failures=_failures(runs),
        row_keys=row_keys,
        col_keys=col_keys,
        averaged=_averaged(
            groups, [key for key in (FOLD, *axes) if key not in (*row_keys, *col_keys)]
        ),
        columns=columns,
        rows=_rows(groups, len(columns)),
        remarks=tuple(sweep.report.get("remarks", ())),
    )
    return Layout(table, entries)


def _failures(runs: Sequence[RunRow]) -> tuple[tuple[str, int], ...]:
    counts = Counter(run.reason or "unknown" for run in runs if run.state is State.FAILED)
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def check_metrics(metrics: Sequence[str], runs: Sequence[RunRow]) -> None:
    """Raises InputError for what is no metric, or a metric of a series that no run has.

    One that has no value in any run (skill, where the last value is exact) shows as undefined.
    """
    plain = {*METRICS, *own_names(runs)}
    measured = {name for run in runs for _, name, _ in run.metrics}
    known = sorted(plain | {name for name in measured if name.rpartition("/")[2] in plain})
    for metric in metrics:
        if metric not in known:
            raise InputError(f"no run has a metric '{metric}'", cure=nearest(metric, known))


def _keys(
    sweep: SweepRow, runs: Sequence[RunRow], query: ReportQuery
) -> tuple[Labels, Labels, Labels]:
    """The keys that vary, those of the rows, and those of the columns."""
    axes = keys_of(sweep.axes, [run for run in runs if run.role == "net"])
    cols = keys_of(query.cols, runs)
    wanted = keys_of(query.rows, runs) if query.rows else axes
    rows = tuple(key for key in wanted if key not in cols)
    if NET not in (*rows, *cols) and any(map(_is_beside, runs)):
        rows = (NET, *rows)  # it tells baselines from nets
    return axes, rows, cols


def _averaged(groups: Groups, keys: Sequence[str]) -> Labels:
    """Those of the keys that vary within a cell: one that follows from another does not."""
    cells = [runs for _, by_column in groups for runs in by_column.values()]
    return tuple(key for key in keys if any(_varies(key, runs) for runs in cells))


def _varies(key: str, runs: Sequence[RunRow]) -> bool:
    return any(label(run, key) != label(runs[0], key) for run in runs)


def _group(runs: Sequence[RunRow], row_keys: Labels, col_keys: Labels, naming: Naming) -> Groups:
    """Nets before baselines, otherwise in the order of the sweep."""
    groups: dict[tuple[bool, Labels], dict[Labels, list[RunRow]]] = {}
    for run in sorted(runs, key=_is_beside):
        row = (_is_beside(run), tuple(naming.label(run, key) for key in row_keys))
        head = tuple(naming.label(run, key) for key in col_keys)
        groups.setdefault(row, {}).setdefault(head, []).append(run)
    return [
        (labels, cells) for (_, labels), by_head in groups.items() for cells in _unmixed(by_head)
    ]


def _unmixed(cells: Cells) -> Iterator[Cells]:
    """A row twice where a cell would average honest and leaky runs: the honest ones first."""
    kinds: dict[bool, dict[Labels, list[RunRow]]] = {False: {}, True: {}}
    for head, runs in cells.items():
        for run in runs:
            kinds[bool(leaks(run.config))].setdefault(head, []).append(run)
    honest, leaky = kinds.values()
    yield from (honest, leaky) if honest.keys() & leaky.keys() else (cells,)


def _entries(
    groups: Groups, columns: Sequence[Column], split: str, naming: Naming, sweep: SweepRow
) -> Sequence[Entry]:
    return [
        entry_of(
            (at, number),
            runs,
            column.metric,
            column.meaning,
            split=split,
            baseline=_baseline(runs, naming),
            sweep=sweep,
        )
        for at, (_, by_column) in enumerate(groups)
        for number, column in enumerate(columns)
        if (runs := with_metric(by_column.get(column.labels, ()), column.metric))
    ]


def _rows(groups: Groups, columns: int) -> tuple[Row, ...]:
    """Their cells are still empty."""
    return tuple(
        Row(
            labels=labels,
            baseline=all(_is_beside(run) for runs in by_column.values() for run in runs),
            cells=(None,) * columns,
        )
        for labels, by_column in groups
    )


def _baseline(runs: Sequence[RunRow], naming: Naming) -> str | None:
    """What runs are called that are all baselines; None for others."""
    if not all(map(naming.is_baseline, runs)):
        return None
    return ", ".join(sorted({naming.label(run, NET) for run in runs}))


def _is_beside(run: RunRow) -> bool:
    """Whether it stands beside the sweep's own runs, and so below them."""
    return run.role == BASELINE
