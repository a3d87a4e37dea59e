"""The reaper: gives back the steps of workers whose lease ran out. Every worker is one; two are harmless."""

import asyncio
import logging
import random

from pyheta.errors import StoreUnavailable
from pyheta.store.seam import StepStore

log = logging.getLogger(__name__)


async def reap_for_ever(store: StepStore, every: float) -> None:
    """Look every so many seconds, give or take a fifth, so that many workers do not look at once."""
    while True:
        await asyncio.sleep(every * random.uniform(0.8, 1.2))  # noqa: S311 -- spreads load, guards nothing
        try:
            if count := await store.reap():
                log.warning("%d steps of lost workers were given back", count)
        except StoreUnavailable as error:
            log.warning("could not look for lost workers: %s", error)
