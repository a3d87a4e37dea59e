"""The broker may lose everything and go away at any moment: nothing hangs, nothing is lost, all of
it heals.

Faults come from a proxy between PyHeta and RabbitMQ, and from deleting and purging queues behind
its back.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import aio_pika
import builders
import pytest
import servers

from pyheta.broker.rabbitmq import RabbitBroker
from pyheta.broker.relay import Relay
from pyheta.broker.seam import Depth
from pyheta.broker.topology import Topology
from pyheta.errors import BrokerError
from pyheta.steps import Bell, Kind, StepId
from pyheta.store.postgres import PostgresStore

SCALE = 0.1  # connecting and every answer then get one second
SOON = 10.0
BELL = Bell(StepId(7), Kind.TRAIN)


class Proxy:
    """A TCP proxy on loopback whose connections can be cut, frozen and refused."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._target = address.hostname, address.port
        self._address = address
        self._port = 0
        self._ends: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[Any]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.thaw()
        await self.refuse()

    @property
    def url(self) -> str:
        login = self._address.netloc.rpartition("@")[0]
        return urlunsplit(self._address._replace(netloc=f"{login}@127.0.0.1:{self._port}"))

    def cut(self) -> None:
        for end in self._ends:
            end.transport.abort()

    def freeze(self) -> None:
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    async def accept(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        self._server.close()
        self.cut()
        if self._serving:
            await asyncio.wait(self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        ends = {writer, far_writer}
        self._ends |= ends
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        self._ends -= ends
        self._serving.discard(serving)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await source.read(65536):
                await self._flowing.wait()
                sink.write(piece)
        sink.close()


@pytest.fixture
def topology(broker_url: str) -> Iterator[Topology]:
    topology = Topology(uuid4())
    yield topology
    names = [topology.dead, *map(topology.queue, Kind)]
    asyncio.run(servers.delete_queues(broker_url, names))


@pytest.fixture
async def proxy(broker_url: str) -> AsyncIterator[Proxy]:
    async with Proxy(broker_url) as proxy:
        yield proxy


@pytest.fixture
async def broker(proxy: Proxy, topology: Topology) -> AsyncIterator[RabbitBroker]:
    broker = RabbitBroker(proxy.url, topology.store_id, time_scale=SCALE)
    yield broker
    proxy.thaw()
    await broker.close()


async def test_a_cut_connection_fails_the_ring_and_heals_with_the_next(
    broker: RabbitBroker, proxy: Proxy
) -> None:
    # Given rings that are on their way when the connection is cut
    await broker.depth()
    proxy.freeze()
    ringing = asyncio.create_task(broker.ring([BELL] * 100))
    await asyncio.sleep(0.1)
    proxy.cut()
    with pytest.raises(BrokerError):
        await ringing

    # When the network is back, then the next ring arrives
    proxy.thaw()
    await broker.ring([BELL])
    assert (await broker.depth()).ready[Kind.TRAIN] >= 1


async def test_a_frozen_broker_fails_the_ring_in_bounded_time(
    broker: RabbitBroker, proxy: Proxy
) -> None:
    await broker.depth()
    proxy.freeze()

    async with asyncio.timeout(SOON):
        with pytest.raises(BrokerError, match="no answer in time"):
            await broker.ring([BELL])


async def test_a_broker_that_is_frozen_from_the_start_fails_the_check_in_bounded_time(
    broker: RabbitBroker, proxy: Proxy
) -> None:
    proxy.freeze()

    async with asyncio.timeout(SOON):
        with pytest.raises(BrokerError, match="no answer in time"):
            await broker.check()


async def test_a_listener_waits_no_longer_than_asked_on_a_frozen_broker_and_hears_again_afterwards(
    broker: RabbitBroker, proxy: Proxy
) -> None:
    await broker.ring([BELL])
    async with broker.listen([Kind.TRAIN]) as listener:
        # Given a listener whose network freezes
        proxy.freeze()
        async with asyncio.timeout(SOON):
            assert await listener.next(0.3) is None

        # When it thaws, then the ring is heard
        proxy.thaw()
        delivery = await listener.next(SOON)
        assert delivery is not None
        assert delivery.step == BELL.step


async def test_a_listener_survives_cuts_and_refusals(broker: RabbitBroker, proxy: Proxy) -> None:
    async with broker.listen([Kind.TRAIN]) as listener:
        for fault in (proxy.cut, proxy.cut):
            await listener.next(0.1)
            fault()

        await proxy.refuse()
        assert await listener.next(0.3) is None

        await proxy.accept()
        await broker.ring([BELL])
        delivery = await listener.next(SOON)
        assert delivery is not None


async def test_a_ring_whose_acknowledgement_was_cut_comes_back(
    broker: RabbitBroker, proxy: Proxy
) -> None:
    await broker.ring([BELL])
    async with broker.listen([Kind.TRAIN]) as listener:
        # Given a ring that cannot be settled
        first = await listener.next(SOON)
        assert first is not None
        proxy.cut()
        await first.settle(claimed=True)

        # Then it is heard once more, and settled for good
        again = await listener.next(SOON)
        assert again is not None
        assert again.step == BELL.step
        await again.settle(claimed=False)
    assert (await broker.depth()).ready[Kind.TRAIN] == 0


async def test_a_deleted_queue_is_declared_again(
    broker: RabbitBroker, broker_url: str, topology: Topology
) -> None:
    async with broker.listen([Kind.TRAIN]) as listener:
        await listener.next(0.1)
        await broker.ring([BELL])

        # Given queues that somebody deletes, with the ring in it
        await servers.delete_queues(broker_url, [topology.queue(Kind.TRAIN)])

        # Then one try says that it is gone, and the next works again
        with pytest.raises(BrokerError, match="a queue is gone"):
            await broker.ring([BELL])
        await broker.ring([BELL])
        assert await listener.next(SOON) is not None


async def test_a_connection_closed_under_a_waiting_ring_is_an_error_and_not_a_cancellation(
    proxy: Proxy, topology: Topology
) -> None:
    # Given a patient ring on a frozen connection
    broker = RabbitBroker(proxy.url, topology.store_id, time_scale=1)
    await broker.depth()
    proxy.freeze()
    ringing = asyncio.create_task(broker.ring([BELL]))
    await asyncio.sleep(0.1)

    await broker.close()

    with pytest.raises(BrokerError, match="the connection was closed"):
        await ringing


async def test_nothing_stays_behind_when_work_is_cancelled(
    broker: RabbitBroker, proxy: Proxy
) -> None:
    # Given a listener and a ring in the middle of something
    await broker.depth()
    proxy.freeze()
    async with broker.listen([Kind.TRAIN]) as listener:
        tasks = [asyncio.create_task(listener.next(SOON)), asyncio.create_task(broker.ring([BELL]))]
        await asyncio.sleep(0.1)

        # When they are cancelled, then they end as cancelled, and closing does not hang
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 2


# ---- together with the store ---------------------------------------------------------------------


@contextlib.asynccontextmanager
async def relaying(store: PostgresStore, broker: RabbitBroker) -> AsyncIterator[None]:
    """A relay in a hurry: it believes a message lost after half a second."""
    relay = asyncio.create_task(Relay(store, broker, time_scale=1 / 60).run())
    try:
        yield
    finally:
        relay.cancel()
        await asyncio.wait([relay])


async def test_rings_that_were_purged_are_rung_again(
    store: PostgresStore, broker: RabbitBroker, broker_url: str, topology: Topology
) -> None:
    # Given announced steps whose messages somebody purges
    await store.submit(builders.submission(*builders.some_steps(20)))
    assert await Relay(store, broker).drain() == 20
    async with await aio_pika.connect(broker_url) as connection:
        channel = await connection.channel()
        queue = await channel.get_queue(topology.queue(Kind.TRAIN))
        await queue.purge()

    # Then the relay misses them, and all are done
    async with relaying(store, broker):
        assert len(await builders.take_all(store, broker)) == 20


async def test_queues_that_were_deleted_are_declared_and_filled_again(
    store: PostgresStore, broker: RabbitBroker, broker_url: str, topology: Topology
) -> None:
    await store.submit(builders.submission(*builders.some_steps(20)))
    assert await Relay(store, broker).drain() == 20

    await servers.delete_queues(broker_url, [topology.dead, *map(topology.queue, Kind)])

    async with relaying(store, broker):
        assert len(await builders.take_all(store, broker)) == 20


async def test_connections_that_are_cut_again_and_again_lose_no_step(
    store: PostgresStore, broker: RabbitBroker, proxy: Proxy
) -> None:
    await store.submit(builders.submission(*builders.some_steps(100)))

    async with relaying(store, broker), asyncio.TaskGroup() as group:
        taking = [group.create_task(builders.take_all(store, broker)) for _ in range(2)]
        for _ in range(10):
            await asyncio.sleep(0.05)
            proxy.cut()

    taken = [step for task in taking for step in task.result()]
    assert len(taken) == len(set(taken)) == 100


async def test_a_hundred_rings_for_one_step_start_it_once(
    store: PostgresStore, broker: RabbitBroker
) -> None:
    await store.submit(builders.submission(*builders.some_steps(1)))
    async with store.unrung(Kind.TRAIN, limit=10, stale_after=3600) as bells:
        await broker.ring([*bells] * 100)

    taken = await asyncio.gather(*(builders.take_until_quiet(store, broker) for _ in range(4)))

    assert sorted(map(len, taken)) == [0, 0, 0, 1]
    assert len(await store.attempts([bell.step for bell in bells])) == 1
    assert (await broker.depth()).ready[Kind.TRAIN] == 0


async def test_rings_for_finished_and_unknown_steps_are_forgotten(
    store: PostgresStore, broker: RabbitBroker
) -> None:
    await store.submit(builders.submission(*builders.some_steps(1)))
    await Relay(store, broker).drain()
    finished = await builders.take_all(store, broker)

    await broker.ring([Bell(step, Kind.TRAIN) for step in [*finished, StepId(2**62)]])

    assert await builders.take_until_quiet(store, broker) == []
    assert await broker.depth() == Depth({Kind.DATA: 0, Kind.TRAIN: 0}, dead=0)


async def test_what_could_not_be_announced_at_submission_is_announced_later(
    store: PostgresStore, broker: RabbitBroker, proxy: Proxy
) -> None:
    # Given a submission while the broker is away
    await store.submit(builders.submission(*builders.some_steps(3)))
    await proxy.refuse()
    with pytest.raises(BrokerError):
        await Relay(store, broker).drain()

    # When it is back, then nothing was forgotten
    await proxy.accept()
    assert await Relay(store, broker).drain() == 3
    assert await Relay(store, broker).drain() == 0
