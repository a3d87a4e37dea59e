"""The store's own word that steps became ready, as an event that a waiting task can miss nothing
of.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from pyheta.steps import Kind


class Wakes(Protocol):
    """The part of `StepStore` that says which kinds of steps became ready."""

    def wakes(self) -> AbstractAsyncContextManager[AsyncIterator[Kind]]: ...


@contextlib.asynccontextmanager
async def readiness(store: Wakes, kinds: Collection[Kind]) -> AsyncIterator[asyncio.Event]:
    """An event, set now and whenever a step of `kinds` becomes ready; clear it before you look."""
    ready = asyncio.Event()
    ready.set()
    async with store.wakes() as wakes:
        following = asyncio.create_task(_follow(wakes, kinds, ready), name="readiness")
        try:
            yield ready
        finally:
            following.cancel()
            await asyncio.wait([following])


async def _follow(
    wakes: AsyncIterator[Kind], kinds: Collection[Kind], ready: asyncio.Event
) -> None:
    async for kind in wakes:
        if kind in kinds:
            ready.set()
