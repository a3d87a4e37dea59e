"""The supervisor: one worker's life in the store, and the tasks that it consists of.

It never computes, so heartbeats always get through. When its lease is lost (a laptop that slept, a
store that was away) it kills its children, forgets what it held and begins a new life under a new
id.
"""

import asyncio
import logging
import os
import platform
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyheta
from pyheta.broker.seam import Broker
from pyheta.errors import ConfigError, LeaseLost, StoreUnavailable
from pyheta.steps import WorkerId
from pyheta.store.seam import Artifacts, StepStore, WorkerInfo
from pyheta.worker.claimer import Claimer
from pyheta.worker.lease import Lease
from pyheta.worker.options import WorkerOptions
from pyheta.worker.reaper import reap_for_ever
from pyheta.worker.shutdown import Shutdown
from pyheta.worker.slot import Slot
from pyheta.worker.staging import Staging
from pyheta.worker.timing import Timing, backoff

log = logging.getLogger(__name__)


class Supervisor:
    """Composes a claimer, a lease and a shutdown; `run` returns when the shutdown is complete."""

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
        self.timing = timing
        self._store = store
        self._options = options
        self._relay = relay
        self._staging = Staging(home, artifacts)
        self._shutdown = Shutdown()
        self._claimer = Claimer(
            store, broker, self._staging, options=options, timing=timing, shutdown=self._shutdown
        )

    def stop(self) -> None:
        """First call: claim no more, let running steps finish. Second: give them back now."""
        self._shutdown.request()

    async def run(self) -> None:
        """Work until idle (if so asked) or stopped.

        Raises StoreUnavailable when the store stays away, ConfigError when the device can be used
        no longer.
        """
        with self._staging:
            slots = [
                Slot(folder=self._staging.folder, device=self._options.device)
                for _ in range(self._options.procs)
            ]
            try:
                while not self._shutdown.has_begun:
                    await self._live(slots)
            finally:
                await asyncio.gather(*(slot.close() for slot in slots))
        if error := self._shutdown.device_error:
            what = f"the device has failed and works no longer: {error}"
            raise ConfigError(what, cure="look after it, or start the worker with --device cpu")

    async def _live(self, slots: Sequence[Slot]) -> None:
        """One life: from registering to retiring, or to the loss of the lease."""
        worker = await self._register()
        try:
            await self._work(worker, slots)
        except* LeaseLost:
            log.warning("this worker's lease is lost: it gives up what it held and starts again")
            await asyncio.gather(*(slot.close() for slot in slots))
        else:
            with suppress(StoreUnavailable):
                await self._store.retire(worker)

    async def _register(self) -> WorkerId:
        """Introduce this process; wait for a store that is away, but not for ever."""
        me = self._introduction()
        deadline = time.monotonic() + self.timing.patience
        for attempt in count():
            try:
                await self._store.register(me, lease_seconds=self.timing.lease)
                break
            except StoreUnavailable as error:
                if time.monotonic() > deadline or self._shutdown.has_begun:
                    raise
                log.warning("waiting for the store: %s", error)
                pause = backoff(attempt, self.timing.pause)
                await self._shutdown.unless_begun(asyncio.sleep(pause))
        return me.id

    def _introduction(self) -> WorkerInfo:
        options = self._options
        return WorkerInfo(
            WorkerId(uuid4()),
            platform.node(),
            os.getpid(),
            pyheta.__version__,
            options.kinds,
            options.procs,
            options.device,
        )

    async def _work(self, worker: WorkerId, slots: Sequence[Slot]) -> None:
        """Claim and compute beside the side tasks; an error in any of them ends this life."""
        async with asyncio.TaskGroup() as group:
            side = [
                group.create_task(work, name=name)
                for name, work in self._side_tasks(worker).items()
            ]
            await self._claimer.run(worker, slots)
            for task in side:
                task.cancel()

    def _side_tasks(self, worker: WorkerId) -> dict[str, Coroutine[Any, Any, None]]:
        store, attempts = self._store, self._claimer.attempts
        tasks = {
            "lease": Lease(store, worker, self.timing, attempts).keep(),
            "reaper": reap_for_ever(store, worker, self.timing.reap),
        }
        if self._relay:
            tasks["relay"] = self._relay()
        if self._options.until_idle:
            tasks["idle look-out"] = self._shutdown.begin_when_idle(store, self._options, attempts)
        return tasks
