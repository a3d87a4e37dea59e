"""What PyHeta declares in RabbitMQ (3.10 or later): names, arguments, declaration.

A queue's name has the store's id, so that stores can share a virtual host; the kind, so that a
worker gets only steps that it can compute; and the message's version, so that an old worker gets no
message that it cannot read.
"""

from uuid import UUID

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel
from pamqp.common import Arguments

from pyheta.broker import message
from pyheta.broker.seam import Depth
from pyheta.steps import Kind

#: A message delivered more often than this becomes a dead letter (never, by RabbitMQ's default
#: before 4.0).
DELIVERY_LIMIT = 20
#: So many dead letters are kept for people to look at; the oldest go first.
DEAD_LIMIT = 10_000


class Topology:
    """One quorum queue a kind, and one for messages that nobody could read."""

    def __init__(self, store_id: UUID) -> None:
        self.store_id = store_id
        self._prefix = f"pyheta.{store_id.hex[:8]}"

    def queue(self, kind: Kind) -> str:
        return f"{self._prefix}.{kind}.v{message.VERSION}"

    @property
    def dead(self) -> str:
        """The name of both the dead letter exchange (fanout) and the queue that is bound to it."""
        return f"{self._prefix}.dead"

    async def declare(self, channel: AbstractChannel) -> Depth:
        """Declare everything; the number of messages that wait. Repeating it is harmless."""
        dead = await self._declare_dead(channel)
        ready = {kind: await self._declare_queue(channel, kind) for kind in Kind}
        return Depth(ready, dead)

    async def _declare_dead(self, channel: AbstractChannel) -> int:
        exchange = await channel.declare_exchange(self.dead, ExchangeType.FANOUT, durable=True)
        arguments: Arguments = {"x-queue-type": "quorum", "x-max-length": DEAD_LIMIT}
        queue = await channel.declare_queue(self.dead, durable=True, arguments=arguments)
        await queue.bind(exchange)
        return queue.declaration_result.message_count or 0

    async def _declare_queue(self, channel: AbstractChannel, kind: Kind) -> int:
        arguments: Arguments = {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": self.dead,
            "x-dead-letter-strategy": "at-least-once",
            # Asked for by at-least-once; without a limit nothing overflows
            "x-overflow": "reject-publish",
        }
        queue = await channel.declare_queue(self.queue(kind), durable=True, arguments=arguments)
        return queue.declaration_result.message_count or 0
