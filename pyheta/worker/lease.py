"""The lease: a worker's claims hold as long as its heartbeats reach the store in time."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from pyheta.errors import LeaseLost, StoreUnavailable
from pyheta.steps import Fence, StepId, WorkerId
from pyheta.store.seam import Holding, StepStore
from pyheta.worker.timing import Timing

log = logging.getLogger(__name__)

ProgressOf = Callable[[], Mapping[tuple[StepId, Fence], Mapping[str, Any]]]
OnHoldings = Callable[[Sequence[Holding]], Awaitable[None]]


class Lease:
    """Keeps one worker alive in the store. Durations are measured here, instants only by the
    store.
    """

    def __init__(self, store: StepStore, worker: WorkerId, timing: Timing) -> None:
        self._store = store
        self._worker = worker
        self._timing = timing
        self._renewed = time.monotonic()

    async def keep(self, progress: ProgressOf, on_holdings: OnHoldings) -> None:
        """Beat for ever. Raises LeaseLost when the store says so, or when it has been silent too
        long.
        """
        while True:
            await asyncio.sleep(self._timing.beat)
            holdings = await self._beat(progress)
            try:
                async with asyncio.timeout(self._timing.beat):  # the next beat must not wait for it
                    await on_holdings(holdings)
            except (StoreUnavailable, TimeoutError) as error:
                log.warning("what this worker holds is compared again at the next beat: %s", error)

    async def _beat(self, progress: ProgressOf) -> Sequence[Holding]:
        """One heartbeat that has arrived; tried again until the fence falls."""
        while (left := self._renewed + self._timing.fence - time.monotonic()) > 0:
            started = time.monotonic()
            try:
                async with asyncio.timeout(left):
                    holdings = await self._store.heartbeat(
                        self._worker, lease_seconds=self._timing.lease, progress=progress()
                    )
            except (StoreUnavailable, TimeoutError) as error:
                log.warning("no heartbeat reached the store: %s", error)
                await asyncio.sleep(min(self._timing.beat / 10, 1.0))
            else:
                self._renewed = started
                return holdings
        raise LeaseLost(
            "the store has not answered for so long that others may take this worker's steps"
        )
