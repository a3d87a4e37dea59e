"""Removing what nobody needs: cancelled sweeps, the steps that only they had, and the bytes of
those.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pyheta.screen import count, volume
from pyheta.store.seam import Artifacts, Removals

#: A worker puts a step's bytes before it records the step's success, and a user a file before the
#: sweep. Bytes that nothing names stay for so many seconds, which is far longer than either takes.
GRACE: Final = 3600.0


@dataclass(slots=True)
class Bytes:
    """So many artifacts, and how many bytes they are together."""

    artifacts: int = 0
    bytes: int = 0

    def add(self, sizes: Sequence[int]) -> None:
        self.artifacts += len(sizes)
        self.bytes += sum(sizes)


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed, or with `dry_run` would be; and what waits, and why."""

    dry_run: bool
    sweeps: int
    steps: int
    stopping: int  # cancelled sweeps of which a step runs on
    others: int  # other stores in the artifacts' place, because of which all artifacts stay
    freed: Bytes = field(default_factory=Bytes)
    young: Bytes = field(default_factory=Bytes)  # needed by nobody, but put less than GRACE ago


async def collect(store: Removals, artifacts: Artifacts, *, dry_run: bool) -> Removed:
    """Remove what no sweep needs; or say what that would be."""
    gone = await store.remove_unneeded(dry_run=dry_run)
    others = await artifacts.others()
    removed = Removed(dry_run, len(gone.sweeps), gone.steps, gone.stopping, others)
    if not others:
        # Once removed, a sweep may have been submitted again: then its artifacts are needed.
        await _collect_artifacts(store, artifacts, removed, gone.sweeps if dry_run else ())
    return removed


async def _collect_artifacts(
    store: Removals, artifacts: Artifacts, removed: Removed, without: Sequence[str]
) -> None:
    """List some, then ask who needs them, then remove: needs that arise meanwhile are of young
    bytes.
    """
    async for batch in artifacts.stored(GRACE):
        unneeded = await store.unneeded_artifacts(
            [found.sha256 for found in batch], without=without
        )
        old = {
            found.sha256: found.size
            for found in batch
            if found.sha256 in unneeded and not found.young
        }
        went = old if removed.dry_run else await artifacts.remove(list(old), GRACE)
        removed.freed.add([old[sha256] for sha256 in went])
        removed.young.add(
            [found.size for found in batch if found.sha256 in unneeded and found.young]
        )


def in_words(removed: Removed) -> str:
    """A line that says what went, and one for what waits, if anything does."""
    waits = "; ".join(_waiting(removed))
    if what := ", ".join(_going(removed)):
        verb = "would remove" if removed.dry_run else "removed"
        return "\n".join(filter(None, (f"{verb} {what}", waits)))
    return f"nothing to remove: {waits or 'first cancel a sweep (pyheta cancel SWEEP)'}"


def _going(removed: Removed) -> list[str]:
    parts = [count(removed.sweeps, "sweep")] if removed.sweeps else []
    if removed.steps:
        parts.append(count(removed.steps, "step"))
    if removed.freed.artifacts:
        parts.append(_amount(removed.freed))
    return parts


def _waiting(removed: Removed) -> list[str]:
    waits = []
    if removed.stopping:
        waits.append(f"{count(removed.stopping, 'cancelled sweep')} still being stopped")
    if removed.young.artifacts:
        waits.append(f"{_amount(removed.young)} of the last hour left to a later gc")
    if removed.others:
        others = count(removed.others, "other store")
        waits.append(
            f"artifacts stay, for {others} put theirs into the same place (listed there in stores/)"
        )
    return waits


def _amount(some: Bytes) -> str:
    return f"{count(some.artifacts, 'artifact')} ({volume(some.bytes)})"
