"""The relay's decisions, with a store and a broker of a few lines."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from pyheta.broker.relay import LONG_STALE_SECONDS, STALE_SECONDS, WINDOW, Relay
from pyheta.broker.seam import Depth
from pyheta.errors import BrokerError
from pyheta.steps import Bell, Kind, StepId

SOON = 5.0


class Outbox:
    """Ready steps that were never announced; remembers what it was asked, and what was marked."""

    def __init__(self, **steps: int) -> None:
        self.unrung_steps = {
            kind: [Bell(StepId(n), kind) for n in range(steps.get(kind, 0))] for kind in Kind
        }
        self.asked: list[tuple[Kind, int, float | None]] = []
        self.marked: list[Bell] = []
        self.news: asyncio.Queue[Kind] = asyncio.Queue()

    @contextlib.asynccontextmanager
    async def unrung(
        self, kind: Kind, *, limit: int, stale_after: float | None
    ) -> AsyncIterator[Sequence[Bell]]:
        self.asked.append((kind, limit, stale_after))
        bells = self.unrung_steps[kind][:limit]
        yield bells
        self.marked += bells
        del self.unrung_steps[kind][: len(bells)]

    @contextlib.asynccontextmanager
    async def wakes(self) -> AsyncIterator[AsyncIterator[Kind]]:
        yield self._news()

    async def _news(self) -> AsyncIterator[Kind]:
        while True:
            yield await self.news.get()


class Broker:
    """Remembers rings; out of reach as long as `failures` last."""

    def __init__(self, *, data: int = 0, train: int = 0, failures: int = 0) -> None:
        self.ready = {Kind.DATA: data, Kind.TRAIN: train}
        self.failures = failures
        self.rung: list[Bell] = []
        self.heard = asyncio.Event()

    def listen(self, kinds: Sequence[Kind]) -> contextlib.AbstractAsyncContextManager[Any]:
        raise NotImplementedError(kinds)

    async def ring(self, bells: Sequence[Bell]) -> None:
        if self.failures:
            self.failures -= 1
            raise BrokerError("out of reach", where="rabbit:5672")
        self.rung += bells
        self.heard.set()

    async def depth(self) -> Depth:
        return Depth(self.ready, dead=0)

    async def check(self) -> str:
        return "a broker of the tests"

    async def close(self) -> None:
        pass


@contextlib.asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[None]:
    task = asyncio.create_task(relay.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


async def test_draining_announces_both_kinds_and_marks_them() -> None:
    outbox, broker = Outbox(data=2, train=3), Broker()

    assert await Relay(outbox, broker).drain() == 5

    assert len(broker.rung) == 5
    assert outbox.marked == broker.rung


async def test_no_more_than_the_window_waits_in_a_queue() -> None:
    outbox, broker = (
        Outbox(data=3 * WINDOW, train=3 * WINDOW),
        Broker(data=WINDOW - 10, train=WINDOW),
    )

    assert await Relay(outbox, broker).drain() == 10

    assert {bell.kind for bell in broker.rung} == {Kind.DATA}


async def test_what_was_announced_long_ago_is_announced_again_sooner_when_the_queue_is_empty() -> (
    None
):
    outbox, broker = Outbox(), Broker(data=1, train=0)

    await Relay(outbox, broker, time_scale=0.1).drain()

    assert outbox.asked == [
        (Kind.DATA, WINDOW - 1, 0.1 * LONG_STALE_SECONDS),
        (Kind.TRAIN, WINDOW, 0.1 * STALE_SECONDS),
    ]


async def test_a_ring_that_was_not_confirmed_is_not_marked() -> None:
    outbox, broker = Outbox(train=1), Broker(failures=1)

    with pytest.raises(BrokerError):
        await Relay(outbox, broker).drain()

    assert outbox.marked == []


async def test_a_step_that_becomes_ready_is_announced_at_once() -> None:
    # Given a relay whose ticks are an hour apart, and which has nothing to do
    outbox, broker = Outbox(), Broker()
    async with running(Relay(outbox, broker, time_scale=3600)):
        await asyncio.sleep(0.05)
        assert outbox.asked

        # When the store says that a step became ready
        outbox.unrung_steps[Kind.TRAIN].append(Bell(StepId(7), Kind.TRAIN))
        outbox.news.put_nowait(Kind.TRAIN)

        # Then it is announced without waiting for the tick
        await asyncio.wait_for(broker.heard.wait(), SOON)


async def test_a_step_that_the_store_said_nothing_about_is_announced_by_the_tick() -> None:
    outbox, broker = Outbox(), Broker()
    async with running(Relay(outbox, broker, time_scale=0.01)):
        await asyncio.sleep(0.02)
        outbox.unrung_steps[Kind.TRAIN].append(Bell(StepId(7), Kind.TRAIN))

        await asyncio.wait_for(broker.heard.wait(), SOON)


async def test_trouble_with_the_broker_is_said_once_and_waited_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outbox, broker = Outbox(train=1), Broker(failures=3)

    with caplog.at_level(logging.WARNING):
        async with running(Relay(outbox, broker, time_scale=0.001)):
            await asyncio.wait_for(broker.heard.wait(), SOON)

    assert broker.rung == [Bell(StepId(0), Kind.TRAIN)]
    assert [record.getMessage() for record in caplog.records] == [
        "ready steps cannot be announced: rabbit:5672: out of reach"
    ]
