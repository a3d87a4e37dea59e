"""A bundle: attempts whose steps one child computes together. An attempt alone is a bundle of one.

The child gets its order when every attempt has said what it wants or has left, and answers for one
lane after the other. Lanes know nothing of each other: one may end, fail or leave while the others
go on.
"""

import asyncio
import time
from collections.abc import Sequence

from pyheta.task import Progress
from pyheta.worker import wire
from pyheta.worker.slot import Slot


class Bundle:
    """The lanes that share a slot's child."""

    def __init__(self, slot: Slot, op: str, size: int) -> None:
        self.slot = slot
        self.lanes = [BundleLane(self) for _ in range(size)]
        self._op = op
        self._asked = 0
        self._talk: asyncio.Task[None] | None = None
        self._last_message = time.monotonic()

    def silent_for(self) -> float:
        """Seconds since the last sign of progress in any lane."""
        return time.monotonic() - self._last_message

    def log(self) -> str:
        """What the child has printed by now. Nobody can tell which lane it was printed for."""
        text = self.slot.log.text()
        if not text or self._asked == 1:
            return text
        return f"(printed while {self._asked} steps were computed together)\n{text}"

    def begin_if_complete(self) -> None:
        """Give the child its order as soon as no lane is awaited any more."""
        if self._talk is None and not any(lane.is_awaited for lane in self.lanes):
            asked = [lane for lane in self.lanes if lane.is_open]
            self._asked = len(asked)
            self._talk = asyncio.create_task(
                self._ask(asked), name=f"talk about {len(asked)} {self._op}"
            )

    async def lose(self) -> None:
        """A lane has left. Nobody waits for a child whose lanes have all left."""
        if any(lane.is_open for lane in self.lanes):
            self.begin_if_complete()
        elif self._talk:
            if not self._talk.cancelling():
                self._talk.cancel()
            await asyncio.wait({self._talk})

    async def _ask(self, lanes: Sequence["BundleLane"]) -> None:
        """Raises nothing: whatever goes wrong is told to the lanes that have no answer yet."""

        def on_message(message: wire.LaneMessage) -> None:
            self._last_message = time.monotonic()
            lanes[message.lane].receive(message)

        order = wire.Order(self._op, tuple(lane.wanted for lane in lanes if lane.wanted))
        try:
            await self.slot.compute(order, on_message)
        except Exception as error:  # noqa: BLE001 -- the attempts know what to make of it
            for lane in lanes:
                lane.fail(error)


class BundleLane:
    """One attempt's place in a bundle. It is open until it has its answer or leaves."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.wanted: wire.LaneOrder | None = None
        self._reply: asyncio.Future[wire.Reply] = asyncio.get_running_loop().create_future()
        self._progress: Progress

    @property
    def is_open(self) -> bool:
        return not self._reply.done()

    @property
    def is_awaited(self) -> bool:
        """It is not known yet whether it wants anything."""
        return self.is_open and self.wanted is None

    async def compute(self, wanted: wire.LaneOrder, progress: Progress) -> wire.Reply:
        """The child's answer for this lane. Raises ChildDied when it ends without one."""
        self.wanted, self._progress = wanted, progress
        self.bundle.begin_if_complete()
        return await self._reply

    async def leave(self) -> None:
        """Wait for an answer no longer. The last lane to leave takes the child along."""
        self._reply.cancel()
        await self.bundle.lose()

    def receive(self, message: wire.LaneMessage) -> None:
        if not self.is_open:
            return
        if isinstance(message, wire.LaneProgress):
            self._progress(message.progress)
        else:
            self._reply.set_result(message)

    def fail(self, error: Exception) -> None:
        if self.is_open:
            self._reply.set_exception(error)
