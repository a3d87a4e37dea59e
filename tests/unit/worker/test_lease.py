"""Heartbeats, and what they tell of a worker's claims."""

from collections.abc import Mapping, Sequence
from typing import cast
from uuid import uuid4

import pytest

from pyheta.errors import LeaseLost
from pyheta.steps import Failure, Fence, StepId, WorkerId
from pyheta.store.seam import Holding, StepStore
from pyheta.worker.attempt import Attempt, Hold
from pyheta.worker.lease import Lease
from pyheta.worker.timing import Timing

QUICK = Timing(beat=0.001)


class Running:
    """Runs, and remembers how it was stopped."""

    def __init__(self) -> None:
        self.progress = {"epoch": 1}
        self.stopped: list[Failure] = []

    def silent_for(self) -> float:
        return 0.0

    def stop(self, failure: Failure) -> None:
        self.stopped.append(failure)


class Store:
    """Answers one beat after the other with these holdings, then says that the worker is dead."""

    def __init__(self, *beats: Sequence[Holding]) -> None:
        self.beats = list(beats)
        self.progress: list[object] = []
        self.given_back: list[tuple[int, StepId]] = []  # before so many beats more

    async def heartbeat(
        self, _worker: WorkerId, *, lease_seconds: float, progress: object
    ) -> Sequence[Holding]:
        assert lease_seconds > 0
        self.progress.append(progress)
        if not self.beats:
            raise LeaseLost("dead")
        return self.beats.pop(0)

    async def fail(self, step: StepId, _fence: Fence, _failure: Failure) -> None:
        self.given_back.append((len(self.beats), step))


def held(step: int, *, cancel: bool = False) -> Holding:
    return Holding(StepId(step), Fence(step), cancel)


async def keep(store: Store, attempts: Mapping[int, Running]) -> None:
    """Keep a lease until the store says that it is lost; step and fence have the same number."""
    running = {(StepId(step), Fence(step)): attempt for step, attempt in attempts.items()}
    lease = Lease(
        cast("StepStore", store),
        WorkerId(uuid4()),
        QUICK,
        cast("Mapping[Hold, Attempt]", running),
    )
    with pytest.raises(LeaseLost):
        await lease.keep()


async def test_a_claim_without_an_attempt_is_given_back_at_the_second_beat_that_shows_it() -> None:
    # Given a step that runs, one whose claim arrives late, and one whose claim never arrives
    store = Store([held(1), held(2), held(3)], [held(1), held(3)], [held(1)])

    await keep(store, {1: Running()})

    # Then only the last one is given back, after the second beat
    assert store.given_back == [(1, 3)]


async def test_an_attempt_is_stopped_when_its_sweep_is_cancelled() -> None:
    unwanted, wanted = Running(), Running()

    await keep(Store([held(1, cancel=True), held(2)]), {1: unwanted, 2: wanted})

    assert [failure.reason for failure in unwanted.stopped] == ["cancelled"]
    assert wanted.stopped == []


async def test_a_beat_carries_the_progress_of_all_attempts() -> None:
    store = Store([])

    await keep(store, {1: Running()})

    assert store.progress[0] == {(1, 1): {"epoch": 1}}
