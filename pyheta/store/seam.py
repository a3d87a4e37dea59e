"""What services and workers ask of the store, split by who asks.

Invariants that every store keeps, whatever happens to the processes that use it:

- At most one worker holds a step. Every write about a held step carries its fence; a write with an
  old fence changes nothing and says so.
- A result and the move to *succeeded* are one transaction; *succeeded* is final.
- A step is *queued* exactly when all its needs have succeeded and nobody holds it. When a need
  fails for good, the steps that wait for it fail too, naming it.
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
    Cost,
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
    """One run of a submission: its configuration and the key of the score that answers it.

    A run of a rolling origin is a fold; `pooled` is the key of the score of all folds together.
    """

    role: str  # "net" or "baseline"
    config: Mapping[str, Any]
    seed: int
    score: Key
    fold: int | None = None
    pooled: Key | None = None


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
    """What a submission did. `steps` counts this sweep's steps by state, after it.

    `outdated`: fits of earlier sweeps of its name that are of no use to it, since an older version
    of the code computed them.
    """

    sweep: str
    new: bool  # False: this very sweep was there already
    added: int  # steps that no sweep had before
    revived: int  # cancelled steps that are queued again
    steps: Mapping[State, int]
    outdated: int = 0


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
        """Record a sweep in one transaction. Submitting it again adds nothing and revives it.

        The files that its steps read must be among the artifacts before.
        """
        ...

    async def cancel(self, sweep: str) -> Mapping[State, int]:
        """Cancel a sweep and those of its steps that no other live sweep needs.

        Counts the steps that changed, by the state that they had before.
        """
        ...

    async def retry(self, sweep: str, *, runs: Sequence[int] | None = None) -> int:
        """Restart the failed and cancelled steps of a sweep or of some of its runs.

        They have their full budgets again. Returns their number.
        """
        ...


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """A worker as it introduces itself. `device`: where it trains nets."""

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
        """Enter a living worker. Every later call with its id depends on its lease."""
        ...

    async def heartbeat(
        self,
        worker: WorkerId,
        *,
        lease_seconds: float,
        progress: Mapping[tuple[StepId, Fence], Mapping[str, Any]],
    ) -> Sequence[Holding]:
        """Extend the lease, note progress, list what this worker holds.

        Raises LeaseLost if the worker is dead.
        """
        ...

    async def retire(self, worker: WorkerId) -> None:
        """Enter that a worker has stopped. It must hold nothing."""
        ...

    async def claim(self, worker: WorkerId, step: StepId) -> Claim | None:
        """Claim this step if it is ready and the worker alive, else None. Committed on return."""
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

        Not more than a fair share: the ready steps are shared out among the processes of all
        living workers that take the kind and have the same device. With `sweep`: only steps that
        this sweep needs.
        """
        ...

    async def succeed(self, step: StepId, fence: Fence, success: Success) -> bool:
        """Record a result and queue the steps that waited for it alone.

        False: the fence is old and nothing changed. True also if this attempt has recorded its
        success before: saying it again is harmless.
        """
        ...

    async def fail(self, step: StepId, fence: Fence, failure: Failure) -> State | None:
        """End an attempt without success; the budgets decide the step's new state.

        None: the fence is old. Saying it again about the same attempt changes nothing and gives
        the step's present state.
        """
        ...

    async def reap(self, me: WorkerId | None = None) -> int:
        """Mark workers dead whose lease ran out, except `me`, and give their steps back.

        Returns the number of those steps.
        """
        ...

    async def open_steps(self, kinds: Sequence[Kind], *, sweep: str | None = None) -> int:
        """Steps of these kinds that are waiting, queued or running; 0: none will come any more."""
        ...

    def wakes(self) -> AbstractAsyncContextManager[AsyncIterator[Kind]]:
        """Kinds of steps as they become ready: a hint, which may miss some and repeat others."""
        ...


class Outbox(Protocol):
    """The step table as the outbox of announcements."""

    def unrung(
        self, kind: Kind, *, limit: int, stale_after: float
    ) -> AbstractAsyncContextManager[Sequence[Bell]]:
        """Ready steps not yet announced, or announced more than `stale_after` seconds ago.

        On leaving the context without an error they are marked as announced. Only one process at a
        time gets any of a kind; the others get none.
        """
        ...


@dataclass(frozen=True, slots=True)
class Removal:
    """What was removed, or with `dry_run` would be."""

    sweeps: Sequence[str]
    steps: int
    stopping: int  # cancelled sweeps that stay, since a step of theirs still runs


class Removals(Protocol):
    """Removing what no sweep needs.

    Afterwards a sweep needs every step, and all that a step needs is there.
    """

    async def remove_unneeded(self, *, dry_run: bool = False) -> Removal:
        """Remove cancelled sweeps for which nothing runs, then steps without a sweep.

        All in one transaction. `dry_run`: remove nothing, say what would be removed.
        """
        ...

    async def unneeded_artifacts(
        self, artifacts: Sequence[str], *, without: Sequence[str] = ()
    ) -> Collection[str]:
        """Those of `artifacts` without a name that no step needs, ignoring sweeps in `without`."""
        ...


@dataclass(frozen=True, slots=True)
class StoredArtifact:
    """An artifact in the place where artifacts are kept."""

    sha256: str
    size: int  # in bytes
    young: bool  # put lately: a step that names it may be about to be recorded


class Artifacts(Protocol):
    """Bytes under the SHA-256 of themselves."""

    async def put(self, path: Path) -> Product:
        """Store a file's bytes once; their hash and size. `Product.name` is the file's stem.

        Bytes that are there already count as put now.
        """
        ...

    async def fetch(self, sha256: str, to: Path) -> None:
        """Write the artifact to `to`, atomically, its hash checked. StoreError if it is missing."""
        ...

    async def check(self) -> str:
        """One line that says where artifacts lie, after a trial write, read and removal."""
        ...

    async def others(self) -> int:
        """How many other stores keep artifacts in the same place. Their needs are unknown here."""
        ...

    def stored(self, grace: float) -> AsyncIterator[Sequence[StoredArtifact]]:
        """All artifacts, some at a time; those put within the last `grace` seconds are young."""
        ...

    async def remove(self, artifacts: Sequence[str], grace: float) -> Collection[str]:
        """Remove those of these unneeded artifacts that are not young by now, and say which."""
        ...


@dataclass(frozen=True, slots=True)
class StoredDataset:
    """A file among the artifacts that has a name. `file` is what it was called, `size` in bytes."""

    name: str
    sha256: str
    file: str
    size: int
    added_at: datetime


class Datasets(Protocol):
    """Names of files. A name is an address: it stands for one file until it is taken away."""

    async def add_dataset(self, name: str, sha256: str, file: str, size: int) -> StoredDataset:
        """Give an artifact a name; the file that has the name now, which is another if taken.

        The artifact must have been put before. While it has a name it is not removed.
        """
        ...

    async def find_dataset(self, name: str) -> StoredDataset | None:
        """The file of a name."""
        ...

    async def datasets(self) -> Sequence[StoredDataset]:
        """Every file that has a name."""
        ...

    async def remove_dataset(self, name: str) -> bool:
        """Take a name away; whether a file had it."""
        ...


# ---- what status, report, show and logs read -----------------------------------------------------


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
    """A step that a worker holds."""

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
    """Failed steps of one operation with the same reason. `example`: the key of one of them."""

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

    `metrics` maps (split, name, horizon) to a value. `fold` is None where there is no rolling
    origin, and where the folds are pooled: then the score is that of all of them.
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
    fold: int | None = None


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step as `pyheta show` shows it."""

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
    cost: Cost | None  # None: without success, or recorded before costs were measured


class Reads(Protocol):
    """What commands only look at. Reads never write."""

    async def sweeps(self, *, limit: int = 20) -> Sequence[SweepRow]:
        """The sweeps, the newest submission first."""
        ...

    async def find_sweep(self, text: str | None) -> SweepRow:
        """The newest sweep with this name, id or beginning of an id; None: the newest of all.

        Raises InputError if there is none, or if the beginning fits several.
        """
        ...

    async def step_counts(self, sweep: str) -> Sequence[StepCount]: ...

    async def run_counts(self, sweep: str) -> Mapping[State, int]: ...

    async def finished_since(self, sweep: str, seconds: float) -> int:
        """How many of a sweep's steps succeeded in the last seconds, by the store's clock."""
        ...

    async def running(self, sweep: str) -> Sequence[RunningStep]:
        """A sweep's steps that workers hold, the longest running first."""
        ...

    async def failures(self, sweep: str) -> Sequence[FailureGroup]:
        """Groups of failed steps, without those that failed only because a need did."""
        ...

    async def workers(self) -> Sequence[WorkerRow]:
        """The living workers, the one started last first."""
        ...

    async def runs(self, sweep: str, *, pooled: bool = False) -> Sequence[RunRow]:
        """All runs of a sweep in order, each with its metrics over all steps ahead (horizon 0).

        `pooled`: of a rolling origin one row for each configuration and seed, with the number of
        its first run and the score of all folds together.
        """
        ...

    async def find_run(self, text: str) -> RunRow:
        """The run `SWEEP/ORDINAL`, or the newest run with a step whose key begins with `text`.

        A beginning has at least 4 digits. Raises InputError if there is no such run.
        """
        ...

    async def steps_of(self, score: Key) -> Sequence[StepRow]:
        """A score and everything that it needs, needs first."""
        ...

    async def steps(self, sweep: str, op: str) -> Sequence[StepRow]:
        """A sweep's steps of one operation in id order, without their products and metrics."""
        ...

    async def products(self, steps: Sequence[Key], name: str) -> Mapping[Key, str]:
        """The SHA-256 of the product of this name, of those of the steps that have one."""
        ...

    async def attempts(self, steps: Sequence[StepId]) -> Sequence[AttemptRow]: ...
