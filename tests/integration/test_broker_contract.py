"""What every bell promises with the store: all ready steps are found, each by one worker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import uuid4

import builders
import pytest
import servers

from pyheta.broker.jobtable import TableBroker
from pyheta.broker.rabbitmq import RabbitBroker
from pyheta.broker.relay import Relay
from pyheta.broker.seam import Broker
from pyheta.broker.topology import Topology
from pyheta.steps import Kind, Step
from pyheta.store.postgres import PostgresStore

SCALE = 0.1
SOON = 10.0


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresStore]:
    async with PostgresStore.open(database_url, time_scale=SCALE) as store:
        yield store


class BrokerContract:
    """Subclasses provide `broker`: it rings for whatever becomes ready in `store`."""

    async def test_competing_takers_claim_every_step_exactly_once(
        self, store: PostgresStore, broker: Broker
    ) -> None:
        await store.submit(builders.submission(*builders.some_steps(60)))

        taken = await asyncio.gather(*(builders.take_all(store, broker) for _ in range(4)))

        steps = [step for steps in taken for step in steps]
        assert len(steps) == len(set(steps)) == 60
        assert await store.open_steps([Kind.TRAIN]) == 0

    async def test_a_taker_that_vanishes_before_its_claim_loses_nothing(
        self, store: PostgresStore, broker: Broker
    ) -> None:
        await store.submit(builders.submission(*builders.some_steps(3)))
        async with broker.listen([Kind.TRAIN]) as listener:
            assert await listener.next(SOON) is not None

        assert len(await builders.take_all(store, broker)) == 3

    async def test_steps_of_another_kind_are_not_taken(
        self, store: PostgresStore, broker: Broker
    ) -> None:
        await store.submit(builders.submission(*builders.some_steps(2, Kind.DATA)))

        assert await builders.take_until_quiet(store, broker, [Kind.TRAIN]) == []
        assert len(await builders.take_all(store, broker, [Kind.DATA])) == 2

    async def test_a_step_that_becomes_ready_later_wakes_an_idle_listener(
        self, store: PostgresStore, broker: Broker
    ) -> None:
        # Given a train step that needs a data step, and a train worker that has found nothing to do
        load = Step("load", 1, Kind.DATA, {"salt": uuid4().hex})
        fit = Step("fit", 1, Kind.TRAIN, {}, needs={"load": load.key})
        await store.submit(builders.submission(load, fit))
        worker = await builders.new_worker(store)
        async with broker.listen([Kind.TRAIN]) as listener:
            while delivery := await listener.next(builders.QUIET):
                assert await builders.answer(store, worker, [Kind.TRAIN], delivery) == []

            # When the data step succeeds
            assert len(await builders.take_all(store, broker, [Kind.DATA])) == 1

            # Then the train worker is rung for
            delivery = await listener.next(SOON)
            assert delivery is not None
            (claim,) = await builders.answer(store, worker, [Kind.TRAIN], delivery)
            assert claim.key == fit.key

    async def test_submitting_what_has_succeeded_gives_nobody_work(
        self, store: PostgresStore, broker: Broker
    ) -> None:
        submission = builders.submission(*builders.some_steps(5))
        await store.submit(submission)
        assert len(await builders.take_all(store, broker)) == 5

        await store.submit(submission)

        assert await builders.take_until_quiet(store, broker) == []


class TestRabbitMQ(BrokerContract):
    @pytest.fixture
    async def broker(self, store: PostgresStore, broker_url: str) -> AsyncIterator[Broker]:
        broker = RabbitBroker(broker_url, store.id, time_scale=SCALE)
        relay = asyncio.create_task(Relay(store, broker, time_scale=SCALE).run())
        yield broker
        relay.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await relay
        await broker.close()
        topology = Topology(store.id)
        await servers.delete_queues(broker_url, [topology.dead, *map(topology.queue, Kind)])


class TestStepTable(BrokerContract):
    @pytest.fixture
    async def broker(self, store: PostgresStore) -> Broker:
        return TableBroker(store)
