"""From a sweep in the store to its table."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, assert_never

from pyheta.errors import InputError
from pyheta.pipeline.metrics import METRICS
from pyheta.report.grid import Grid
from pyheta.report.importance import importance_grid
from pyheta.report.labels import named_targets
from pyheta.report.losses import kept_losses
from pyheta.report.marks import scores_to_read
from pyheta.report.query import ReportQuery
from pyheta.report.relevance import relevance_grid
from pyheta.report.shapley import shapley_grid
from pyheta.report.table import Table, lay_out
from pyheta.report.views import About
from pyheta.store.seam import Artifacts, Reads, RunRow, SweepRow

#: What is a table of runs.
AboutRuns = Literal[About.RUNS, About.TARGETS, About.COMPONENTS]


async def read_table(
    reads: Reads, artifacts: Artifacts, text: str | None, query: ReportQuery
) -> Table:
    """The table of the sweep that `text` names, as it stands now.

    Raises InputError for a sweep that is not there, and for a metric or a key that no run has.
    """
    sweep = await reads.find_sweep(text)
    runs = await reads.runs(sweep.id, pooled=query.pools(sweep.report))
    return await _table(reads, artifacts, sweep, runs, query.completed(sweep.report, runs))


async def read_answer(
    reads: Reads, artifacts: Artifacts, text: str | None, query: ReportQuery, about: About
) -> Table | Grid:
    """What a sweep's runs came to, or what explains it."""
    sweep = await reads.find_sweep(text)
    match about:
        case About.RELEVANCE:
            return relevance_grid(sweep, await reads.steps(sweep.id, "relevance"))
        case About.IMPORTANCE:
            return importance_grid(sweep, await reads.steps(sweep.id, "importance"))
        case _:
            runs = await reads.runs(sweep.id, pooled=query.pools(sweep.report))
            query = query.completed(sweep.report, runs)
            if about is About.SHAPLEY:
                return shapley_grid(sweep, runs, query.metrics[0], query.split)
            query = replace(query, metrics=_metrics(runs, query, about))
            return await _table(reads, artifacts, sweep, runs, query)


async def _table(
    reads: Reads,
    artifacts: Artifacts,
    sweep: SweepRow,
    runs: Sequence[RunRow],
    query: ReportQuery,
) -> Table:
    layout = lay_out(sweep, runs, query)
    scores = scores_to_read(layout.entries)
    each_target = any(entry.target for entry in layout.entries)
    losses = await kept_losses(reads, artifacts, scores, each_target=each_target)
    return layout.marked(losses)


def _metrics(runs: Sequence[RunRow], query: ReportQuery, about: AboutRuns) -> Sequence[str]:
    match about:
        case About.RUNS:
            return query.metrics
        case About.TARGETS:
            return _of_targets(runs, query.metrics[0])
        case About.COMPONENTS:
            return _of_components(runs, query.metrics[0])
        case _:
            assert_never(about)


def _of_targets(runs: Sequence[RunRow], metric: str) -> Sequence[str]:
    """A metric of all targets together, then of each.

    Raises InputError where no run has several.
    """
    names = dict.fromkeys(f"{target}/{metric}" for run in runs for target in named_targets(run))
    if not names:
        raise InputError("no run has several targets", cure="see the runs: pyheta report")
    return (metric, *names)


def _of_components(runs: Sequence[RunRow], metric: str) -> Sequence[str]:
    """A metric of the series, then of each component.

    Components have errors in the target's units alone, several targets together have none in them.
    Raises InputError where nothing was decomposed.
    """
    if (definition := METRICS.get(metric)) and definition.unscaled:
        metric = definition.unscaled
    names = {name for run in runs for _, name, _ in run.metrics if name.endswith(f"/{metric}")}
    names -= {f"{target}/{metric}" for run in runs for target in named_targets(run)}
    if not names:
        raise InputError(f"no run has {metric} of components", cure=_given_of_components())
    several = any(named_targets(run) for run in runs)
    return (*(() if several else (metric,)), *sorted(names, key=_natural))


def _given_of_components() -> str:
    *others, last = (metric.name for metric in METRICS.values() if metric.of_components)
    return f"components have {', '.join(others)} and {last} once they are scored"


def _natural(name: str) -> list[str | int]:
    """IMF2 before IMF10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]
