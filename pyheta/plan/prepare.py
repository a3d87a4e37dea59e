"""From a sweep file to a checked plan: read, check, compile. Nothing is written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyheta.errors import DataError
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.sources import inspect
from pyheta.plan.compile import Plan, compile_plan
from pyheta.sweep import Run, Sweep, read_sweep


@dataclass(frozen=True, slots=True)
class CheckedSweep:
    """A sweep whose runs fit their data sets, and the steps that they need."""

    sweep: Sweep
    runs: Sequence[Run]
    plan: Plan
    datasets: Mapping[str, DatasetFacts]  # by `RunConfig.dataset_key`
    files: Mapping[str, Path]  # what its steps read, by SHA-256


def prepare(path: Path, overrides: Sequence[str], data: Path | None) -> CheckedSweep:
    """Read and check a sweep and its data sets. Writes nothing.

    Raises SweepError or DataError.
    """
    sweep = read_sweep(path, overrides)
    runs = sweep.runs()
    facts, files = _inspect(runs, path.parent, data)
    return CheckedSweep(sweep, runs, compile_plan(runs, facts, sweep.explain), facts, files)


def _inspect(
    runs: Sequence[Run], base: Path, data: Path | None
) -> tuple[Mapping[str, DatasetFacts], Mapping[str, Path]]:
    """The facts of each data set by its key, and the files that the store needs by their hash."""
    facts: dict[str, DatasetFacts] = {}
    files: dict[str, Path] = {}
    for key, run in {run.config.dataset_key(): run for run in runs}.items():
        facts[key], file = _inspect_one(run, json.loads(key), base, data)
        if file:
            files[facts[key].files["raw"]] = file
    return facts, files


def _inspect_one(
    run: Run, dataset: Mapping[str, Any], base: Path, data: Path | None
) -> tuple[DatasetFacts, Path | None]:
    """`inspect`; an error without a place gets that of the data set in the sweep file."""
    try:
        return inspect(dataset, base=base, data=data)
    except DataError as error:
        if error.where:
            raise
        raise DataError(error.what, where=run.where("dataset"), cure=error.cure) from error
