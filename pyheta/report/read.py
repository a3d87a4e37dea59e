"""From a sweep in the store to its table."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyheta.errors import InputError
from pyheta.report.grid import Grid
from pyheta.report.importance import importance_grid
from pyheta.report.labels import targets_of
from pyheta.report.metrics import usual_metric
from pyheta.report.relevance import relevance_grid
from pyheta.report.shapley import shapley_grid
from pyheta.report.table import Layout, Table, build
from pyheta.store.seam import Reads, RunRow

# Views of steps, by the operation that they are about.
EXPLAINING = {"relevance": relevance_grid, "importance": importance_grid}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user asked of a report; what is empty is left to the sweep's `report` section."""

    metrics: Sequence[str] = ()
    rows: Sequence[str] = ()
    cols: Sequence[str] = ()
    split: str = "test"


async def read_table(reads: Reads, text: str | None, wish: Wish) -> Table:
    """The table of the sweep that `text` names, as it stands now.

    Raises InputError for a sweep that is not there, and for a metric or a key that no run has.
    """
    sweep = await reads.find_sweep(text)
    runs = await reads.runs(sweep.id)
    return build(sweep, runs, layout(sweep.report, wish, runs))


async def read_answer(reads: Reads, text: str | None, wish: Wish, about: str) -> Table | Grid:
    """What a sweep's runs came to ("runs", "targets", "components"), or what explains it (views by
    name).
    """
    if about == "runs":
        return await read_table(reads, text, wish)
    sweep = await reads.find_sweep(text)
    if explain := EXPLAINING.get(about):
        return explain(sweep, await reads.steps(sweep.id, about))
    runs = await reads.runs(sweep.id)
    plan = layout(sweep.report, wish, runs)
    if about == "shapley":
        return shapley_grid(sweep, runs, plan.metrics[0], plan.split)
    owners = _of_targets if about == "targets" else _of_components
    return build(sweep, runs, replace(plan, metrics=owners(runs, plan.metrics[0])))


def _of_targets(runs: Sequence[RunRow], metric: str) -> Sequence[str]:
    """A metric of all targets together, then of each. Raises InputError where no run has
    several.
    """
    several = (targets_of(run) for run in runs if len(targets_of(run)) > 1)
    names = dict.fromkeys(f"{target}/{metric}" for targets in several for target in targets)
    if not names:
        raise InputError("no run has several targets", cure="see the runs: pyheta report")
    return (metric, *names)


def _of_components(runs: Sequence[RunRow], metric: str) -> Sequence[str]:
    """A metric of the series, then of each component. Raises InputError where nothing was
    decomposed.

    Components have errors in the target's units alone, several targets together have none in them.
    """
    metric = metric.removesuffix("_scaled")
    names = {name for run in runs for _, name, _ in run.metrics if name.endswith(f"/{metric}")}
    names -= {f"{target}/{metric}" for run in runs for target in targets_of(run)}
    if not names:
        cure = "components have mae, mse, rmse and skill once they are scored"
        raise InputError(f"no run has {metric} of components", cure=cure)
    several = any(len(targets_of(run)) > 1 for run in runs)
    return (*(() if several else (metric,)), *sorted(names, key=_natural))


def _natural(name: str) -> list[str | int]:
    """IMF2 before IMF10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def layout(section: Mapping[str, Any], wish: Wish, runs: Sequence[RunRow]) -> Layout:
    """A wish, completed by a sweep's `report` section. A single metric gets skill beside it."""
    cols = tuple(wish.cols or section.get("cols", ()))
    metric = section.get("metric") or usual_metric(runs)
    metrics = wish.metrics or ((metric,) if cols else (metric, "skill"))
    rows = wish.rows or section.get("rows", ())
    return Layout(tuple(dict.fromkeys(metrics)), tuple(rows) or None, cols, wish.split)
