"""Names and arguments of everything that PyHeta declares in RabbitMQ, and nothing else.

Names carry the store's id, so several stores can share one virtual host; the kind, so a worker hears only
what it can compute; and the message's version, so an old worker never takes what it cannot read.
"""

from collections.abc import Mapping
from uuid import UUID

from pyheta.broker import message
from pyheta.steps import Kind

#: How often a ring may be delivered before it counts as dead (RabbitMQ's default before 4.0 was: for ever).
DELIVERY_LIMIT = 20
#: Dead letters are kept for people to look at; the oldest go first.
DEAD_LIMIT = 10_000


class Topology:
    """One quorum queue a kind, and one for messages that nobody could read."""

    def __init__(self, store_id: UUID) -> None:
        self._prefix = f"pyheta.{store_id.hex[:8]}"

    def queue(self, kind: Kind) -> str:
        return f"{self._prefix}.{kind}.v{message.VERSION}"

    @property
    def dead(self) -> str:
        """The name of both the dead letter exchange (fanout) and the queue that is bound to it."""
        return f"{self._prefix}.dead"

    @property
    def queue_arguments(self) -> Mapping[str, str | int]:
        """At-least-once dead lettering needs `reject-publish`; without a length limit nothing is rejected."""
        return {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-overflow": "reject-publish",
            "x-dead-letter-exchange": self.dead,
            "x-dead-letter-strategy": "at-least-once",
        }

    @property
    def dead_arguments(self) -> Mapping[str, str | int]:
        return {"x-queue-type": "quorum", "x-max-length": DEAD_LIMIT}
