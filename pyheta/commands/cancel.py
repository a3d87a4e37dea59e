"""Cancel a sweep: those of its steps that no other sweep needs."""

from typing import Protocol

from pyheta.screen import count
from pyheta.steps import State
from pyheta.store.seam import Reads, SweepStore

FORGET = "to forget the sweep and its results: pyheta gc"


class Store(Reads, SweepStore, Protocol):
    """What this command reads and changes."""


async def cancel_sweep(store: Store, text: str | None) -> str:
    """Cancel a sweep and say in words what came of it."""
    sweep = await store.find_sweep(text)
    if sweep.cancelled_at:
        return f"{sweep.name}: already cancelled; {FORGET}"
    changed = await store.cancel(sweep.id)
    running = changed.get(State.RUNNING, 0)
    open_steps = sum(changed.values()) - running
    words = [f"{count(open_steps, 'step')} cancelled"]
    if running:
        words.append(f"{count(running, 'running step')} told to stop")
    return f"{sweep.name}: {', '.join(words)}; {FORGET}"
