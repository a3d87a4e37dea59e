"""The shutdown: why and when a worker stops claiming, and what its running steps still get."""

import asyncio
from collections.abc import Collection, Coroutine, Iterable
from typing import Any, TypeVar

from pyheta.errors import StoreUnavailable
from pyheta.steps import Ending, Failure
from pyheta.store.seam import StepStore
from pyheta.worker.attempt import Attempt
from pyheta.worker.options import WorkerOptions

T = TypeVar("T")

#: How often a worker that stops when idle looks whether anything is left, in seconds.
IDLE_LOOK = 0.25


class Shutdown:
    """Begins when somebody asks for it, when no step is left, or when the device has failed."""

    def __init__(self) -> None:
        self.device_error: str | None = None  # what the device said, if it works no longer
        self._drain = asyncio.Event()
        self._hurry = asyncio.Event()

    @property
    def has_begun(self) -> bool:
        """Whether nothing more may be claimed."""
        return self._drain.is_set()

    def request(self) -> None:
        """First call: claim no more, let running steps finish. Second: give them back now."""
        (self._hurry if self._drain.is_set() else self._drain).set()

    def begin_after_device_failure(self, error: str) -> None:
        """Claim no more: the device would take all steps down, one after the other."""
        self.device_error = error
        self._drain.set()

    async def begin_when_idle(
        self, store: StepStore, options: WorkerOptions, attempts: Collection[object]
    ) -> None:
        """Claim no more as soon as nothing runs here and no step that this worker takes is left."""
        # Looked for instead of waited for, since other processes compute this worker's kinds too.
        while attempts or not await _nothing_left(store, options):  # noqa: ASYNC110
            await asyncio.sleep(IDLE_LOOK)
        self._drain.set()

    async def unless_begun(self, awaited: Coroutine[Any, Any, T]) -> T | None:
        """The awaited value; None if the shutdown begins first."""
        task = asyncio.create_task(awaited)
        drain = asyncio.create_task(self._drain.wait())
        try:
            await asyncio.wait({task, drain}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            drain.cancel()

    async def let_finish(
        self,
        tasks: Collection["asyncio.Task[None]"],
        attempts: Iterable[Attempt],
        seconds: float,
    ) -> None:
        """Wait for the tasks, but no longer than `seconds` or a second request; then stop attempts.

        `tasks` see the attempts through: they end soon after those are stopped.
        """
        if not tasks:
            return
        hurry = asyncio.create_task(self._hurry.wait())
        done = asyncio.create_task(asyncio.wait(set(tasks)))
        await asyncio.wait({hurry, done}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        done.cancel()
        for attempt in attempts:
            attempt.stop(Failure(Ending.RELEASE, "the worker was stopped"))


async def _nothing_left(store: StepStore, options: WorkerOptions) -> bool:
    try:
        return await store.open_steps(options.kinds, sweep=options.sweep) == 0
    except StoreUnavailable:
        return False
