"""From a sweep file to committed steps: read, check, plan, hand over.

Nothing is written before everything has been checked, and a sweep is committed as a whole or not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pyheta.broker.seam import Broker
from pyheta.errors import DataError
from pyheta.pipeline.facts import DatasetFacts
from pyheta.plan import Plan, compile_plan
from pyheta.steps import canonical, digest
from pyheta.store.seam import Artifacts, NewRun, Receipt, Submission, SweepStore
from pyheta.sweep import Run, Sweep, read_sweep


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked sweep: its runs, its steps, and the files (by SHA-256) that its steps read."""

    sweep: Sweep
    runs: Sequence[Run]
    plan: Plan
    files: Mapping[str, Path]


def prepare(path: Path, overrides: Sequence[str], data: Path | None) -> Prepared:
    """Read and check a sweep and its data sets. Writes nothing.

    Raises SweepError or DataError.
    """
    sweep = read_sweep(path, overrides)
    runs = sweep.runs()
    facts, files = _inspect(runs, path.parent, data)
    return Prepared(sweep, runs, compile_plan(runs, facts), files)


def _inspect(
    runs: Sequence[Run], base: Path, data: Path | None
) -> tuple[Mapping[str, DatasetFacts], Mapping[str, Path]]:
    """The facts of each data set by its canonical text, and the files to hand over by their hash."""
    from pyheta.pipeline.sources import inspect

    facts: dict[str, DatasetFacts] = {}
    files: dict[str, Path] = {}
    for name, dataset in _datasets(runs).items():
        facts[name], file = inspect(dataset, base=base, data=data)
        if file:
            files[facts[name].files["raw"]] = file
    return facts, files


def _datasets(runs: Sequence[Run]) -> Mapping[str, Mapping[str, Any]]:
    distinct = {run.config.dataset: None for run in runs}
    plain = [dataset.as_json() for dataset in distinct]
    return {canonical(dataset): dataset for dataset in plain}


def submission(prepared: Prepared) -> Submission:
    """What the store is asked to record. Equal runs under one name make the same sweep."""
    sweep, plan = prepared.sweep, prepared.plan
    runs = [
        NewRun(run.role, run.config.as_json(), run.seed, score)
        for run, score in zip(prepared.runs, plan.scores, strict=True)
    ]
    return Submission(
        id=digest([sweep.name, [[run.role, run.config, run.seed, run.score] for run in runs]]),
        name=sweep.name,
        source=sweep.text,
        overrides=sweep.overrides,
        axes=sweep.axes,
        report=asdict(sweep.report),
        leakage=sweep.leakage,
        priority=sweep.priority,
        asked=plan.asked,
        steps=list(plan.steps.values()),
        runs=runs,
    )


async def submit(prepared: Prepared, store: SweepStore, artifacts: Artifacts) -> Receipt:
    """Put the files into the store, then commit the sweep. Repeating it adds nothing."""
    for sha256, path in prepared.files.items():
        if not await artifacts.has(sha256):
            await _put(artifacts, sha256, path)
    return await store.submit(submission(prepared))


async def _put(artifacts: Artifacts, sha256: str, path: Path) -> None:
    product = await artifacts.put(path)
    if product.sha256 != sha256:
        raise DataError("changed while it was read", where=str(path), cure="submit again")
