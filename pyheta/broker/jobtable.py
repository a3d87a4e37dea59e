"""The step table as the queue: a committed ready step is announced, so nothing can be lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from pyheta.broker.wakeup import Wakes, readiness
from pyheta.steps import Kind


class TableBroker:
    """Rings as long as claims find steps, then whenever the store says that more are ready."""

    def __init__(self, store: Wakes) -> None:
        self._store = store

    @contextlib.asynccontextmanager
    async def listen(self, kinds: Sequence[Kind]) -> AsyncIterator["TableListener"]:
        async with readiness(self._store, kinds) as ready:
            yield TableListener(ready)


class TableListener:
    """Satisfies `seam.Listener`."""

    def __init__(self, ready: asyncio.Event) -> None:
        self._ready = ready

    async def next(self, timeout: float) -> "Invitation | None":  # noqa: ASYNC109 -- None is an answer
        try:
            async with asyncio.timeout(timeout):
                await self._ready.wait()
        except TimeoutError:
            return None
        self._ready.clear()  # before the claim: a step that becomes ready during it sets it again
        return Invitation(self._ready)


class Invitation:
    """Satisfies `seam.Delivery`: some step of these kinds may be ready."""

    step = None

    def __init__(self, ready: asyncio.Event) -> None:
        self._ready = ready

    async def settle(self, *, claimed: bool) -> None:
        """Ring again after a successful claim, since there may be more; until one finds nothing."""
        if claimed:
            self._ready.set()
