"""The lease: a worker's claims hold as long as its heartbeats reach the store in time."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pyheta.errors import LeaseLost, StoreUnavailable
from pyheta.steps import Ending, Failure, WorkerId
from pyheta.store.seam import Holding, StepStore
from pyheta.worker.attempt import Attempt, Hold
from pyheta.worker.timing import Timing

log = logging.getLogger(__name__)


class Lease:
    """Renews one worker's lease, and compares what the store believes it holds with its attempts.

    Durations are measured here; instants only by the store.
    """

    def __init__(
        self,
        store: StepStore,
        worker: WorkerId,
        timing: Timing,
        attempts: Mapping[Hold, Attempt],
    ) -> None:
        self._store = store
        self._worker = worker
        self._timing = timing
        self._attempts = attempts
        self._renewed = time.monotonic()
        self._orphaned: set[Hold] = set()

    async def keep(self) -> None:
        """Beat for ever. Raises LeaseLost if the store says so or has not answered for too long."""
        while True:
            await asyncio.sleep(self._timing.beat)
            holdings = await self._beat()
            try:
                async with asyncio.timeout(self._timing.beat):  # the next beat must not wait for it
                    await self._reconcile(holdings)
            except (StoreUnavailable, TimeoutError) as error:
                log.warning("what this worker holds is compared again at the next beat: %s", error)

    async def _beat(self) -> Sequence[Holding]:
        """One heartbeat that has arrived; tried again until the fence falls."""
        while (left := self._renewed + self._timing.fence - time.monotonic()) > 0:
            started = time.monotonic()
            try:
                async with asyncio.timeout(left):
                    holdings = await self._store.heartbeat(
                        self._worker, lease_seconds=self._timing.lease, progress=self._progress()
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

    def _progress(self) -> Mapping[Hold, Mapping[str, Any]]:
        return {
            hold: attempt.progress for hold, attempt in self._attempts.items() if attempt.progress
        }

    async def _reconcile(self, holdings: Sequence[Holding]) -> None:
        """Stop what the store wants stopped and what stalls; give back what nobody computes."""
        for holding in holdings:
            attempt = self._attempts.get((holding.step, holding.fence))
            if holding.cancel_requested and attempt:
                attempt.stop(Failure(Ending.RELEASE, "cancelled"))
        for attempt in self._attempts.values():
            if attempt.silent_for() > self._timing.stall:
                stalled = f"stalled: no progress for {self._timing.stall:.0f} s"
                attempt.stop(Failure(Ending.CRASH, stalled))
        await self._give_back_orphaned_claims(holdings)

    async def _give_back_orphaned_claims(self, holdings: Sequence[Holding]) -> None:
        """Give back claims whose answer never arrived: nobody would ever compute them.

        Two beats in a row must have seen them: at one, the answer may be on its way.
        """
        orphaned = {(holding.step, holding.fence) for holding in holdings} - self._attempts.keys()
        for step, fence in orphaned & self._orphaned:
            await self._store.fail(
                step, fence, Failure(Ending.RELEASE, "the claim's answer was lost")
            )
        self._orphaned = orphaned
