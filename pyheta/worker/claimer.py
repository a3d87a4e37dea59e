"""The claimer: claims steps while slots are free, and sees each to its recorded outcome."""

import asyncio
import logging
import time
from collections.abc import Sequence

from pyheta.broker.seam import Broker
from pyheta.device import works
from pyheta.errors import BrokerError, StoreError, StoreUnavailable
from pyheta.steps import Claim, Ending, Failure, WorkerId
from pyheta.store.seam import StepStore
from pyheta.worker.attempt import Attempt, Hold
from pyheta.worker.bundle import Bundle
from pyheta.worker.intake import Intake
from pyheta.worker.options import WorkerOptions
from pyheta.worker.recorder import record
from pyheta.worker.shutdown import Shutdown
from pyheta.worker.slot import Slot
from pyheta.worker.staging import Staging
from pyheta.worker.timing import Timing, backoff

log = logging.getLogger(__name__)


class Claimer:
    """Keeps the slots busy. `attempts` are those that run now, by step and fence."""

    def __init__(
        self,
        store: StepStore,
        broker: Broker,
        staging: Staging,
        *,
        options: WorkerOptions,
        timing: Timing,
        shutdown: Shutdown,
    ) -> None:
        self.attempts: dict[Hold, Attempt] = {}
        self._store = store
        self._broker = broker
        self._staging = staging
        self._options = options
        self._timing = timing
        self._shutdown = shutdown
        self._tasks: set[asyncio.Task[None]] = set()
        self._trouble_until = 0.0
        self._idle: asyncio.Queue[Slot] = asyncio.Queue()

    async def run(self, worker: WorkerId, slots: Sequence[Slot]) -> None:
        """Claim as `worker` until the shutdown begins; then let running attempts finish."""
        self.attempts.clear()  # a lost lease may have left some
        self._idle = asyncio.Queue()
        for slot in slots:
            self._idle.put_nowait(slot)
        async with asyncio.TaskGroup() as group:
            await self._claim_until_shutdown(worker, group)
            await self._shutdown.let_finish(self._tasks, self.attempts.values(), self._timing.drain)

    async def _claim_until_shutdown(self, worker: WorkerId, group: asyncio.TaskGroup) -> None:
        options = self._options
        async with self._broker.listen(options.kinds) as listener:
            intake = Intake(
                self._store,
                listener,
                worker,
                kinds=options.kinds,
                sweep=options.sweep,
                poll=self._timing.poll,
            )
            troubles = 0
            while not self._shutdown.has_begun:
                try:
                    await self._sit_out_trouble()
                    await self._claim_once(intake, group)
                    troubles = 0
                except (StoreUnavailable, BrokerError) as error:
                    log.warning("claiming pauses: %s", error)
                    pause = backoff(troubles, self._timing.pause)
                    await self._shutdown.unless_begun(asyncio.sleep(pause))
                    troubles += 1

    async def _sit_out_trouble(self) -> None:
        """A machine that has run out of something (disk, files) claims nothing for a while."""
        while (left := self._trouble_until - time.monotonic()) > 0:
            if self._shutdown.has_begun:
                return
            await self._shutdown.unless_begun(asyncio.sleep(left))

    async def _claim_once(self, intake: Intake, group: asyncio.TaskGroup) -> None:
        """Wait for a free slot and for a ring, claim, and begin what was claimed."""
        slot = await self._shutdown.unless_begun(self._idle.get())
        if slot is None:
            return
        self._idle.put_nowait(slot)  # only this task takes slots, so it is still there below
        ring = await self._shutdown.unless_begun(intake.ring())
        if self._shutdown.has_begun:
            return
        for claim in await intake.claims(ring, self._idle.qsize()):
            siblings = await intake.siblings(claim, self._options.lanes - 1)
            self._begin([claim, *siblings], group)

    def _begin(self, claims: Sequence[Claim], group: asyncio.TaskGroup) -> None:
        """Have these steps computed together in an idle slot."""
        bundle = Bundle(self._idle.get_nowait(), claims[0].op, len(claims))
        together = [
            Attempt(claim, lane, self._staging)
            for claim, lane in zip(claims, bundle.lanes, strict=True)
        ]
        self.attempts |= {attempt.hold: attempt for attempt in together}
        task = group.create_task(
            self._see_all_through(together, bundle.slot), name=f"step {claims[0].step}"
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _see_all_through(self, together: Sequence[Attempt], slot: Slot) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for attempt in together:
                    group.create_task(self._see_through(attempt), name=f"step {attempt.claim.step}")
            if slot.device_error and not await asyncio.to_thread(works, self._options.device):
                self._shutdown.begin_after_device_failure(slot.device_error)
        finally:  # not before the device is known to work: the next step would fail on it too
            self._idle.put_nowait(slot)

    async def _see_through(self, attempt: Attempt) -> None:
        """Record an attempt's outcome as soon as it is known, whatever its neighbours do."""
        claim, first_pause = attempt.claim, self._timing.pause / 10
        try:
            outcome = await attempt.outcome()
            if isinstance(outcome, Failure) and outcome.after:
                self._trouble_until = time.monotonic() + self._timing.pause
            await record(self._store, claim, outcome, first_pause)
        except StoreError as error:
            # The store refuses the result itself: another try would end likewise.
            refused = Failure(Ending.ERROR, str(error), retry=False)
            await record(self._store, claim, refused, first_pause)
        finally:
            del self.attempts[attempt.hold]
