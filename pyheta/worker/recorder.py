"""Recording outcomes: the store gets each, however long it is away."""

import asyncio
import logging
from itertools import count

from pyheta.errors import StoreUnavailable
from pyheta.steps import Claim, Failure, Success
from pyheta.store.seam import StepStore
from pyheta.worker.timing import backoff

log = logging.getLogger(__name__)


async def record(
    store: StepStore, claim: Claim, outcome: Success | Failure, first_pause: float
) -> None:
    """Hold on to the outcome until the store has it, or until the lease is lost."""
    for attempt in count():
        try:
            if not await _write(store, claim, outcome):
                log.warning(
                    "%s %s was taken over: its outcome is dropped", claim.op, claim.key[:12]
                )
            return
        except StoreUnavailable as error:
            log.warning("the outcome of %s %s waits: %s", claim.op, claim.key[:12], error)
            await asyncio.sleep(backoff(attempt, first_pause))


async def _write(store: StepStore, claim: Claim, outcome: Success | Failure) -> bool:
    if isinstance(outcome, Success):
        return await store.succeed(claim.step, claim.fence, outcome)
    log.warning("%s %s: %s: %s", claim.op, claim.key[:12], outcome.ending, outcome.reason)
    return await store.fail(claim.step, claim.fence, outcome) is not None
