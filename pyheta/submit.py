"""From a sweep file to committed steps: read, check, plan, hand over.

Nothing is written before everything has been checked, and a sweep is committed as a whole or not at all.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pyheta.errors import DataError
from pyheta.pipeline.facts import DatasetFacts
from pyheta.pipeline.sources import inspect
from pyheta.plan import Plan, compile_plan
from pyheta.screen import count
from pyheta.steps import State, digest
from pyheta.store.seam import Artifacts, NewRun, Receipt, Submission, SweepStore
from pyheta.sweep import Run, Sweep, read_sweep

#: Operations whose steps belong to a sweep although none of its runs needs them.
EXPLAINING = ("relevance", "importance")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked sweep, its runs and steps.

    `datasets` has the facts of its data sets by `RunConfig.dataset_key`, `files` what its steps read by
    SHA-256.
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
    """The facts of each data set by its canonical text, and the files to hand over by their hash."""
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


def submission(prepared: Prepared) -> Submission:
    """What the store is asked to record. Equal runs, explained alike, under one name make the same sweep."""
    sweep, plan = prepared.sweep, prepared.plan
    runs = [
        NewRun(run.role, run.config.as_json(), run.seed, score)
        for run, score in zip(prepared.runs, plan.scores, strict=True)
    ]
    extra = [key for key, step in plan.steps.items() if step.op in EXPLAINING]
    return Submission(
        id=digest([sweep.name, sweep.leakage, [[r.role, r.config, r.seed, r.score] for r in runs], *extra]),
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
    """Put the files into the store, then commit the sweep. Repeating it adds nothing.

    Files that are there already are put again, lest they be removed as unneeded before the commit.
    """
    for sha256, path in prepared.files.items():
        await _put(artifacts, sha256, path)
    return await store.submit(submission(prepared))


async def _put(artifacts: Artifacts, sha256: str, path: Path) -> None:
    product = await artifacts.put(path)
    if product.sha256 != sha256:
        raise DataError("changed while it was read", where=str(path), cure="submit again")


def in_words(prepared: Prepared, receipt: Receipt) -> str:
    """What a submission did, and the next command."""
    name, runs = prepared.sweep.name, count(len(prepared.runs), "run")
    todo = sum(receipt.steps.get(state, 0) for state in (State.WAITING, State.QUEUED, State.RUNNING))
    failed = receipt.steps.get(State.FAILED, 0)
    if failed and not todo:
        return f"{name}: {runs}, {count(failed, 'step')} failed earlier; now: pyheta retry {name}"
    if not todo:
        return f"{name}: nothing to do, all {runs} are there; now: pyheta report {name}"
    there = "" if receipt.new else " (submitted before)"
    added = f"{count(receipt.added, 'step')} added, {todo:,} to compute"
    return f"{name}: {runs}{there}, {added}; now: pyheta worker, pyheta status {name}"
