"""A bundle: attempts whose steps one child computes together. An attempt alone is a bundle of one.

The child gets its order when every attempt has given its lane's part of it or has left, and replies
for one lane after the other. Lanes know nothing of each other: one may end, fail or leave while the
others go on.
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
        self._computed_together = 0
        self._computation: asyncio.Task[None] | None = None
        self._last_message = time.monotonic()

    def silent_for(self) -> float:
        """Seconds since the last message about any lane."""
        return time.monotonic() - self._last_message

    def log(self) -> str:
        """What the child has printed so far. Nobody can tell for which lane."""
        text = self.slot.log.text()
        if not text or self._computed_together == 1:
            return text
        return f"(printed while {self._computed_together} steps were computed together)\n{text}"

    def begin_if_complete(self) -> None:
        """Give the child its order once every lane has an order or has left."""
        if self._computation is None and not any(lane.is_undecided for lane in self.lanes):
            lanes = [lane for lane in self.lanes if lane.is_open]
            self._computed_together = len(lanes)
            self._computation = asyncio.create_task(
                self._compute(lanes), name=f"compute {len(lanes)} {self._op}"
            )

    async def lane_left(self) -> None:
        """Begin without that lane. If it was the last one, end the computation and its child."""
        if any(lane.is_open for lane in self.lanes):
            self.begin_if_complete()
        elif self._computation:
            if not self._computation.cancelling():
                self._computation.cancel()
            await asyncio.wait({self._computation})

    async def _compute(self, lanes: Sequence["BundleLane"]) -> None:
        """Raises nothing: lanes that have no reply yet get the error."""

        def on_message(message: wire.LaneMessage) -> None:
            self._last_message = time.monotonic()
            lanes[message.lane].receive(message)

        order = wire.Order(self._op, tuple(lane.order for lane in lanes if lane.order))
        try:
            await self.slot.compute(order, on_message)
        except Exception as error:  # noqa: BLE001 -- the attempts know what to make of it
            for lane in lanes:
                lane.fail(error)


class BundleLane:
    """One attempt's place in a bundle. It is open until it has its reply or leaves."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.order: wire.LaneOrder | None = None
        self._reply: asyncio.Future[wire.Reply] = asyncio.get_running_loop().create_future()
        self._progress: Progress

    @property
    def is_open(self) -> bool:
        return not self._reply.done()

    @property
    def is_undecided(self) -> bool:
        """It may still get an order, or leave."""
        return self.is_open and self.order is None

    async def compute(self, order: wire.LaneOrder, progress: Progress) -> wire.Reply:
        """The child's reply for this lane. Raises ChildDied if the child ends without one."""
        self.order, self._progress = order, progress
        self.bundle.begin_if_complete()
        return await self._reply

    async def leave(self) -> None:
        """Wait for no reply any more. The last lane to leave takes the child along."""
        self._reply.cancel()
        await self.bundle.lane_left()

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
