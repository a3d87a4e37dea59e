"""The reaper gives back the steps of workers whose lease ran out. Every worker runs one."""

import asyncio
import logging
import random
import time

from pyheta.errors import StoreUnavailable
from pyheta.steps import WorkerId
from pyheta.store.seam import StepStore

log = logging.getLogger(__name__)

#: If the wall clock gains so many seconds on the monotonic clock, this machine has slept.
SLEPT_SECONDS = 5.0


async def reap_for_ever(store: StepStore, me: WorkerId, every: float) -> None:
    """Look every so many seconds, give or take a fifth: not all workers at the same time.

    On a machine that has slept, the leases of its own workers are overdue: it skips one round, so
    that they can renew them.
    """
    while True:
        lead = time.time() - time.monotonic()
        await asyncio.sleep(every * random.uniform(0.8, 1.2))  # noqa: S311 -- spreads load, guards nothing
        if time.time() - time.monotonic() - lead < SLEPT_SECONDS:
            await _reap(store, me)


async def _reap(store: StepStore, me: WorkerId) -> None:
    try:
        if count := await store.reap(me):
            log.warning("%d steps of lost workers were given back", count)
    except StoreUnavailable as error:
        log.warning("could not look for lost workers: %s", error)
