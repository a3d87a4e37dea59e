"""The workers' writes: lives, claims, endings. Most are one guarded statement of `steps.sql`."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from pyheta.errors import LeaseLost
from pyheta.steps import (
    Claim,
    Ending,
    Failure,
    Fence,
    Input,
    Key,
    Kind,
    State,
    StepId,
    Success,
    WorkerId,
)
from pyheta.store.cleaning import clean_facts, clean_reason, clean_text
from pyheta.store.database import LONG_SECONDS, Connection, Database, Record
from pyheta.store.seam import Holding, WorkerInfo
from pyheta.store.sql import load
from pyheta.store.wakes import wakes

#: Seconds for which a worker's write is repeated before StoreUnavailable, well below the lease.
PATIENCE: Final = 20.0
_SQL = load("steps")
_LOST = Failure(Ending.LOST, "the worker was lost: its lease ran out")


class PostgresSteps:
    """See `StepStore`."""

    _database: Database
    _pulse: Database  # a connection of its own: no other statement delays a heartbeat
    _limits: Callable[[], Sequence[str]]  # options in a step's `train` that limit how far it goes

    async def register(self, worker: WorkerInfo, *, lease_seconds: float) -> None:
        who = (worker.id, worker.host, worker.pid, worker.version)
        facts = (*who, worker.kinds, worker.procs, worker.device, timedelta(seconds=lease_seconds))
        await self._database.run(lambda connection: connection.execute(_SQL["register"], *facts))

    async def heartbeat(
        self,
        worker: WorkerId,
        *,
        lease_seconds: float,
        progress: Mapping[tuple[StepId, Fence], Mapping[str, Any]],
    ) -> Sequence[Holding]:
        steps, fences = [step for step, _ in progress], [fence for _, fence in progress]
        facts = [clean_facts(report) for report in progress.values()]
        lease = timedelta(seconds=lease_seconds)
        rows = await self._pulse.fetch(_SQL["heartbeat"], worker, lease, steps, fences, facts)
        if not rows:
            raise LeaseLost("the store has declared this worker dead: its lease ran out")
        return [Holding(*row) for row in rows if row["id"] is not None]

    async def retire(self, worker: WorkerId) -> None:
        await self._database.run(lambda connection: connection.execute(_SQL["retire"], worker))

    async def claim(self, worker: WorkerId, step: StepId) -> Claim | None:
        return next(iter(await self._claims(_SQL["claim"], worker, step)), None)

    async def claim_next(
        self, worker: WorkerId, kinds: Sequence[Kind], limit: int, *, sweep: str | None = None
    ) -> Sequence[Claim]:
        return await self._claims(_SQL["claim_next"], worker, kinds, limit, sweep)

    async def claim_siblings(
        self, worker: WorkerId, claim: Claim, limit: int, *, sweep: str | None = None
    ) -> Sequence[Claim]:
        args = (worker, claim.bundle, claim.kind, limit, sweep)
        # One try: the claim itself must not wait long for its siblings.
        return await self._claims(_SQL["claim_siblings"], *args, patience=0)

    async def _claims(
        self, query: str, *args: object, patience: float = PATIENCE
    ) -> Sequence[Claim]:
        """Claims whose answer was lost are not found again here: the next heartbeat lists them."""

        async def work(connection: Connection) -> Sequence[Claim]:
            rows = await connection.fetch(query, *args)
            inputs = await self._inputs(connection, [row["id"] for row in rows])
            return [_claim(row, inputs[row["id"]]) for row in rows]

        return await self._database.run(work, patience=patience)

    async def _inputs(
        self, connection: Connection, steps: Sequence[StepId]
    ) -> Mapping[StepId, list[Input]]:
        inputs = defaultdict[StepId, list[Input]](list)
        for row in await connection.fetch(_SQL["inputs"], steps, self._limits()):
            inputs[row["step_id"]].append(Input(row["role"], row["name"], row["sha256"]))
        return inputs

    async def succeed(self, step: StepId, fence: Fence, success: Success) -> bool:
        async def work(connection: Connection) -> bool:
            if await connection.fetchval(_SQL["succeed"], step, fence, *_recorded_with(success)):
                await connection.execute(_SQL["wake"], step, timeout=LONG_SECONDS)
                return True
            # Perhaps this attempt has recorded its success before, and the answer was lost.
            return await _state_if_recorded(connection, step, fence, "ok") is not None

        return await self._database.run(work, patience=PATIENCE)

    async def fail(self, step: StepId, fence: Fence, failure: Failure) -> State | None:
        async def work(connection: Connection) -> State | None:
            if state := await self._end(connection, step, fence, failure):
                return state
            return await _state_if_recorded(connection, step, fence, failure.ending)

        return await self._database.run(work, patience=PATIENCE)

    async def reap(self, me: WorkerId | None = None) -> int:
        await self._database.run(lambda connection: connection.execute(_SQL["mark_dead"], me))
        orphans = await self._database.fetch(_SQL["orphans"])
        return sum([await self._give_back(orphan["id"], orphan["fence"]) for orphan in orphans])

    async def _give_back(self, step: StepId, fence: Fence) -> bool:
        """False: another reaper, or the worker itself, was faster."""

        async def work(connection: Connection) -> bool:
            return await self._end(connection, step, fence, _LOST) is not None

        return await self._database.run(work)

    async def _end(
        self, connection: Connection, step: StepId, fence: Fence, failure: Failure
    ) -> State | None:
        state = await connection.fetchval(
            _SQL["fail"],
            step,
            fence,
            failure.ending,
            failure.retry,
            clean_reason(failure.reason),
            self._database.time_scale,
            clean_text(failure.detail),
            clean_text(failure.log),
            failure.after,
        )
        if state in {State.FAILED, State.CANCELLED}:
            await end_dependants(connection, [step])
        return State(state) if state else None

    async def open_steps(self, kinds: Sequence[Kind], *, sweep: str | None = None) -> int:
        rows = await self._database.fetch(_SQL["open_steps"], kinds, sweep)
        return int(rows[0]["count"])

    def wakes(self) -> AbstractAsyncContextManager[AsyncIterator[Kind]]:
        return wakes(self._database)


async def _state_if_recorded(
    connection: Connection, step: StepId, fence: Fence, outcome: str
) -> State | None:
    """The step's state, if this attempt has ended with this outcome."""
    state = await connection.fetchval(_SQL["state_if_recorded"], step, fence, outcome)
    return State(state) if state else None


async def end_dependants(connection: Connection, ended: Iterable[StepId]) -> None:
    """End all that waits, directly or not, for these failed or cancelled steps."""
    while ended := list(ended):
        rows = await connection.fetch(_SQL["end_dependants"], ended, timeout=LONG_SECONDS)
        ended = [row["id"] for row in rows]


def _claim(row: Record, inputs: Iterable[Input]) -> Claim:
    return Claim(
        step=StepId(row["id"]),
        fence=Fence(row["fence"]),
        key=Key(row["key"]),
        op=row["op"],
        version=row["version"],
        kind=Kind(row["kind"]),
        params=row["params"],
        inputs=tuple(inputs),
        bundle=row["bundle"],
    )


def _recorded_with(success: Success) -> tuple[object, ...]:
    """Parameters 3 … of `succeed`: summary, cost, log, columns of products and of metrics."""
    products, metrics = success.products, success.metrics
    return (
        clean_facts(success.summary),
        asdict(success.cost) if success.cost else None,
        clean_text(success.log),
        [product.name for product in products],
        [product.sha256 for product in products],
        [product.size for product in products],
        [metric.split for metric in metrics],
        [metric.name for metric in metrics],
        [metric.horizon for metric in metrics],
        [metric.value for metric in metrics],
    )
