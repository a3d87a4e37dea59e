"""The relay tells the broker which steps are ready. The step table is its outbox.

Every worker runs one, and `submit` drains once; the store lets one process at a time announce a
kind. A step that is announced twice, or whose message is lost, costs a moment and is never lost.
"""

import asyncio
import contextlib
import logging
from typing import Never, Protocol

from pyheta.broker.seam import MessageBroker
from pyheta.broker.trouble import Trouble
from pyheta.broker.wakeup import Wakes, readiness
from pyheta.errors import PyhetaError
from pyheta.steps import Kind
from pyheta.store.seam import Outbox

#: So many messages may wait in a queue. With more, priorities and cancelling would act too late.
WINDOW = 1000
TICK_SECONDS = 1.0
#: If no message waits, a ready step that was announced so long ago is announced again: its message
#: was lost.
STALE_SECONDS = 30.0
#: The same while messages wait: the step's own is probably among them.
LONG_STALE_SECONDS = 300.0
#: Seconds between two announcements: steps that become ready together share one. Not scaled.
LEAST_PAUSE = 0.2
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0

log = logging.getLogger(__name__)


class RelayStore(Outbox, Wakes, Protocol):
    """What the relay needs of the store."""


class Relay:
    """`time_scale` multiplies all times."""

    def __init__(
        self, store: RelayStore, broker: MessageBroker, *, time_scale: float = 1.0
    ) -> None:
        self._store = store
        self._broker = broker
        self._time_scale = time_scale
        self._trouble = Trouble(log)

    async def run(self) -> Never:
        """Announce steps whenever some become ready, and at every tick those that the hint missed.

        Trouble with store or broker is logged and waited out: meanwhile workers find steps in the
        store.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                async with readiness(self._store, tuple(Kind)) as news:
                    while True:
                        await self._tick(news)
                        pause = FIRST_PAUSE
            except PyhetaError as error:
                self._trouble.warn(f"ready steps cannot be announced: {error}")
            await asyncio.sleep(pause * self._time_scale)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def drain(self) -> int:
        """Announce ready steps up to the window; their number. Raises BrokerError or StoreError."""
        depth = await self._broker.depth()
        return sum([await self._announce(kind, depth.ready[kind]) for kind in Kind])

    async def _tick(self, news: asyncio.Event) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TICK_SECONDS * self._time_scale):
                await news.wait()
        news.clear()
        await self.drain()
        await asyncio.sleep(LEAST_PAUSE)

    async def _announce(self, kind: Kind, waiting: int) -> int:
        if waiting >= WINDOW:
            return 0
        stale_after = (LONG_STALE_SECONDS if waiting else STALE_SECONDS) * self._time_scale
        outbox = self._store.unrung(kind, limit=WINDOW - waiting, stale_after=stale_after)
        async with outbox as bells:
            if bells:
                await self._broker.ring(bells)
        return len(bells)
