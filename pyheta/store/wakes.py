"""LISTEN: the store's hints that steps became ready."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Never

from pyheta.errors import PyhetaError
from pyheta.steps import Kind
from pyheta.store.database import Database, session
from pyheta.store.driver_errors import translated

CHANNEL: Final = "pyheta_ready"
#: A silent connection is tried so often: nothing else tells that the network is cut.
PING_SECONDS: Final = 30.0
PING_ANSWER_SECONDS: Final = 5.0
PAUSE_SECONDS: Final = 2.0
_log = logging.getLogger(__name__)


@asynccontextmanager
async def wakes(database: Database) -> AsyncIterator[AsyncIterator[Kind]]:
    """Kinds of steps as they become ready, from a connection that is reopened when it breaks."""
    hints = _Hints()
    listening = asyncio.create_task(_listen_for_ever(database, hints), name="wakes")
    try:
        yield hints
    finally:
        listening.cancel()
        await asyncio.wait([listening])


class _Hints(AsyncIterator[Kind]):
    """Kinds heard and not yet taken, each once: it does not grow while nobody takes them."""

    def __init__(self) -> None:
        self._heard: dict[Kind, None] = {}
        self._anything = asyncio.Event()

    def add(self, *kinds: Kind) -> None:
        self._heard |= dict.fromkeys(kinds)
        self._anything.set()

    async def __anext__(self) -> Kind:
        """The kind heard first. A wait that is cancelled loses nothing."""
        await self._anything.wait()
        kind = next(iter(self._heard))
        del self._heard[kind]
        if not self._heard:
            self._anything.clear()
        return kind


async def _listen_for_ever(database: Database, hints: _Hints) -> Never:
    while True:
        try:
            await _listen(database, hints)
        except PyhetaError as error:
            _log.info("listening again soon: %s", error)
        await asyncio.sleep(PAUSE_SECONDS * database.time_scale)


async def _listen(database: Database, hints: _Hints) -> None:
    """Until the connection breaks."""
    broken = asyncio.Event()
    async with session(database.url) as connection:
        with translated(database.where):
            connection.add_termination_listener(lambda _: broken.set())
            await connection.add_listener(CHANNEL, lambda *message: hints.add(Kind(message[-1])))
            hints.add(*Kind)  # something may have become ready while nobody listened
            while not broken.is_set():
                try:
                    async with asyncio.timeout(PING_SECONDS * database.time_scale):
                        await broken.wait()
                except TimeoutError:
                    await connection.execute("SELECT", timeout=PING_ANSWER_SECONDS)
