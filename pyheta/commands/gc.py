"""Remove what no sweep needs: cancelled sweeps, their own steps, and the artifacts of those."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pyheta.screen import count, volume
from pyheta.store.seam import Artifacts, Removals

#: Artifacts that no step names stay for so many seconds. A worker puts them before it records the
#: step's success, and a user puts a file before the sweep: both take far less time.
GRACE: Final = 3600.0


@dataclass(slots=True)
class Total:
    """The number of some artifacts and of their bytes."""

    artifacts: int = 0
    bytes: int = 0

    def add(self, sizes: Sequence[int]) -> None:
        self.artifacts += len(sizes)
        self.bytes += sum(sizes)


@dataclass(frozen=True, slots=True)
class GcResult:
    """What was removed, or with `dry_run` would be, and what is kept for now."""

    dry_run: bool
    sweeps: int
    steps: int
    stopping: int  # cancelled sweeps that stay, since a step of theirs still runs
    others: int  # other stores that keep artifacts in the same place: then all artifacts stay
    freed: Total = field(default_factory=Total)
    young: Total = field(default_factory=Total)  # not needed, but put less than GRACE ago


async def collect(store: Removals, artifacts: Artifacts, *, dry_run: bool) -> GcResult:
    """Remove what no sweep needs; or say what that would be."""
    removal = await store.remove_unneeded(dry_run=dry_run)
    others = await artifacts.others()
    result = GcResult(dry_run, len(removal.sweeps), removal.steps, removal.stopping, others)
    if not others:
        # Once removed, a sweep may have been submitted again: then its artifacts are needed.
        await _collect_artifacts(store, artifacts, result, removal.sweeps if dry_run else ())
    return result


async def _collect_artifacts(
    store: Removals, artifacts: Artifacts, result: GcResult, without: Sequence[str]
) -> None:
    """List a batch, ask which are needed, remove the rest.

    An artifact that becomes needed in between was put again first, so it is young and stays.
    """
    async for batch in artifacts.stored(GRACE):
        names = [artifact.sha256 for artifact in batch]
        unneeded = await store.unneeded_artifacts(names, without=without)
        candidates = [artifact for artifact in batch if artifact.sha256 in unneeded]
        old = {each.sha256: each.size for each in candidates if not each.young}
        removed = old if result.dry_run else await artifacts.remove(list(old), GRACE)
        result.freed.add([old[sha256] for sha256 in removed])
        result.young.add([each.size for each in candidates if each.young])


def in_words(result: GcResult) -> str:
    """A line that says what was removed, and one for what stays for now, if anything does."""
    waits = "; ".join(_waiting(result))
    if what := ", ".join(_going(result)):
        verb = "would remove" if result.dry_run else "removed"
        return "\n".join(filter(None, (f"{verb} {what}", waits)))
    return f"nothing to remove: {waits or 'first cancel a sweep (pyheta cancel SWEEP)'}"


def _going(result: GcResult) -> list[str]:
    parts = [count(result.sweeps, "sweep")] if result.sweeps else []
    if result.steps:
        parts.append(count(result.steps, "step"))
    if result.freed.artifacts:
        parts.append(_amount(result.freed))
    return parts


def _waiting(result: GcResult) -> list[str]:
    waits = []
    if result.stopping:
        waits.append(f"{count(result.stopping, 'cancelled sweep')} still being stopped")
    if result.young.artifacts:
        waits.append(f"{_amount(result.young)} of the last hour left to a later gc")
    if result.others:
        others = count(result.others, "other store")
        waits.append(
            f"artifacts stay, for {others} put theirs into the same place (listed there in stores/)"
        )
    return waits


def _amount(total: Total) -> str:
    return f"{count(total.artifacts, 'artifact')} ({volume(total.bytes)})"
