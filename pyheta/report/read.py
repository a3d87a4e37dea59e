"""From a sweep in the store to its table."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyheta.errors import InputError
from pyheta.report.grid import Grid
from pyheta.report.importance import importance_grid
from pyheta.report.relevance import relevance_grid
from pyheta.report.shapley import shapley_grid
from pyheta.report.table import Layout, Table, build
from pyheta.store.seam import Reads, RunRow

DEFAULT_METRIC = "rmse"

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
    return build(sweep, await reads.runs(sweep.id), layout(sweep.report, wish))


async def read_answer(reads: Reads, text: str | None, wish: Wish, about: str) -> Table | Grid:
    """What a sweep's runs came to ("runs", "components"), or what explains it (the views of that name)."""
    if about == "runs":
        return await read_table(reads, text, wish)
    sweep = await reads.find_sweep(text)
    if explain := EXPLAINING.get(about):
        return explain(sweep, await reads.steps(sweep.id, about))
    runs = await reads.runs(sweep.id)
    plan = layout(sweep.report, wish)
    if about == "shapley":
        return shapley_grid(sweep, runs, plan.metrics[0], plan.split)
    return build(sweep, runs, replace(plan, metrics=_of_components(runs, plan.metrics[0])))


def _of_components(runs: Sequence[RunRow], metric: str) -> Sequence[str]:
    """A metric of the series, then of each component. Raises InputError where nothing was decomposed."""
    names = {name for run in runs for _, name, _ in run.metrics if name.endswith(f"/{metric}")}
    if not names:
        cure = "components have mae, mse, rmse and skill once they are scored"
        raise InputError(f"no run has {metric} of components", cure=cure)
    return (metric, *sorted(names, key=_natural))


def _natural(name: str) -> list[str | int]:
    """IMF2 before IMF10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def layout(section: Mapping[str, Any], wish: Wish) -> Layout:
    """A wish, completed by a sweep's `report` section. A single metric gets skill beside it."""
    cols = tuple(wish.cols or section.get("cols", ()))
    metric = section.get("metric", DEFAULT_METRIC)
    metrics = wish.metrics or ((metric,) if cols else (metric, "skill"))
    rows = wish.rows or section.get("rows", ())
    return Layout(tuple(dict.fromkeys(metrics)), tuple(rows) or None, cols, wish.split)
