"""What tests are made of: sweep files, facts of data, steps, submissions, workers, rows of reports.

Each function gives the simplest thing that is valid, changed where a test says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from pyheta.broker.jobtable import TableBroker
from pyheta.broker.seam import Broker, Delivery
from pyheta.device import Device
from pyheta.errors import SweepError
from pyheta.pipeline.channels import Source
from pyheta.pipeline.data.content import Content
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.sources import column_facts
from pyheta.pipeline.data.steps.cadence import HOURLY
from pyheta.pipeline.spans import microseconds
from pyheta.pipeline.windows import Shape
from pyheta.steps import (
    Claim,
    Cost,
    Ending,
    Failure,
    Kind,
    Metric,
    Product,
    State,
    Step,
    StepId,
    Success,
    WorkerId,
    digest,
)
from pyheta.store.postgres import PostgresStore
from pyheta.store.seam import NewRun, RunRow, StepStore, Submission, SweepRow, WorkerInfo
from pyheta.sweep import Sweep, read_sweep
from pyheta.worker.options import WorkerOptions
from pyheta.worker.supervisor import Supervisor
from pyheta.worker.timing import Timing

if TYPE_CHECKING:
    from pyheta.nets.gradient import GradientForecaster

# ---- sweep files: a smallest valid one, and how to read one from text ----------------------------

# Line 7 is the first that a test adds.
BASE = """\
name: small
baselines: []
config:
  dataset: synthetic
  target: load
  net: lstm
"""
WINDOW = "  window: {input: 8}\n"


def sweep(folder: Path, text: str, overrides: Sequence[str] = ()) -> Sweep:
    """The sweep of a text, read from `sweep.yaml` in the folder."""
    path = folder / "sweep.yaml"
    path.write_text(text, encoding="utf-8")
    return read_sweep(path, overrides)


def small(folder: Path, added: str = "", overrides: Sequence[str] = ()) -> Sweep:
    """The smallest sweep with some text added at the top level."""
    return sweep(folder, BASE + WINDOW + added, overrides)


def complaint(folder: Path, text: str, overrides: Sequence[str] = ()) -> str:
    """What is said about a text that is not a valid sweep, without the folder."""
    try:
        sweep(folder, text, overrides)
    except SweepError as error:
        return str(error).replace(f"{folder}/", "")
    raise AssertionError("the sweep is valid")


# ---- facts of data, parameters of a fit, nets ----------------------------------------------------


def facts(*columns: str, rows: int = 4000, **changed: Any) -> DatasetFacts:
    """An hourly CSV file with these columns."""
    first = datetime(2020, 1, 1)  # noqa: DTZ001 (data sets have no zone)
    names = (*columns, *(changed["meaning"].masks.values() if "meaning" in changed else ()))
    content = Content(
        np.arange(rows) * 3_600_000_000 + microseconds(first),
        {name: np.random.default_rng(n).normal(size=rows) for n, name in enumerate(names)},
    )
    fields: dict[str, Any] = {
        "source": {"time": "date"},
        "files": {"raw": "ab" * 32},
        "first": first,
        "last": first + timedelta(hours=rows - 1),
        "cadence": HOURLY,
        "content": content,
        "by_column": {name: column_facts(values) for name, values in content.columns.items()},
    }
    return DatasetFacts(columns=columns, rows=rows, **(fields | changed))


def fit_params(net: Mapping[str, Any], exog: Sequence[str] = (), **changed: Any) -> dict[str, Any]:
    """Parameters of a fit of the synthetic data's load."""
    params: dict[str, Any] = {
        "component": "target",
        "sources": [Source(column).as_params() for column in ("load", *exog)],
        "targets": 1,
        "split": {"train": [0, 240], "val": [240, 320]},
        "window": {"input": 8, "horizon": 1},
        "scale": "standard",
        "net": net,
    }
    return params | changed


def gradient_net(net: Mapping[str, Any], shape: Shape, *, seed: int = 0) -> "GradientForecaster":
    """An untrained net that is trained by gradient."""
    from pyheta.nets.gradient import GradientForecaster
    from pyheta.nets.registry import build

    forecaster = build(net, shape, seed=seed)
    assert isinstance(forecaster, GradientForecaster)
    return forecaster


# ---- steps and how they end ----------------------------------------------------------------------

DONE = Success(products=())
A_COST = Cost(1.5, 1.25, 2, peak_memory=300 << 20, peak_of="step", threads=1, cold=False)
ERROR = Failure(Ending.ERROR, "boom")
RELEASE = Failure(Ending.RELEASE, "drained")


def load(tag: str = "a", *, files: bool = False) -> Step:
    raw = {"raw": digest(tag)} if files else {}
    return Step("load", 1, Kind.DATA, {"tag": tag}, files=raw)


def fit(tag: str, *needs: Step, bundle: str | None = None) -> Step:
    roles = {f"load/{number}": need.key for number, need in enumerate(needs)}
    params = {"tag": tag, "net": {"name": "lstm"}}
    return Step("fit", 1, Kind.TRAIN, params, needs=roles, bundle=bundle)


def fits(count: int, prefix: str = "", *, bundle: str = "alike") -> list[Step]:
    """Ready fits that may be computed together."""
    return [fit(f"{prefix}{number}", bundle=bundle) for number in range(count)]


def fit_of_course(course: str, epochs: int, patience: int = 5, *, resumable: bool = False) -> Step:
    """A ready fit that goes so far at most."""
    train = {"epochs": epochs, "patience": patience, "resumable": resumable}
    params = {"tag": f"{course}-{epochs}", "net": {"name": "lstm"}, "train": train}
    return Step("fit", 1, Kind.TRAIN, params, course=course)


def score(tag: str, *needs: Step) -> Step:
    roles = {f"fit/{need.key[:6]}": need.key for need in needs}
    return Step("score", 1, Kind.TRAIN, {"tag": tag}, needs=roles)


def chain(tag: str = "a") -> tuple[Step, Step, Step]:
    """load → fit → score."""
    first = load(tag)
    second = fit(tag, first)
    return first, second, score(tag, second)


def some_steps(count: int, kind: Kind = Kind.TRAIN) -> list[Step]:
    """Steps that need nothing and differ from all others."""
    salt = uuid4().hex
    return [Step("fit", 1, kind, {"number": number, "salt": salt}) for number in range(count)]


def a_success() -> Success:
    products = (
        Product("weights", digest("weights"), 10),
        Product("forecast", digest("forecast"), 20),
    )
    metrics = (
        Metric("test", "rmse", 0, 0.5),
        Metric("test", "rmse", 1, 0.4),
        Metric("val", "rmse", 0, 0.6),
    )
    return Success(products, metrics, summary={"epochs": 3}, cost=A_COST, log="epoch 3")


# ---- submissions ---------------------------------------------------------------------------------


def submission(*steps: Step, name: str = "sweep", priority: int = 0) -> Submission:
    """A sweep of these steps, needs first. Each that no other one needs is the result of a run."""
    needed = {key for step in steps for key in step.needs.values()}
    runs = [
        NewRun("net", {"tag": step.params.get("tag"), "net": {"name": "lstm"}}, seed, step.key)
        for seed, step in enumerate(step for step in steps if step.key not in needed)
    ]
    return Submission(
        id=digest([name, [run.score for run in runs]]),
        name=name,
        source=f"name: {name}\n",
        overrides=("seeds=1",),
        axes=("net.name",),
        report={"metric": "rmse"},
        leakage="forbid",
        priority=priority,
        asked={"score": len(runs)},
        steps=steps,
        runs=runs,
    )


# ---- workers and what they do without computing --------------------------------------------------

BOTH = (Kind.DATA, Kind.TRAIN)

#: Seconds after which a worker that listens believes that no ring will come.
QUIET = 1.0


async def new_worker(
    store: StepStore, kinds: Sequence[Kind] = BOTH, *, lease_seconds: float = 600, **changed: Any
) -> WorkerId:
    info = WorkerInfo(
        WorkerId(uuid4()), "here", pid=1, version="0", kinds=kinds, procs=1, device=Device.CPU
    )
    await store.register(replace(info, **changed), lease_seconds=lease_seconds)
    return info.id


async def claim_one(store: StepStore, worker: WorkerId, kinds: Sequence[Kind] = BOTH) -> Claim:
    [claim] = await store.claim_next(worker, kinds, 1)
    return claim


async def succeed_next(store: StepStore, worker: WorkerId, count: int = 1) -> None:
    """Claim and finish the next steps, one after the other."""
    for _ in range(count):
        claim = await claim_one(store, worker)
        assert await store.succeed(claim.step, claim.fence, DONE)


async def answer(
    store: StepStore, worker: WorkerId, kinds: Sequence[Kind], delivery: Delivery
) -> list[Claim]:
    """Claim what a ring leads to, settle, succeed."""
    claims = await _claim(store, worker, kinds, delivery.step)
    await delivery.settle(claimed=bool(claims))
    for claim in claims:
        assert await store.succeed(claim.step, claim.fence, DONE)
    return claims


async def _claim(
    store: StepStore, worker: WorkerId, kinds: Sequence[Kind], step: StepId | None
) -> list[Claim]:
    """This step, or any if the broker does not know which."""
    if step is None:
        return list(await store.claim_next(worker, kinds, 1))
    claim = await store.claim(worker, step)
    return [claim] if claim else []


async def take_all(
    store: StepStore, broker: Broker, kinds: Sequence[Kind] = (Kind.TRAIN,)
) -> list[StepId]:
    """Answer rings until the store has no open step of these kinds; the steps that were claimed."""
    worker, taken = await new_worker(store, kinds), list[Claim]()
    async with broker.listen(kinds) as listener:
        while await store.open_steps(kinds):
            if delivery := await listener.next(QUIET):
                taken += await answer(store, worker, kinds, delivery)
    return [claim.step for claim in taken]


async def take_until_quiet(
    store: StepStore, broker: Broker, kinds: Sequence[Kind] = (Kind.TRAIN,)
) -> list[StepId]:
    """Answer rings until none comes for a while; the steps that were claimed."""
    worker, taken = await new_worker(store, kinds), list[Claim]()
    async with broker.listen(kinds) as listener:
        while delivery := await listener.next(QUIET):
            taken += await answer(store, worker, kinds, delivery)
    return [claim.step for claim in taken]


def supervisor(
    store: PostgresStore,
    home: Path,
    time_scale: float,
    *,
    artifacts: Any = None,
    procs: int = 1,
    lanes: int = 16,
) -> Supervisor:
    """A worker that ends when nothing is left."""
    return Supervisor(
        store,
        TableBroker(store),
        artifacts or store.artifacts,
        options=WorkerOptions(tuple(Kind), procs, lanes=lanes, until_idle=True),
        home=home,
        timing=Timing().scaled(time_scale),
    )


# ---- rows that a report reads --------------------------------------------------------------------

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def sweep_row(*axes: str, runs: int = 1, **changed: Any) -> SweepRow:
    """A sweep called study."""
    return SweepRow("a" * 64, "study", runs, NOW, NOW, None, axes=axes, **changed)


def run_row(
    config: dict[str, Any],
    seed: int = 0,
    *,
    metrics: Mapping[str, float],
    role: str = "net",
    state: State = State.SUCCEEDED,
    score: object = None,
) -> RunRow:
    """A run with these metrics of its test part. Runs with an equal `score` share a step."""
    window = {"input": 8, "horizon": 1}
    full = {"dataset": {"name": "etth1"}, "target": "OT", "exog": [], "window": window} | config
    key = digest([full, seed] if score is None else score)
    values = {("test", name, 0): value for name, value in metrics.items()}
    return RunRow("a" * 64, 0, role, full, seed, key, state, None, values)
