"""Hand a checked sweep to the store. It is committed as a whole or not at all."""

from dataclasses import asdict
from pathlib import Path

from pyheta.errors import DataError
from pyheta.ops.registry import OPS
from pyheta.plan.prepare import CheckedSweep
from pyheta.report.cells import SEASONS, season_key
from pyheta.report.table import AS_BASELINES
from pyheta.screen import count
from pyheta.steps import OPEN, State, digest
from pyheta.store.seam import Artifacts, NewRun, Receipt, Submission, SweepStore


def submission(prepared: CheckedSweep) -> Submission:
    """What the store is asked to record. The same runs under the same name are the same sweep.

    Steps that explain a run (relevance, importance) count too, and so do the data sets as they are
    now: a file that has grown makes another sweep, though its results may be there already.
    """
    sweep, plan = prepared.sweep, prepared.plan
    runs = [
        NewRun(run.role, run.config.as_json(), run.seed, score, run.fold, pooled)
        for run, score, pooled in zip(prepared.runs, plan.scores, plan.pooled, strict=True)
    ]
    extra = [key for key, step in plan.steps.items() if OPS[step.op].explains or step.op == "load"]
    return Submission(
        id=digest(
            [sweep.name, sweep.leakage, [[r.role, r.config, r.seed, r.score] for r in runs], *extra]
        ),
        name=sweep.name,
        source=sweep.text,
        overrides=sweep.overrides,
        axes=sweep.axes,
        report=asdict(sweep.report) | _for_reports(prepared),
        leakage=sweep.leakage,
        priority=sweep.priority,
        asked=plan.asked,
        steps=list(plan.steps.values()),
        runs=runs,
    )


def _for_reports(prepared: CheckedSweep) -> dict[str, object]:
    """What every report of the sweep has to know of its data, and which runs are baselines too."""
    known: dict[str, object] = {
        "remarks": list(prepared.remarks),
        SEASONS: _seasons(prepared),
        AS_BASELINES: list(prepared.as_baselines),
    }
    return {name: values for name, values in known.items() if values}


def _seasons(prepared: CheckedSweep) -> dict[str, int]:
    """How many rows make a season of each data set, where something says so."""
    datasets = {run.config.dataset_key(): run.config.as_json()["dataset"] for run in prepared.runs}
    return {
        season_key(dataset): season
        for name, dataset in datasets.items()
        if (season := prepared.datasets[name].cadence.season)
    }


async def submit(prepared: CheckedSweep, store: SweepStore, artifacts: Artifacts) -> Receipt:
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


def in_words(prepared: CheckedSweep, receipt: Receipt) -> str:
    """What a submission did, and the next command."""
    name, runs = prepared.sweep.name, count(len(prepared.runs), "run")
    todo = sum(receipt.steps.get(state, 0) for state in OPEN)
    failed = receipt.steps.get(State.FAILED, 0)
    if failed and not todo:
        return f"{name}: {runs}, {count(failed, 'step')} failed earlier; now: pyheta retry {name}"
    if not todo:
        return f"{name}: nothing to do, all {runs} are there; now: pyheta report {name}"
    there = "" if receipt.new else " (submitted before)"
    added = f"{count(receipt.added, 'step')} added, {todo:,} to compute"
    return f"{name}: {runs}{there}, {added}; now: pyheta worker, pyheta status {name}"


def anew(prepared: CheckedSweep, receipt: Receipt) -> str:
    """Why fits that seem to be there are computed; empty if none are."""
    if not receipt.outdated:
        return ""
    fits = count(receipt.outdated, "fit")
    return (
        f"{fits} of earlier sweeps named {prepared.sweep.name} came from an older PyHeta. Its keys "
        "told more of the data than a fit sees, so what this sweep asks for is computed anew, once"
    )
