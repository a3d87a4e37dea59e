"""What a worker does with a bell, without computing: claim, settle, record an empty success."""

from collections.abc import Sequence
from uuid import uuid4

from pyheta.broker.seam import Broker, Delivery
from pyheta.device import Device
from pyheta.steps import Claim, Kind, Step, StepId, Success, WorkerId, digest
from pyheta.store.seam import NewRun, StepStore, Submission, WorkerInfo

#: Seconds after which a taker believes that no ring will come.
QUIET = 1.0


def some_steps(count: int, kind: Kind = Kind.TRAIN) -> list[Step]:
    """Steps that need nothing and differ from all others."""
    salt = uuid4().hex
    return [Step("fit", 1, kind, {"number": number, "salt": salt}) for number in range(count)]


def submission(steps: Sequence[Step]) -> Submission:
    """A sweep of these steps, each the answer of a run."""
    return Submission(
        id=digest([step.key for step in steps]),
        name="bells",
        source="",
        overrides=(),
        axes=(),
        report={},
        leakage="forbid",
        priority=0,
        asked={},
        steps=steps,
        runs=[NewRun("net", {}, 0, step.key) for step in steps],
    )


async def new_worker(store: StepStore, kinds: Sequence[Kind] = tuple(Kind)) -> WorkerId:
    worker = WorkerId(uuid4())
    info = WorkerInfo(
        id=worker, host="test", pid=1, version="0", kinds=kinds, procs=1, device=Device.CPU
    )
    await store.register(info, lease_seconds=600)
    return worker


async def claim(
    store: StepStore, worker: WorkerId, kinds: Sequence[Kind], step: StepId | None
) -> list[Claim]:
    """What a ring leads to: this step, or any if the broker does not know which."""
    if step is None:
        return list(await store.claim_next(worker, kinds, 1))
    claim = await store.claim(worker, step)
    return [claim] if claim else []


async def answer(
    store: StepStore, worker: WorkerId, kinds: Sequence[Kind], delivery: Delivery
) -> list[Claim]:
    """Claim, settle, succeed."""
    claims = await claim(store, worker, kinds, delivery.step)
    await delivery.settle(claimed=bool(claims))
    for taken in claims:
        assert await store.succeed(taken.step, taken.fence, Success(products=()))
    return claims


async def take_all(
    store: StepStore, broker: Broker, kinds: Sequence[Kind] = (Kind.TRAIN,)
) -> list[StepId]:
    """Answer rings until the store has no open step of these kinds; the steps that were claimed."""
    worker, taken = await new_worker(store, kinds), []
    async with broker.listen(kinds) as listener:
        while await store.open_steps(kinds):
            if delivery := await listener.next(QUIET):
                taken += await answer(store, worker, kinds, delivery)
    return [claim.step for claim in taken]


async def take_until_quiet(
    store: StepStore, broker: Broker, kinds: Sequence[Kind] = (Kind.TRAIN,)
) -> list[StepId]:
    """Answer rings until none comes for a while; the steps that were claimed."""
    worker, taken = await new_worker(store, kinds), []
    async with broker.listen(kinds) as listener:
        while delivery := await listener.next(QUIET):
            taken += await answer(store, worker, kinds, delivery)
    return [claim.step for claim in taken]
