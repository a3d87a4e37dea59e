"""The step table as a queue: when it rings, and when it waits."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from pyheta.broker.jobtable import TableBroker
from pyheta.steps import Kind

SOON = 5.0
MOMENT = 0.05


class Store:
    """Says what the test wants it to say."""

    def __init__(self) -> None:
        self.news: asyncio.Queue[Kind] = asyncio.Queue()

    @contextlib.asynccontextmanager
    async def wakes(self) -> AsyncIterator[AsyncIterator[Kind]]:
        yield self._news()

    async def _news(self) -> AsyncIterator[Kind]:
        while True:
            yield await self.news.get()


async def test_it_rings_at_once_and_as_long_as_claims_find_steps() -> None:
    async with TableBroker(Store()).listen([Kind.TRAIN]) as listener:
        for _ in range(3):
            delivery = await listener.next(SOON)
            assert delivery is not None
            assert delivery.step is None
            await delivery.settle(claimed=True)


async def test_it_waits_after_a_claim_that_found_nothing() -> None:
    async with TableBroker(Store()).listen([Kind.TRAIN]) as listener:
        delivery = await listener.next(SOON)
        assert delivery is not None
        await delivery.settle(claimed=False)

        assert await listener.next(MOMENT) is None


async def test_a_step_that_becomes_ready_during_the_claim_rings_again() -> None:
    store = Store()
    async with TableBroker(store).listen([Kind.TRAIN]) as listener:
        # Given a claim that is under way when a step becomes ready
        delivery = await listener.next(SOON)
        assert delivery is not None
        store.news.put_nowait(Kind.TRAIN)
        await asyncio.sleep(0)

        # When the claim has found nothing, then there is another ring
        await delivery.settle(claimed=False)
        assert await listener.next(SOON) is not None


async def test_steps_of_other_kinds_do_not_ring() -> None:
    store = Store()
    async with TableBroker(store).listen([Kind.TRAIN]) as listener:
        delivery = await listener.next(SOON)
        assert delivery is not None
        store.news.put_nowait(Kind.DATA)

        assert await listener.next(MOMENT) is None
