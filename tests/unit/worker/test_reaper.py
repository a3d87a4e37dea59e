"""The reaper looks for lost workers, but not when it is this machine that was away."""

import asyncio
import time
from typing import cast
from uuid import UUID

import pytest

from pyheta.errors import StoreUnavailable
from pyheta.steps import WorkerId
from pyheta.store.seam import StepStore
from pyheta.worker import reaper

ME = WorkerId(UUID(int=0))


class Store:
    """Counts who reaps."""

    def __init__(self) -> None:
        self.reaped: list[WorkerId] = []

    async def reap(self, me: WorkerId) -> int:
        self.reaped.append(me)
        if len(self.reaped) == 1:
            raise StoreUnavailable("away")
        return 0


async def look(store: Store, rounds: int) -> None:
    task = asyncio.create_task(reaper.reap_for_ever(cast(StepStore, store), ME, every=0.001))
    for _ in range(rounds):
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_it_looks_again_and_again_whether_the_store_is_there_or_not() -> None:
    store = Store()

    await look(store, rounds=5)

    assert len(store.reaped) > 1
    assert set(store.reaped) == {ME}


async def test_after_a_sleep_of_the_machine_leases_get_time_to_be_renewed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a clock on the wall that is an hour ahead whenever it is looked at
    hours = iter(range(1_000_000))
    monkeypatch.setattr(time, "time", lambda: 3600.0 * next(hours))
    store = Store()

    await look(store, rounds=5)

    assert store.reaped == []
