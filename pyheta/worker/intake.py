"""The intake turns rings of the broker into claims, and looks by itself if none come."""

import logging
import random
from collections.abc import Sequence
from contextlib import suppress

from pyheta.broker.seam import Delivery, Listener
from pyheta.errors import StoreUnavailable
from pyheta.steps import Claim, Kind, WorkerId
from pyheta.store.seam import StepStore

log = logging.getLogger(__name__)


class Intake:
    """Claims steps for one worker; with `sweep`, only steps that this sweep needs."""

    def __init__(
        self,
        store: StepStore,
        listener: Listener,
        worker: WorkerId,
        *,
        kinds: Sequence[Kind],
        sweep: str | None,
        poll: float,
    ) -> None:
        self._store = store
        self._listener = listener
        self._worker = worker
        self._kinds = kinds
        self._sweep = sweep
        self._poll = poll
        self._found_by_looking = False

    async def ring(self) -> Delivery | None:
        """The next ring; None if none came for a while, or if the last look found steps.

        Where a look found steps, there may be more: while the broker is away, slots must not wait.
        """
        if self._found_by_looking:
            return None
        return await self._listener.next(self._poll * random.uniform(0.5, 1.5))  # noqa: S311 -- spreads load

    async def claims(self, ring: Delivery | None, free: int) -> Sequence[Claim]:
        """The claims that a ring or a look leads to: up to `free`, none if others were faster."""
        claims: Sequence[Claim] = ()
        try:
            claims = await self._claim(ring, free)
        # A ring whose claim failed is dropped, which costs a poll: kept, it would block the queue.
        finally:
            if ring:
                await ring.settle(claimed=bool(claims))
        self._found_by_looking = ring is None and bool(claims)
        return claims

    async def siblings(self, claim: Claim, most: int) -> Sequence[Claim]:
        """Up to `most` further claims that may be computed together with this one."""
        siblings: Sequence[Claim] = ()
        if claim.bundle and most:
            with suppress(StoreUnavailable):  # the claim itself is computed anyway
                siblings = await self._store.claim_siblings(
                    self._worker, claim, most, sweep=self._sweep
                )
        return siblings

    async def _claim(self, ring: Delivery | None, free: int) -> Sequence[Claim]:
        if ring and ring.step is not None:
            claim = await self._store.claim(self._worker, ring.step)
            return (claim,) if claim else ()
        return await self._store.claim_next(self._worker, self._kinds, free, sweep=self._sweep)
