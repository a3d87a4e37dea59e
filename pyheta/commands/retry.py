"""Give the failed and cancelled steps of a sweep another try."""

from collections.abc import Sequence
from typing import Protocol

from pyheta.screen import count
from pyheta.store.seam import Reads, SweepStore


class Store(Reads, SweepStore, Protocol):
    """What this command reads and changes."""


async def retry_sweep(store: Store, text: str | None, runs: Sequence[int] | None) -> str:
    """Give the failed and cancelled steps of a sweep, or of some of its runs, another try."""
    sweep = await store.find_sweep(text)
    revived = await store.retry(sweep.id, runs=runs)
    if not revived:
        return f"{sweep.name}: nothing failed or was cancelled"
    return f"{sweep.name}: {count(revived, 'step')} back in the queue"
