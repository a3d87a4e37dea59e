"""From a sweep file to a checked plan: read, check, compile. Nothing is written."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyheta.errors import DataError
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.sources import Bring, as_it_is, inspect
from pyheta.plan.compile import Plan, compile_plan
from pyheta.sweep import Run, Sweep, read_sweep

Look = Callable[[Mapping[str, Any]], tuple[DatasetFacts, Path | None]]


@dataclass(frozen=True, slots=True)
class CheckedSweep:
    """A sweep whose runs fit their data sets, and the steps that they need."""

    sweep: Sweep
    runs: Sequence[Run]
    plan: Plan
    datasets: Mapping[str, DatasetFacts]  # by `RunConfig.dataset_key`
    files: Mapping[str, Path]  # what its steps read, by SHA-256


def prepare(
    path: Path, overrides: Sequence[str], data: Path | None, bring: Bring = as_it_is
) -> CheckedSweep:
    """Read and check a sweep and its data sets. Writes nothing but what `bring` keeps.

    Raises SweepError or DataError.
    """
    sweep = read_sweep(path, overrides)
    runs = sweep.runs()

    def look(dataset: Mapping[str, Any]) -> tuple[DatasetFacts, Path | None]:
        return inspect(bring(dataset), base=path.parent, data=data)

    facts, files = _inspect(runs, look)
    return CheckedSweep(sweep, runs, compile_plan(runs, facts, sweep.explain), facts, files)


def _inspect(
    runs: Sequence[Run], look: Look
) -> tuple[Mapping[str, DatasetFacts], Mapping[str, Path]]:
    """The facts of each data set by its key, and the files that the store needs by their hash."""
    facts: dict[str, DatasetFacts] = {}
    files: dict[str, Path] = {}
    for key, run in {run.config.dataset_key(): run for run in runs}.items():
        facts[key], file = _inspect_one(run, json.loads(key), look)
        if file:
            files[facts[key].files["raw"]] = file
    return facts, files


def _inspect_one(
    run: Run, dataset: Mapping[str, Any], look: Look
) -> tuple[DatasetFacts, Path | None]:
    """`look`; an error without a place gets that of the data set in the sweep file."""
    try:
        return look(dataset)
    except DataError as error:
        if error.where:
            raise
        raise DataError(error.what, where=run.where("dataset"), cure=error.cure) from error
