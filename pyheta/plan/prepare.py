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
class Prepared:
    """A checked sweep, its runs and steps.

    `datasets` has the facts of its data sets by `RunConfig.dataset_key`, `files` what its steps
    read by SHA-256.
    """

    sweep: Sweep
    runs: Sequence[Run]
    plan: Plan
    datasets: Mapping[str, DatasetFacts]
    files: Mapping[str, Path]


def prepare(path: Path, overrides: Sequence[str], data: Path | None) -> Prepared:
    """Read and check a sweep and its data sets. Writes nothing.

    Raises SweepError or DataError.
    """
    sweep = read_sweep(path, overrides)
    runs = sweep.runs()
    facts, files = _inspect(runs, path.parent, data)
    return Prepared(sweep, runs, compile_plan(runs, facts, sweep.explain), facts, files)


def _inspect(
    runs: Sequence[Run], base: Path, data: Path | None
) -> tuple[Mapping[str, DatasetFacts], Mapping[str, Path]]:
    """The facts of each data set by its canonical text, and the files to hand over by their
    hash.
    """
    facts: dict[str, DatasetFacts] = {}
    files: dict[str, Path] = {}
    for text, run in {run.config.dataset_key(): run for run in runs}.items():
        facts[text], file = _inspect_one(run, json.loads(text), base, data)
        if file:
            files[facts[text].files["raw"]] = file
    return facts, files


def _inspect_one(
    run: Run, dataset: Mapping[str, Any], base: Path, data: Path | None
) -> tuple[DatasetFacts, Path | None]:
    """`inspect`, with the place in the sweep file where an error has no place of its own."""
    try:
        return inspect(dataset, base=base, data=data)
    except DataError as error:
        if error.where:
            raise
        raise DataError(error.what, where=run.where("dataset"), cure=error.cure) from error
