"""What RabbitBroker does with a real RabbitMQ, and what it says when it cannot."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import aio_pika
import pytest
import servers

from pyheta.broker.amqp import Link
from pyheta.broker.rabbitmq import RabbitBroker, RabbitListener
from pyheta.broker.topology import Topology
from pyheta.errors import BrokerError, ConfigError, PyhetaError
from pyheta.steps import Bell, Kind, StepId

SOON = 5.0  # seconds in which a healthy broker has delivered
MOMENT = 0.2  # seconds in which nothing is expected


@pytest.fixture
def store_id(broker_url: str) -> Iterator[UUID]:
    """A store that no other test has; its queues are deleted afterwards."""
    store_id = uuid4()
    topology = Topology(store_id)
    yield store_id
    names = [topology.dead, *map(topology.queue, Kind)]
    asyncio.run(servers.delete_queues(broker_url, names))


@pytest.fixture
async def broker(broker_url: str, store_id: UUID) -> AsyncIterator[RabbitBroker]:
    broker = RabbitBroker(broker_url, store_id, time_scale=0.1)
    yield broker
    await broker.close()


def bells(*steps: int, kind: Kind = Kind.TRAIN) -> list[Bell]:
    return [Bell(StepId(step), kind) for step in steps]


async def heard(listener: RabbitListener, count: int) -> list[int | None]:
    steps: list[int | None] = []
    while len(steps) < count and (delivery := await listener.next(SOON)):
        await delivery.settle(claimed=True)
        steps.append(delivery.step)
    return steps


async def publish(url: str, queue: str, *bodies: bytes) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        for body in bodies:
            await channel.default_exchange.publish(aio_pika.Message(body), queue)


async def dead_letters(broker: RabbitBroker, expected: int) -> int:
    """The dead letters, once there are as many as expected: RabbitMQ moves them in its own time."""
    for _ in range(250):
        if (dead := (await broker.depth()).dead) >= expected:
            break
        await asyncio.sleep(0.02)
    return dead


async def test_rings_are_heard_in_order_and_forgotten_once_settled(broker: RabbitBroker) -> None:
    # Given announced steps
    await broker.ring(bells(*range(1, 601)))
    assert (await broker.depth()).ready == {Kind.DATA: 0, Kind.TRAIN: 600}

    # When a listener settles every ring
    async with broker.listen([Kind.TRAIN]) as listener:
        steps = await heard(listener, 600)

        # Then it has heard each of them once, and nothing is left
        assert steps == list(range(1, 601))
        assert await listener.next(MOMENT) is None
    assert (await broker.depth()).ready[Kind.TRAIN] == 0


async def test_a_listener_hears_its_own_kinds_only(broker: RabbitBroker) -> None:
    await broker.ring(bells(1, kind=Kind.DATA) + bells(2, kind=Kind.TRAIN))

    async with broker.listen([Kind.TRAIN]) as train, broker.listen([Kind.DATA]) as data:
        assert await heard(train, 1) == [2]
        assert await train.next(MOMENT) is None
        assert await heard(data, 1) == [1]


async def test_a_listener_of_both_kinds_takes_them_in_turn(broker: RabbitBroker) -> None:
    await broker.ring(bells(1, 2, kind=Kind.DATA) + bells(3, 4, kind=Kind.TRAIN))

    async with broker.listen([Kind.DATA, Kind.TRAIN]) as listener:
        assert await heard(listener, 4) == [1, 3, 2, 4]


async def test_an_idle_listener_hears_a_ring_that_comes_later(broker: RabbitBroker) -> None:
    async with broker.listen([Kind.TRAIN]) as listener:
        waiting = asyncio.create_task(listener.next(SOON))
        await asyncio.sleep(MOMENT)
        await broker.ring(bells(7))

        delivery = await waiting
        assert delivery is not None
        assert delivery.step == 7


async def test_a_listener_whose_time_is_up_in_the_middle_of_a_look_returns(
    broker: RabbitBroker,
) -> None:
    # Given times that end about when the broker answers
    times = random.Random(0)
    async with broker.listen([Kind.TRAIN]) as listener:
        for _ in range(50):
            async with asyncio.timeout(SOON):
                assert await listener.next(0.02) is None
                assert await listener.next(times.uniform(0.0002, 0.002)) is None

        # Then it still hears
        await broker.ring(bells(7))
        assert await heard(listener, 1) == [7]


async def test_a_listener_whose_time_is_up_in_the_middle_of_a_refusal_returns(
    broker_url: str,
) -> None:
    times = random.Random(0)
    refused = RabbitBroker(changed(broker_url, user="guest:s3cret"), uuid4(), time_scale=0.1)
    async with refused.listen([Kind.TRAIN]) as listener:
        for _ in range(100):
            async with asyncio.timeout(SOON):
                assert await listener.next(times.uniform(0.0002, 0.012)) is None


async def test_a_ring_that_was_not_settled_comes_back(broker: RabbitBroker) -> None:
    # Given a listener that vanishes between a ring and the claim
    await broker.ring(bells(7))
    async with broker.listen([Kind.TRAIN]) as listener:
        assert (await listener.next(SOON)) is not None

    # Then the next one hears it
    async with broker.listen([Kind.TRAIN]) as listener:
        assert await heard(listener, 1) == [7]


async def test_unreadable_messages_become_dead_letters_and_hold_nothing_up(
    broker: RabbitBroker, broker_url: str, store_id: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    # Given messages of strangers in front of a ring
    await broker.depth()
    queue = Topology(store_id).queue(Kind.TRAIN)
    foreign = b'{"version":1,"kind":"data","step":1}'
    await publish(broker_url, queue, b"", b"\x80\x04N.", b"[]", b"x" * 5000, foreign)
    await broker.ring(bells(7))

    # When a worker listens
    with caplog.at_level(logging.WARNING):
        async with broker.listen([Kind.TRAIN]) as listener:
            steps = await heard(listener, 1)

    # Then it hears the ring, the others are kept apart, and one line says so
    assert steps == [7]
    assert await dead_letters(broker, 5) == 5
    assert [record.getMessage() for record in caplog.records] == [
        f"{queue}: a message cannot be read: not JSON: Expecting value: line 1 column 1 (char 0)"
    ]


async def test_two_stores_share_a_broker_without_meeting(
    broker: RabbitBroker, broker_url: str
) -> None:
    other_id = uuid4()
    other = RabbitBroker(broker_url, other_id)
    await broker.ring(bells(7))

    assert (await other.depth()).ready[Kind.TRAIN] == 0

    await other.close()
    topology = Topology(other_id)
    await servers.delete_queues(broker_url, [topology.dead, *map(topology.queue, Kind)])


async def test_check_names_the_broker_its_version_and_whether_others_can_listen_in(
    broker: RabbitBroker, broker_url: str
) -> None:
    address = urlsplit(broker_url)

    line = await broker.check()

    assert line.startswith("RabbitMQ ")
    assert f" at {address.hostname}:{address.port}" in line
    assert line.endswith(" (not encrypted)")


# ---- what it says when it cannot -----------------------------------------------------------------


def changed(
    url: str, *, user: str = "", port: int = 0, vhost: str = "", scheme: str = "", query: str = ""
) -> str:
    address = urlsplit(url)
    login, _, host = address.netloc.rpartition("@")
    host = f"{address.hostname}:{port}" if port else host
    netloc = f"{user or login}@{host}"
    return urlunsplit((scheme or address.scheme, netloc, vhost or address.path, query, ""))


async def refusal(url: str) -> PyhetaError:
    broker = RabbitBroker(url, uuid4(), time_scale=0.1)
    try:
        with pytest.raises((BrokerError, ConfigError)) as caught:
            await broker.check()
    finally:
        await broker.close()
    assert "s3cret" not in str(caught.value)
    return caught.value


async def test_a_wrong_password_is_a_matter_of_configuration(broker_url: str) -> None:
    error = await refusal(changed(broker_url, user="guest:s3cret"))

    assert isinstance(error, ConfigError)
    assert "refuses this user or password" in str(error)


async def test_a_missing_virtual_host_is_a_matter_of_configuration(broker_url: str) -> None:
    error = await refusal(changed(broker_url, vhost="/pyheta-nowhere"))

    assert isinstance(error, ConfigError)
    assert "/pyheta-nowhere: the virtual host does not exist" in str(error)


async def test_tls_to_a_port_without_tls_is_a_matter_of_configuration(broker_url: str) -> None:
    error = await refusal(
        changed(broker_url, scheme="amqps", port=urlsplit(broker_url).port or 5672)
    )

    assert isinstance(error, ConfigError)
    assert "TLS failed" in str(error)


async def test_a_missing_certificate_file_is_a_matter_of_configuration(broker_url: str) -> None:
    error = await refusal(changed(broker_url, scheme="amqps", query="cafile=/nowhere/ca.pem"))

    assert isinstance(error, ConfigError)
    assert "certificate file" in str(error)


async def test_a_closed_port_is_said_with_its_address(broker_url: str) -> None:
    error = await refusal(changed(broker_url, user="guest:s3cret", port=1))

    assert isinstance(error, BrokerError)
    assert str(error).startswith("127.0.0.1:1: ")
    assert "Connect call failed" in str(error)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x46"]
)
async def test_a_port_that_is_not_amqp_is_named_as_a_possible_cause(answer: bytes) -> None:
    # Given a server that answers the greeting with something else and hangs up
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(8)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await refusal(f"amqp://guest:s3cret@127.0.0.1:{port}/")

    assert isinstance(error, BrokerError)
    assert "check that it is RabbitMQ's port" in str(error)


async def test_a_url_that_is_none_is_a_matter_of_configuration() -> None:
    with pytest.raises(ConfigError, match="not a usable broker URL") as caught:
        RabbitBroker("amqp://guest:s3cret@host:70000/", uuid4())

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("thrown", [Exception, asyncio.CancelledError])
async def test_what_the_driver_throws_at_the_end_of_a_connection_is_an_error_of_the_broker(
    broker_url: str, thrown: type[BaseException]
) -> None:
    link = Link(broker_url, lambda channel: asyncio.sleep(0))

    with pytest.raises(BrokerError, match="the connection was closed"):
        async with link.use():
            raise thrown
    await link.close()


async def test_missing_rights_are_a_matter_of_configuration(broker_url: str) -> None:
    # Given something that RabbitMQ lets nobody declare
    link = Link(broker_url, lambda channel: channel.declare_queue("amq.pyheta"))

    with pytest.raises(ConfigError, match="grant this user configure, write and read"):
        async with link.use():
            pass
    await link.close()


@pytest.mark.parametrize(
    "difference",
    [
        ("train.v1", {}, r"x-[a-z-]+"),
        ("dead", {"x-queue-type": "quorum"}, "x-max-length"),
        ("dead", {"x-max-length": 10_000}, "x-queue-type"),
    ],
)
async def test_a_queue_with_other_arguments_is_named_with_the_argument_and_the_cure(
    broker: RabbitBroker,
    broker_url: str,
    store_id: UUID,
    difference: tuple[str, dict[str, Any], str],
) -> None:
    # Given a queue of that name that somebody declared differently
    name, arguments, named = difference
    queue = f"pyheta.{store_id.hex[:8]}.{name}"
    async with await aio_pika.connect(broker_url) as connection:
        channel = await connection.channel()
        await channel.declare_queue(queue, durable=True, arguments=arguments)

    # Then the first use says what differs
    with pytest.raises(
        ConfigError, match=f"queue '{queue}' exists with another {named}: .*; delete it"
    ):
        await broker.depth()

    # And once the cure was followed, all is well
    await servers.delete_queues(broker_url, [queue])
    assert (await broker.depth()).dead == 0


async def test_a_listener_outlives_a_refusal_and_says_so_once(
    caplog: pytest.LogCaptureFixture, broker_url: str
) -> None:
    broker = RabbitBroker(changed(broker_url, user="guest:s3cret"), uuid4(), time_scale=0.1)

    async with broker.listen([Kind.TRAIN]) as listener:
        with caplog.at_level(logging.WARNING):
            assert await listener.next(1.0) is None
            assert await listener.next(0.1) is None

    (record,) = caplog.records
    assert "refuses this user or password" in record.getMessage()
    assert "s3cret" not in record.getMessage()
