"""The supervisor: claims steps, hands them to child processes, keeps the lease, and stops in good
order.

It never computes, so heartbeats always get through. When its lease is lost (a laptop that slept, a
store that was away) it kills its children, forgets what it held and begins a new life under a new
id.
"""

import asyncio
import logging
import os
import platform
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pyheta
from pyheta.broker.seam import Broker
from pyheta.device import works
from pyheta.errors import BrokerError, ConfigError, LeaseLost, StoreError, StoreUnavailable
from pyheta.steps import Claim, Ending, Failure, Fence, StepId, Success, WorkerId
from pyheta.store.seam import Artifacts, Holding, StepStore, WorkerInfo
from pyheta.worker.attempt import Attempt
from pyheta.worker.bundle import Bundle
from pyheta.worker.intake import Intake
from pyheta.worker.lease import Lease
from pyheta.worker.options import WorkerOptions
from pyheta.worker.reaper import reap_for_ever
from pyheta.worker.slot import Slot
from pyheta.worker.staging import Staging
from pyheta.worker.timing import Timing, backoff

log = logging.getLogger(__name__)

T = TypeVar("T")

#: A step under the fence by which it is held.
Hold = tuple[StepId, Fence]

#: How often a worker that leaves when idle looks whether anything is left, in seconds.
IDLE_LOOK = 0.25


class Supervisor:
    """`run` returns when all is done or after `stop`; a second `stop` waits for no running
    step.
    """

    def __init__(
        self,
        store: StepStore,
        broker: Broker,
        artifacts: Artifacts,
        *,
        options: WorkerOptions,
        home: Path,
        timing: Timing,
        relay: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        self._store = store
        self._broker = broker
        self._staging = Staging(home, artifacts)
        self._options = options
        self.timing = timing
        self._relay = relay
        self._drain = asyncio.Event()
        self._hurry = asyncio.Event()
        self._attempts: dict[Hold, Attempt] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._strays: set[Hold] = set()
        self._trouble_until = 0.0
        self._device_said: str | None = None
        self._idle: asyncio.Queue[Slot] = asyncio.Queue()

    def stop(self) -> None:
        """First call: claim no more, let running steps finish for a while. Second: give them back
        now.
        """
        (self._hurry if self._drain.is_set() else self._drain).set()

    async def run(self) -> None:
        """Work until idle (if so asked) or stopped.

        Raises StoreUnavailable when the store stays away, ConfigError when the device can be used
        no longer.
        """
        options = self._options
        with self._staging:
            slots = [self._slot() for _ in range(options.procs)]
            try:
                while not self._drain.is_set():
                    await self._live(slots)
            finally:
                await asyncio.gather(*(slot.close() for slot in slots))
        if self._device_said:
            what = f"the device has failed and works no longer: {self._device_said}"
            raise ConfigError(what, cure="look after it, or start the worker with --device cpu")

    def _slot(self) -> Slot:
        options = self._options
        return Slot(threads=options.threads, folder=self._staging.folder, device=options.device)

    async def _live(self, slots: Sequence[Slot]) -> None:
        """One life: from registering to retiring, or to the loss of the lease."""
        worker = await self._register()
        self._attempts.clear()
        self._idle = asyncio.Queue()
        for slot in slots:
            self._idle.put_nowait(slot)
        try:
            await self._tend(worker)
        except* LeaseLost:
            log.warning("this worker's lease is lost: it gives up what it held and starts again")
            await asyncio.gather(*(slot.close() for slot in slots))
        else:
            with suppress(StoreUnavailable):
                await self._store.retire(worker)

    async def _register(self) -> WorkerId:
        """Introduce this process; wait for a store that is away, but not for ever."""
        options = self._options
        me = WorkerInfo(
            WorkerId(uuid4()),
            platform.node(),
            os.getpid(),
            pyheta.__version__,
            options.kinds,
            options.procs,
            options.device,
        )
        deadline = time.monotonic() + self.timing.patience
        for attempt in count():
            try:
                await self._store.register(me, lease_seconds=self.timing.lease)
                break
            except StoreUnavailable as error:
                if time.monotonic() > deadline or self._drain.is_set():
                    raise
                log.warning("waiting for the store: %s", error)
                await self._unless_drained(asyncio.sleep(backoff(attempt, self.timing.pause)))
        return me.id

    async def _tend(self, worker: WorkerId) -> None:
        """Claim and compute, with the side tasks beside; the death of any of them ends this
        life.
        """
        async with asyncio.TaskGroup() as group:
            side = [
                group.create_task(work, name=name)
                for name, work in self._side_tasks(worker).items()
            ]
            async with asyncio.TaskGroup() as attempts:
                await self._claim_until_told(worker, attempts)
                await self._let_finish()
            for task in side:
                task.cancel()

    def _side_tasks(self, worker: WorkerId) -> dict[str, Coroutine[Any, Any, None]]:
        lease = Lease(self._store, worker, self.timing)
        tasks = {
            "lease": lease.keep(self._progress, self._reconcile),
            "reaper": reap_for_ever(self._store, worker, self.timing.reap),
        }
        if self._relay:
            tasks["relay"] = self._relay()
        if self._options.until_idle:
            tasks["idle look-out"] = self._leave_when_idle()
        return tasks

    # ---- claiming --------------------------------------------------------------------------------

    async def _claim_until_told(self, worker: WorkerId, attempts: asyncio.TaskGroup) -> None:
        """Claim whenever a slot is free, until the drain begins."""
        options = self._options
        async with self._broker.listen(options.kinds) as listener:
            intake = Intake(
                self._store,
                listener,
                worker,
                kinds=options.kinds,
                sweep=options.sweep,
                poll=self.timing.poll,
            )
            troubles = 0
            while not self._drain.is_set():
                try:
                    await self._sit_out_trouble()
                    await self._claim_once(intake, attempts)
                    troubles = 0
                except (StoreUnavailable, BrokerError) as error:
                    log.warning("claiming pauses: %s", error)
                    await self._unless_drained(asyncio.sleep(backoff(troubles, self.timing.pause)))
                    troubles += 1

    async def _claim_once(self, intake: Intake, attempts: asyncio.TaskGroup) -> None:
        """Wait for a free slot and for a ring, claim, and set the claims going."""
        slot = await self._unless_drained(self._idle.get())
        if slot is None:
            return
        self._idle.put_nowait(slot)  # only this task takes slots, so it is still there below
        ring = await self._unless_drained(intake.ring())
        if self._drain.is_set():
            return
        for claim in await intake.claims(ring, self._idle.qsize()):
            siblings = await intake.siblings(claim, self._options.lanes - 1)
            self._begin([claim, *siblings], attempts)

    def _begin(self, claims: Sequence[Claim], attempts: asyncio.TaskGroup) -> None:
        """Set claims going together in an idle slot."""
        bundle = Bundle(self._idle.get_nowait(), claims[0].op, len(claims))
        together = [
            Attempt(claim, lane, self._staging)
            for claim, lane in zip(claims, bundle.lanes, strict=True)
        ]
        self._attempts |= {(each.claim.step, each.claim.fence): each for each in together}
        task = attempts.create_task(
            self._see_all_through(together, bundle.slot), name=f"step {claims[0].step}"
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _see_all_through(self, together: Sequence[Attempt], slot: Slot) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for attempt in together:
                    group.create_task(self._see_through(attempt), name=f"step {attempt.claim.step}")
        finally:
            self._idle.put_nowait(slot)
        if slot.broken and not await asyncio.to_thread(works, self._options.device):
            self._device_said = slot.broken  # it would take all steps down, one after the other
            self._drain.set()

    async def _see_through(self, attempt: Attempt) -> None:
        """An attempt's outcome is recorded as soon as it is known, whatever its neighbours do."""
        claim = attempt.claim
        try:
            outcome = await attempt.outcome()
            if isinstance(outcome, Failure) and outcome.after:
                self._trouble_until = time.monotonic() + self.timing.pause
            await self._record(claim, outcome)
        except (
            StoreError
        ) as error:  # the store refuses the result itself: another try would end likewise
            await self._record(claim, Failure(Ending.ERROR, str(error), retry=False))
        finally:
            del self._attempts[claim.step, claim.fence]

    async def _sit_out_trouble(self) -> None:
        """A machine that has run out of something (disk, files) claims nothing for a while."""
        while (left := self._trouble_until - time.monotonic()) > 0 and not self._drain.is_set():
            await self._unless_drained(asyncio.sleep(left))

    async def _record(self, claim: Claim, outcome: Success | Failure) -> None:
        """Hold on to the outcome until the store has it, or until the lease is lost."""
        for attempt in count():
            try:
                if not await self._write(claim, outcome):
                    log.warning(
                        "%s %s was taken over: its outcome is dropped", claim.op, claim.key[:12]
                    )
                return
            except StoreUnavailable as error:
                log.warning("the outcome of %s %s waits: %s", claim.op, claim.key[:12], error)
                await asyncio.sleep(backoff(attempt, self.timing.pause / 10))

    async def _write(self, claim: Claim, outcome: Success | Failure) -> bool:
        if isinstance(outcome, Success):
            return await self._store.succeed(claim.step, claim.fence, outcome)
        log.warning("%s %s: %s: %s", claim.op, claim.key[:12], outcome.ending, outcome.reason)
        return await self._store.fail(claim.step, claim.fence, outcome) is not None

    # ---- the lease -------------------------------------------------------------------------------

    def _progress(self) -> Mapping[Hold, Mapping[str, Any]]:
        return {
            hold: attempt.progress for hold, attempt in self._attempts.items() if attempt.progress
        }

    async def _reconcile(self, holdings: Sequence[Holding]) -> None:
        """Make what the store believes and what the slots do the same."""
        for holding in holdings:
            if holding.cancel_requested and (
                attempt := self._attempts.get((holding.step, holding.fence))
            ):
                attempt.stop(Failure(Ending.RELEASE, "cancelled"))
        for attempt in self._attempts.values():
            if attempt.silent_for() > self.timing.stall:
                attempt.stop(
                    Failure(Ending.CRASH, f"stalled: no sign for {self.timing.stall:.0f} s")
                )
        await self._give_back_strays(holdings)

    async def _give_back_strays(self, holdings: Sequence[Holding]) -> None:
        """Claims whose answer never arrived, seen at two beats running: nobody would ever compute
        them.
        """
        strays = {(holding.step, holding.fence) for holding in holdings} - self._attempts.keys()
        for step, fence in strays & self._strays:
            await self._store.fail(
                step, fence, Failure(Ending.RELEASE, "the claim's answer was lost")
            )
        self._strays = strays

    # ---- leaving ---------------------------------------------------------------------------------

    async def _leave_when_idle(self) -> None:
        # Looked for instead of waited for, since other processes compute this worker's kinds too.
        while self._attempts or not await self._nothing_left():  # noqa: ASYNC110
            await asyncio.sleep(IDLE_LOOK)
        self._drain.set()

    async def _nothing_left(self) -> bool:
        try:
            return await self._store.open_steps(self._options.kinds, sweep=self._options.sweep) == 0
        except StoreUnavailable:
            return False

    async def _let_finish(self) -> None:
        """Wait until the running attempts are done, time is up or somebody is in a hurry; then stop
        them.
        """
        if not self._tasks:
            return
        hurry = asyncio.create_task(self._hurry.wait())
        done = asyncio.create_task(asyncio.wait(set(self._tasks)))
        await asyncio.wait(
            {hurry, done}, timeout=self.timing.drain, return_when=asyncio.FIRST_COMPLETED
        )
        hurry.cancel()
        done.cancel()
        for attempt in self._attempts.values():
            attempt.stop(Failure(Ending.RELEASE, "the worker was stopped"))

    async def _unless_drained(self, wanted: Coroutine[Any, Any, T]) -> T | None:
        """The awaited value; None when the drain begins first."""
        task = asyncio.create_task(wanted)
        drain = asyncio.create_task(self._drain.wait())
        try:
            await asyncio.wait({task, drain}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            drain.cancel()
