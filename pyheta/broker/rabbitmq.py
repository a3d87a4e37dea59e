"""RabbitMQ: one quorum queue a kind, publisher confirms, messages fetched one at a time.

Messages are fetched with basic.get, and only while a worker wants work. So a busy worker prefetches
nothing, and there is no consumer that could be lost unnoticed.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import cast
from uuid import UUID

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from pyheta.broker.amqp import Link
from pyheta.broker.message import Undecodable, decode, encode
from pyheta.broker.seam import Depth
from pyheta.broker.topology import Topology
from pyheta.broker.trouble import Trouble
from pyheta.errors import BrokerError, ConfigError
from pyheta.steps import Bell, Kind, StepId

#: So many messages wait for their confirms together: about six times faster than one by one.
BATCH = 256
#: Seconds between two looks into empty queues: the first pause and the longest.
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 1.0

log = logging.getLogger(__name__)


class RabbitBroker:
    """Satisfies `seam.MessageBroker`. Nothing is connected before it is used.

    `store_id` is the store's identity; `time_scale` multiplies all times.
    """

    def __init__(self, url: str, store_id: UUID, *, time_scale: float = 1.0) -> None:
        self._url = url
        self._topology = Topology(store_id)
        self._time_scale = time_scale
        self._link = self._new_link()

    async def ring(self, bells: Sequence[Bell]) -> None:
        for batch in _batches(bells):
            async with self._link.use() as channel:
                await asyncio.gather(*(self._publish(channel, bell) for bell in batch))

    @contextlib.asynccontextmanager
    async def listen(self, kinds: Sequence[Kind]) -> AsyncIterator["RabbitListener"]:
        # A connection of its own: an alarm blocks connections that publish, and no others.
        link = self._new_link()
        try:
            yield RabbitListener(
                link, self._topology, kinds, longest_pause=LONGEST_PAUSE * self._time_scale
            )
        finally:
            await link.close()

    async def depth(self) -> Depth:
        async with self._link.use() as channel:
            return await self._topology.declare(channel)

    async def check(self) -> str:
        async with self._link.use() as channel:
            connection = (await channel.get_underlay_channel()).connection
            server = cast("Mapping[str, str]", connection.server_properties)
        secrecy = "TLS" if self._link.encrypted else "not encrypted"
        return f"{server.get('product')} {server.get('version')} at {self._link.where} ({secrecy})"

    async def close(self) -> None:
        await self._link.close()

    def _new_link(self) -> Link:
        return Link(self._url, self._topology.declare, time_scale=self._time_scale)

    async def _publish(self, channel: AbstractChannel, bell: Bell) -> None:
        message = Message(
            encode(bell),
            content_type="application/json",
            delivery_mode=DeliveryMode.PERSISTENT,
        )
        await channel.default_exchange.publish(
            message, self._topology.queue(bell.kind), mandatory=True
        )


class RabbitListener:
    """Satisfies `seam.Listener`."""

    def __init__(
        self, link: Link, topology: Topology, kinds: Sequence[Kind], *, longest_pause: float
    ) -> None:
        self._link = link
        self._topology = topology
        self._kinds = itertools.cycle(kinds)
        self._round = len(kinds)
        self._longest_pause = longest_pause
        self._unreachable = Trouble(log)
        self._undecodable = Trouble(log)

    async def next(self, timeout: float) -> "RabbitDelivery | None":  # noqa: ASYNC109 -- None is an answer
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                return await self._fetch()
        return None

    async def _fetch(self) -> "RabbitDelivery":
        pause = FIRST_PAUSE
        while True:
            try:
                if delivery := await self._look():
                    return delivery
            except (BrokerError, ConfigError) as error:
                self._unreachable.warn(
                    f"{error}; until it is back, ready steps are found in the store"
                )
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._longest_pause)

    async def _look(self) -> "RabbitDelivery | None":
        """Look into each queue once, beginning after the one that had a message last."""
        async with self._link.use() as channel:
            for kind in itertools.islice(self._kinds, self._round):
                if delivery := await self._take(channel, kind):
                    return delivery
        return None

    async def _take(self, channel: AbstractChannel, kind: Kind) -> "RabbitDelivery | None":
        """The next message of a queue; one that cannot be read becomes a dead letter."""
        queue = await channel.get_queue(self._topology.queue(kind), ensure=False)
        while message := await queue.get(fail=False):
            try:
                return RabbitDelivery(decode(message.body, kind).step, message, self._link)
            except Undecodable as error:
                await message.reject(requeue=False)
                self._undecodable.warn(f"{queue.name}: a message cannot be read: {error}")
        return None


class RabbitDelivery:
    """Satisfies `seam.Delivery`."""

    def __init__(self, step: StepId, message: AbstractIncomingMessage, link: Link) -> None:
        self.step = step
        self._message = message
        self._link = link

    async def settle(self, *, claimed: bool) -> None:  # noqa: ARG002 -- acknowledged either way
        await self._link.acknowledge(self._message)


def _batches(bells: Sequence[Bell]) -> Iterator[Sequence[Bell]]:
    for start in range(0, len(bells), BATCH):
        yield bells[start : start + BATCH]
