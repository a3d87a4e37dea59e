"""What PyHeta asks of a broker: to ring when steps are ready. The step table holds the truth.

A broker delivers at least once at best, and may lose everything. A ring without a ready step is
harmless (the claim finds nothing); a lost ring costs some seconds (workers poll, the relay rings
again). No delivery is held while a step is computed: it is settled once the claim has committed or
has found nothing.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from pyheta.steps import Bell, Kind, StepId


class Delivery(Protocol):
    """One ring. `step` is None if the broker only knows that some step is ready: claim any."""

    @property
    def step(self) -> StepId | None: ...

    async def settle(self, *, claimed: bool) -> None:
        """The broker may forget this ring: the claim has committed or found nothing.

        Raises nothing.
        """
        ...


class Listener(Protocol):
    """How one worker hears rings. Not shared between tasks."""

    async def next(self, timeout: float) -> Delivery | None:  # noqa: ASYNC109 -- a poll: None is an answer
        """The next ring, or None after `timeout` seconds without one.

        If the broker is out of reach or refuses access, it logs that and goes on trying.
        """
        ...


class Broker(Protocol):
    """What workers listen to."""

    def listen(self, kinds: Sequence[Kind]) -> AbstractAsyncContextManager[Listener]: ...


@dataclass(frozen=True, slots=True)
class Depth:
    """The number of messages in the broker: by kind, and those that nobody could read."""

    ready: Mapping[Kind, int]
    dead: int


class MessageBroker(Broker, Protocol):
    """A broker apart from the store: the relay tells it which steps are ready.

    Errors are BrokerError (with the cause in one line) or ConfigError (access, vhost, queue
    arguments).
    """

    async def ring(self, bells: Sequence[Bell]) -> None:
        """Announce ready steps. On return the broker has confirmed every one of them."""
        ...

    async def depth(self) -> Depth: ...

    async def check(self) -> str:
        """One line that says which broker answers, and its version."""
        ...

    async def close(self) -> None: ...
