"""What everything else is built from: steps, their kinds, states, keys, claims and outcomes.

A step is one content-addressed computation. Its key is a hash of everything that determines its
outcome, so a key that has succeeded once never has to be computed again, whoever asks for it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, NewType
from uuid import UUID

StepId = NewType("StepId", int)
Key = NewType("Key", str)  # 64 hexadecimal digits
Fence = NewType("Fence", int)
WorkerId = NewType("WorkerId", UUID)


class Kind(StrEnum):
    """Which workers may take a step."""

    DATA = "data"
    TRAIN = "train"


class State(StrEnum):
    """A step's state. It moves only by the guarded statements of `store/sql/steps.sql`."""

    WAITING = "waiting"  # some of its needs have not succeeded yet
    QUEUED = "queued"  # may be claimed
    RUNNING = "running"  # claimed: a worker holds it under a fence
    SUCCEEDED = "succeeded"  # final
    FAILED = "failed"
    CANCELLED = "cancelled"


#: States in which a step may still be computed without anybody asking for it again.
OPEN = (State.WAITING, State.QUEUED, State.RUNNING)


class Ending(StrEnum):
    """How an attempt ended without success; each has a budget of its own."""

    ERROR = "error"  # the step raised
    CRASH = "crash"  # the child process died
    LOST = "lost"  # the worker's lease ran out
    RELEASE = "release"  # given back on purpose (drain, pause): costs nothing


def canonical(value: object) -> str:
    """The JSON text of a value: sorted keys, no spaces, no NaN. Equal values have equal texts."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest(value: object) -> Key:
    """SHA-256 of a value's canonical text, in hexadecimal."""
    return Key(hashlib.sha256(canonical(value).encode()).hexdigest())


@dataclass(frozen=True, slots=True)
class Step:
    """One computation: the operation, its parameters, and what it needs.

    `needs` maps a role ("load", "fit/target") to the key of the step that fills it; `files` maps a
    role ("raw") to the SHA-256 of an artifact that a user put into the store. `sees` says which
    content of its needs can change the outcome, as digests by name: a fit sees some rows of some
    columns and not the file that they came from. Without it a step sees all that its needs made.
    `key` follows from what the step sees, its files, its parameters and the operation's code
    version, so steps with one key may need different steps: each made the same content. Steps of
    one operation with the same `bundle` may be computed together by one child. Fits with the same
    `course` train the same net in the same way and differ in how long, so one may resume another;
    decompositions with the same one begin with the same values, so one may take over rows of
    another. Neither can change a step's outcome, so neither is part of the key.
    """

    op: str
    version: int
    kind: Kind
    params: Mapping[str, Any]
    needs: Mapping[str, Key] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    bundle: str | None = None
    course: str | None = None
    sees: Mapping[str, str] | None = None
    key: Key = field(init=False)

    def __post_init__(self) -> None:
        content = {
            "op": self.op,
            "version": self.version,
            "params": self.params,
            "sees": self.needs if self.sees is None else self.sees,
            "files": self.files,
        }
        object.__setattr__(self, "key", digest(content))


#: The role of the products of an earlier step of the same course. A step can do without them.
EARLIER = "earlier"


@dataclass(frozen=True, slots=True)
class Input:
    """One artifact that a claimed step reads."""

    role: str  # "raw", "load", "fit/target"
    # The product's name within the step that made it ("table", "weights"); the role for files
    name: str
    sha256: str  # of its bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """A step that a worker holds. Every write about it carries `fence`; only the newest may write.

    `bundle` is None also for a step that was tried before: it is tried again alone, so that it
    cannot crash the same neighbours twice.
    """

    step: StepId
    fence: Fence
    key: Key
    op: str
    version: int
    kind: Kind
    params: Mapping[str, Any]
    inputs: tuple[Input, ...]
    bundle: str | None = None


@dataclass(frozen=True, slots=True)
class Bell:
    """What a message says: this step of this kind is ready."""

    step: StepId
    kind: Kind


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of a result. `horizon` is the step ahead, 1 …; 0 means all steps together."""

    split: str  # "train", "val" or "test"
    name: str  # "rmse" in the data's own units, "rmse_scaled" in the net's
    horizon: int
    value: float


@dataclass(frozen=True, slots=True)
class Product:
    """One artifact that a step made: the store has its bytes under their hash."""

    name: str
    sha256: str
    size: int


#: Of what the peak memory is: of the step, or of its process since that began.
PeakOf = Literal["step", "process"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a step cost the process that computed it, without bringing its inputs and keeping files.

    Where `shared` lanes were computed together, each has an equal share of the seconds that passed
    while it was among them: the shares of all add up to the whole.
    """

    wall_seconds: float
    cpu_seconds: float  # of all threads; a GPU's work is not among them
    shared: int  # 1: computed by itself
    peak_memory: int  # bytes: the highest resident memory of the whole process, without a GPU's
    peak_of: PeakOf  # "process" where the system does not measure the step's own peak
    threads: int  # on which the process may compute
    cold: bool  # the process imported modules meanwhile, as its first steps do: it took longer


@dataclass(frozen=True, slots=True)
class Success:
    """What a successful attempt hands over: recorded in the transaction that ends the step."""

    products: tuple[Product, ...]
    metrics: tuple[Metric, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)  # small facts: epochs, rows
    cost: Cost | None = None  # None: not measured
    log: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt ended without success."""

    ending: Ending
    reason: str  # one line
    detail: str = ""  # for people: a traceback or an exit status
    retry: bool = True
    log: str = ""
    after: float = 0.0  # seconds for which a released step is left to others
