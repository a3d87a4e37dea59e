"""Small graphs of steps and what tests do with them: submit, register, claim, look behind the
seam.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import asyncpg

from pyheta.device import Device
from pyheta.steps import (
    Claim,
    Ending,
    Failure,
    Kind,
    Metric,
    Product,
    Step,
    StepId,
    Success,
    WorkerId,
    digest,
)
from pyheta.store.seam import NewRun, StepStore, Submission, WorkerInfo

BOTH = (Kind.DATA, Kind.TRAIN)
DONE = Success(products=())
ERROR = Failure(Ending.ERROR, "boom")
RELEASE = Failure(Ending.RELEASE, "drained")


def load(tag: str = "a", *, files: bool = False) -> Step:
    raw = {"raw": digest(tag)} if files else {}
    return Step("load", 1, Kind.DATA, {"tag": tag}, files=raw)


def fit(tag: str, *needs: Step, bundle: str | None = None) -> Step:
    roles = {f"load/{number}": need.key for number, need in enumerate(needs)}
    return Step(
        "fit", 1, Kind.TRAIN, {"tag": tag, "net": {"name": "lstm"}}, needs=roles, bundle=bundle
    )


def fits(count: int, prefix: str = "", *, bundle: str = "alike") -> list[Step]:
    """Ready fits that may be computed together."""
    return [fit(f"{prefix}{number}", bundle=bundle) for number in range(count)]


def fit_of_course(course: str, epochs: int, patience: int = 5, *, resumable: bool = False) -> Step:
    """A ready fit that goes so far at most."""
    train = {"epochs": epochs, "patience": patience, "resumable": resumable}
    params = {"tag": f"{course}-{epochs}", "net": {"name": "lstm"}, "train": train}
    return Step("fit", 1, Kind.TRAIN, params, course=course)


def score(tag: str, *needs: Step) -> Step:
    return Step(
        "score", 1, Kind.TRAIN, {"tag": tag}, needs={f"fit/{n.key[:6]}": n.key for n in needs}
    )


def chain(tag: str = "a") -> tuple[Step, Step, Step]:
    """load → fit → score."""
    first = load(tag)
    second = fit(tag, first)
    return first, second, score(tag, second)


def submission(*steps: Step, name: str = "sweep", priority: int = 0) -> Submission:
    """A sweep of these steps, needs first. Steps that no other one needs are scores, each of one
    run.
    """
    needed = {key for step in steps for key in step.needs.values()}
    runs = [
        NewRun("net", {"tag": step.params["tag"], "net": {"name": "lstm"}}, seed, step.key)
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


def with_priority(asked: Submission, priority: int) -> Submission:
    return replace(asked, priority=priority)


async def new_worker(
    store: StepStore,
    *,
    lease_seconds: float = 600,
    procs: int = 1,
    kinds: Sequence[Kind] = BOTH,
    device: Device = Device.CPU,
) -> WorkerId:
    worker = WorkerId(uuid4())
    info = WorkerInfo(
        worker, host="here", pid=1, version="0", kinds=kinds, procs=procs, device=device
    )
    await store.register(info, lease_seconds=lease_seconds)
    return worker


async def claim_one(store: StepStore, worker: WorkerId, kinds: Sequence[Kind] = BOTH) -> Claim:
    [claim] = await store.claim_next(worker, kinds, 1)
    return claim


async def succeed_next(store: StepStore, worker: WorkerId, count: int = 1) -> None:
    """Claim and finish the next steps, one after the other."""
    for _ in range(count):
        claim = await claim_one(store, worker)
        assert await store.succeed(claim.step, claim.fence, DONE)


async def expire(url: str, worker: WorkerId) -> None:
    """Let a worker's lease run out without waiting for it."""
    await execute(
        url,
        "UPDATE pyheta.worker SET lease_until = now() - interval '1 second' WHERE id = $1",
        worker,
    )


async def make_available(url: str) -> None:
    """Let every delay before another attempt pass."""
    await execute(url, "UPDATE pyheta.step SET available_at = now() WHERE state = 'queued'")


async def states(url: str) -> dict[str, str]:
    """State of every step by `op tag`."""
    rows = await fetch(
        url, "SELECT op, params ->> 'tag' AS tag, state FROM pyheta.step ORDER BY id"
    )
    return {f"{row['op']} {row['tag']}": row["state"] for row in rows}


async def step_of(url: str, step: Step) -> asyncpg.Record:
    [row] = await fetch(url, "SELECT * FROM pyheta.step WHERE key = $1", step.key)
    return row


async def id_of(url: str, step: Step) -> StepId:
    return StepId((await step_of(url, step))["id"])


async def fetch(url: str, query: str, *args: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(query, *args)
    finally:
        await connection.close()


async def execute(url: str, query: str, *args: object) -> None:
    await fetch(url, query, *args)


async def run_script(url: str, script: str) -> None:
    """Several statements without parameters."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


async def blocked(url: str, count: int = 1) -> None:
    """Wait until so many statements wait for locks."""
    query = (
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND "
        "wait_event_type = 'Lock'"
    )
    while len(await fetch(url, query)) < count:  # noqa: ASYNC110 -- the server has no event for it
        await asyncio.sleep(0.01)


@asynccontextmanager
async def uncommitted(url: str, query: str, *args: object) -> AsyncIterator[None]:
    """A transaction that has run this statement and commits at the end."""
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.execute(query, *args)
        yield
    await connection.close()


def a_success() -> Success:
    return Success(
        products=(
            Product("weights", digest("weights"), 10),
            Product("forecast", digest("forecast"), 20),
        ),
        metrics=(
            Metric("test", "rmse", 0, 0.5),
            Metric("test", "rmse", 1, 0.4),
            Metric("val", "rmse", 0, 0.6),
        ),
        summary={"epochs": 3},
        seconds=1.5,
        log="epoch 3",
    )
