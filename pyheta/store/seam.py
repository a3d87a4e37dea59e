"""What services and workers ask of the store, split by who asks.

Invariants that every store keeps, whatever happens to the processes that use it:

- At most one worker holds a step; every write about a held step carries its fence, and a write with
an old
  fence changes nothing and says so.
- A result and the move to *succeeded* are one transaction; *succeeded* is final. - A step is
*queued* exactly when all its needs have succeeded and nobody holds it; when a need fails for
  good, the steps that wait for it fail, naming it.
- One clock judges every lease: the store's.
- Reads never write.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pyheta.device import Device
from pyheta.steps import (
    Bell,
    Claim,
    Failure,
    Fence,
    Key,
    Kind,
    Metric,
    Product,
    State,
    Step,
    StepId,
    Success,
    WorkerId,
)

# By operation and the values of some of its parameters: see `SweepStore.mean_seconds`.
MeanSeconds = Mapping[tuple[str, tuple[str | None, ...]], float]


@dataclass(frozen=True, slots=True)
class NewRun:
    """One run of a submission: its resolved configuration and the key of the score that answers
    it.
    """

    role: str  # "net" or "baseline"
    config: Mapping[str, Any]
    seed: int
    score: Key


@dataclass(frozen=True, slots=True)
class Submission:
    """A sweep with everything that it needs. `steps` are in topological order: needs come first."""

    id: str  # 64 hexadecimal digits: hash of the name and of every run
    name: str
    source: str
    overrides: Sequence[str]
    axes: Sequence[str]
    report: Mapping[str, Any]
    leakage: str
    priority: int
    asked: Mapping[str, int]
    steps: Sequence[Step]
    runs: Sequence[NewRun]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a submission did. `steps` counts this sweep's steps by state, after it."""

    sweep: str
    new: bool  # False: this very sweep was there already
    added: int  # steps that nobody had asked for before
    revived: int  # cancelled steps that are queued again
    steps: Mapping[State, int]


class SweepStore(Protocol):
    """Writes of the people who ask: submit, cancel, retry."""

    async def known(self, keys: Sequence[Key]) -> Mapping[Key, State]:
        """The states of those of `keys` that the store has."""
        ...

    async def mean_seconds(self, names: Sequence[str]) -> MeanSeconds:
        """Mean seconds of the steps that succeeded, by operation and the parameters of these names.

        A name is dotted ("net.name"); a step that has no such parameter counts under None.
        """
        ...

    async def submit(self, submission: Submission) -> Receipt:
        """Record a sweep in one transaction, or meet the same sweep. Repeating it is harmless.

        Files that steps name must be among the artifacts before.
        """
        ...

    async def cancel(self, sweep: str) -> Mapping[State, int]:
        """Cancel a sweep: its steps that no other live sweep needs. Counts what changed, by earlier
        state.
        """
        ...

    async def retry(self, sweep: str, *, runs: Sequence[int] | None = None) -> int:
        """Give failed and cancelled steps of a sweep (or of some of its runs) fresh budgets. Counts
        them.
        """
        ...


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """How a worker introduces itself. `device`: where it trains nets."""

    id: WorkerId
    host: str
    pid: int
    version: str
    kinds: Sequence[Kind]
    procs: int
    device: Device


@dataclass(frozen=True, slots=True)
class Holding:
    """A step that the store believes this worker holds."""

    step: StepId
    fence: Fence
    cancel_requested: bool


class StepStore(Protocol):
    """Writes of the workers: claims, heartbeats, endings."""

    async def register(self, worker: WorkerInfo, *, lease_seconds: float) -> None:
        """Begin a worker's life. Every later call with its id depends on its lease."""
        ...

    async def heartbeat(
        self,
        worker: WorkerId,
        *,
        lease_seconds: float,
        progress: Mapping[tuple[StepId, Fence], Mapping[str, Any]],
    ) -> Sequence[Holding]:
        """Extend the lease, note progress, and say what this worker holds. Raises LeaseLost if it
        is dead.
        """
        ...

    async def retire(self, worker: WorkerId) -> None:
        """End a worker's life in order. It must hold nothing."""
        ...

    async def claim(self, worker: WorkerId, step: StepId) -> Claim | None:
        """Claim this step if it is ready and the worker alive; None if not. A committed fact on
        return.
        """
        ...

    async def claim_next(
        self, worker: WorkerId, kinds: Sequence[Kind], limit: int, *, sweep: str | None = None
    ) -> Sequence[Claim]:
        """Claim up to `limit` ready steps, the highest priority and the oldest first.

        With `sweep`: only steps that this sweep needs (`pyheta run` works for its own sweep alone).
        """
        ...

    async def claim_siblings(
        self, worker: WorkerId, claim: Claim, limit: int, *, sweep: str | None = None
    ) -> Sequence[Claim]:
        """Claim up to `limit` further ready steps of the claim's bundle that nobody has tried yet.

        Not more than a fair share: what is ready is meant for all processes of all living workers
        that take the kind and have the same device. With `sweep`: only steps that this sweep needs.
        """
        ...

    async def succeed(self, step: StepId, fence: Fence, success: Success) -> bool:
        """Record a result and wake the steps that waited for it. False: the fence is old, nothing
        changed.

        True also when this very attempt has recorded its success before: saying it again is
        harmless.
        """
        ...

    async def fail(self, step: StepId, fence: Fence, failure: Failure) -> State | None:
        """End an attempt without success; the budgets decide what follows. None: the fence is old.

        Saying it again about the same attempt gives the step's present state and changes nothing.
        """
        ...

    async def reap(self, me: WorkerId | None = None) -> int:
        """Bury workers whose lease ran out, never oneself, and give their steps back. Counts the
        steps.
        """
        ...

    async def open_steps(self, kinds: Sequence[Kind], *, sweep: str | None = None) -> int:
        """Steps of these kinds that are waiting, queued or running: zero means that nothing can
        come.
        """
        ...

    def wakes(self) -> AbstractAsyncContextManager[AsyncIterator[Kind]]:
        """Kinds of steps as they become ready, as a hint: it may miss some and may repeat
        itself.
        """
        ...


class Outbox(Protocol):
    """The step table as the outbox of announcements."""

    def unrung(
        self, kind: Kind, *, limit: int, stale_after: float | None
    ) -> AbstractAsyncContextManager[Sequence[Bell]]:
        """Ready steps not yet announced (with `stale_after`: also those announced so many seconds
        ago).

        On leaving the context without an error they are marked as announced. Only one process at a
        time gets any of a kind; the others get none.
        """
        ...


@dataclass(frozen=True, slots=True)
class Unneeded:
    """What nobody needs any more. `stopping`: cancelled sweeps that stay because a step of theirs
    runs.
    """

    sweeps: Sequence[str]
    steps: int
    stopping: int


class Removals(Protocol):
    """Removing what no sweep needs.

    Afterwards every step is needed by a sweep, and all that a step needs is there.
    """

    async def remove_unneeded(self, *, dry_run: bool = False) -> Unneeded:
        """Remove cancelled sweeps for which nothing runs, then all steps that no sweep has. One
        transaction.

        `dry_run`: say what that would be.
        """
        ...

    async def unneeded_artifacts(
        self, artifacts: Sequence[str], *, without: Sequence[str] = ()
    ) -> Collection[str]:
        """Those of `artifacts` that no step reads or made, were the sweeps `without` and their
        steps gone.
        """
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """An artifact in its place, its size in bytes. `young`: put lately, so a step may be about to
    name it.
    """

    sha256: str
    size: int
    young: bool


class Artifacts(Protocol):
    """Bytes under the SHA-256 of themselves."""

    async def put(self, path: Path) -> Product:
        """Store a file's bytes (once) and say what they are called; `Product.name` is the file's
        stem.

        Bytes that are there already count from now on as put now.
        """
        ...

    async def fetch(self, sha256: str, to: Path) -> None:
        """Write the artifact to `to`, atomically, its hash checked. StoreError if it is not
        there.
        """
        ...

    async def check(self) -> str:
        """One line that says where artifacts lie, after a write, a read and a removal have
        worked.
        """
        ...

    async def others(self) -> int:
        """How many other stores put artifacts into the same place: nobody here knows what they
        need.
        """
        ...

    def stored(self, grace: float) -> AsyncIterator[Sequence[Stored]]:
        """All artifacts, some at a time; those put within the last `grace` seconds are young."""
        ...

    async def remove(self, artifacts: Sequence[str], grace: float) -> Collection[str]:
        """Remove those of these unneeded artifacts that are not young by now, and say which."""
        ...


# ---- what is read by status, report, show, logs --------------------------------------------------


@dataclass(frozen=True, slots=True)
class SweepRow:
    """A sweep as listings show it."""

    id: str
    name: str
    runs: int
    created_at: datetime
    submitted_at: datetime
    cancelled_at: datetime | None
    overrides: Sequence[str] = ()
    axes: Sequence[str] = ()
    report: Mapping[str, Any] = field(default_factory=dict)
    leakage: str = "forbid"
    asked: Mapping[str, int] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The name, with what the command line changed: `quickstart seeds=1`."""
        return " ".join([self.name, *self.overrides])


@dataclass(frozen=True, slots=True)
class StepCount:
    """How many of a sweep's steps of one operation are in one state, and their mean seconds."""

    op: str
    kind: Kind
    state: State
    count: int
    mean_seconds: float | None


@dataclass(frozen=True, slots=True)
class RunningStep:
    """A step in the hands of a worker."""

    step: StepId
    key: Key
    op: str
    params: Mapping[str, Any]
    host: str
    pid: int
    since: datetime
    progress: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failed steps that give the same reason, one of them by key."""

    op: str
    reason: str
    count: int
    example: Key


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker as listings show it. `lease_seconds` is what is left of its lease."""

    id: WorkerId
    host: str
    pid: int
    kinds: Sequence[Kind]
    procs: int
    device: Device
    version: str
    state: str
    held: int
    started_at: datetime
    lease_seconds: float


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run with the state of its score and, when it succeeded, its metrics.

    `metrics` maps (split, name, horizon) to a value.
    """

    sweep: str
    ordinal: int
    role: str
    config: Mapping[str, Any]
    seed: int
    score: Key
    state: State
    reason: str | None
    metrics: Mapping[tuple[str, str, int], float]


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step with everything that `show` tells of it."""

    id: StepId
    key: Key
    op: str
    kind: Kind
    params: Mapping[str, Any]
    state: State
    reason: str | None
    blocked_by: Key | None
    summary: Mapping[str, Any] | None
    seconds: float | None
    created_at: datetime
    finished_at: datetime | None
    products: Sequence[Product]
    metrics: Sequence[Metric]


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt of a step, newest last."""

    step: StepId
    op: str
    fence: Fence
    host: str
    pid: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    reason: str | None
    detail: str | None
    log: str | None


class Reads(Protocol):
    """Everything that is only looked at. Reads never write."""

    async def sweeps(self, *, limit: int = 20) -> Sequence[SweepRow]:
        """The sweeps, the newest submission first."""
        ...

    async def find_sweep(self, text: str | None) -> SweepRow:
        """The sweep with this name (its newest), id or beginning of an id; None: the newest of all.

        InputError when there is none or the beginning fits several.
        """
        ...

    async def step_counts(self, sweep: str) -> Sequence[StepCount]: ...

    async def run_counts(self, sweep: str) -> Mapping[State, int]: ...

    async def finished_since(self, sweep: str, seconds: float) -> int:
        """How many of a sweep's steps succeeded in the last so many seconds, by the store's
        clock.
        """
        ...

    async def running(self, sweep: str | None, *, limit: int = 50) -> Sequence[RunningStep]: ...

    async def failures(self, sweep: str, *, limit: int = 20) -> Sequence[FailureGroup]:
        """Groups of failed steps, without those that failed only because a need did."""
        ...

    async def workers(self, *, also_gone: bool = False) -> Sequence[WorkerRow]: ...

    async def runs(self, sweep: str) -> Sequence[RunRow]:
        """All runs of a sweep in order, each with its metrics over all steps ahead (horizon 0)."""
        ...

    async def find_run(self, text: str) -> RunRow:
        """The run `SWEEP/ORDINAL`, or the newest that needs a step whose key begins with `text` (4
        digits).

        InputError when there is none.
        """
        ...

    async def steps_of(self, score: Key) -> Sequence[StepRow]:
        """A score and everything that it needs, needs first."""
        ...

    async def steps(self, sweep: str, op: str) -> Sequence[StepRow]:
        """A sweep's steps of one operation in id order, without their products and metrics."""
        ...

    async def attempts(self, steps: Sequence[StepId]) -> Sequence[AttemptRow]: ...
