"""The store's hint that steps became ready, as an event: a waiting task can miss none."""

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
    """An event, set now and whenever a step of `kinds` becomes ready. Clear it, then look."""
    ready = asyncio.Event()
    ready.set()
    async with store.wakes() as wakes:
        setting = asyncio.create_task(_set_when_woken(ready, wakes, kinds), name="readiness")
        try:
            yield ready
        finally:
            setting.cancel()
            await asyncio.wait([setting])


async def _set_when_woken(
    ready: asyncio.Event, wakes: AsyncIterator[Kind], kinds: Collection[Kind]
) -> None:
    async for kind in wakes:
        if kind in kinds:
            ready.set()
