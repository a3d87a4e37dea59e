"""What a supervisor and its child send each other: one JSON document a line, no code, no pickle."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pyheta.steps import Cost, Ending, Metric
from pyheta.task import Progress, Task

#: The longest line: a result with the metrics of thousands of horizon steps still fits.
LINE_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LaneOrder:
    """One step of an order."""

    params: Mapping[str, Any]
    inputs: Mapping[str, Mapping[str, str]]  # role -> name -> path
    out: str

    def task(self, progress: Progress) -> Task:
        inputs = {
            role: {name: Path(path) for name, path in of.items()}
            for role, of in self.inputs.items()
        }
        return Task(self.params, inputs, Path(self.out), progress)


@dataclass(frozen=True, slots=True)
class Order:
    """Supervisor to child: compute these together. Replies name lanes by their place."""

    op: str
    lanes: tuple[LaneOrder, ...]

    def encode(self) -> bytes:
        return _line(asdict(self))

    @classmethod
    def decode(cls, line: bytes) -> "Order":
        fields = json.loads(line)
        return cls(fields["op"], tuple(LaneOrder(**lane) for lane in fields["lanes"]))


@dataclass(frozen=True, slots=True)
class LaneProgress:
    """Child to supervisor: how far a lane is."""

    lane: int
    progress: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """Child to supervisor: a lane is computed, its products are these files."""

    lane: int
    products: Mapping[str, str]
    metrics: tuple[Metric, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    cost: Cost | None = None

    def paths(self) -> dict[str, Path]:
        return {name: Path(path) for name, path in self.products.items()}


@dataclass(frozen=True, slots=True)
class Raised:
    """Child to supervisor: the operation raised for this lane.

    `retry` is False if trying again cannot help. `ending` is "error", or "release" if the machine
    has run out of something.
    """

    lane: int
    reason: str
    detail: str
    retry: bool
    ending: str = Ending.ERROR


@dataclass(frozen=True, slots=True)
class DeviceLost:
    """Child to supervisor: the device has failed, so this process ends without further replies.

    `reason` is what the device said.
    """

    reason: str


Reply = Done | Raised  # the last message about a lane
LaneMessage = LaneProgress | Reply
Message = LaneMessage | DeviceLost


def encode(message: Message) -> bytes:
    return _line({type(message).__name__: asdict(message)})


def decode(line: bytes) -> Message:
    ((name, fields),) = json.loads(line).items()
    match name:
        case "LaneProgress":
            return LaneProgress(**fields)
        case "Done":
            metrics = tuple(Metric(**metric) for metric in fields.pop("metrics"))
            cost = fields.pop("cost")
            return Done(metrics=metrics, cost=Cost(**cost) if cost else None, **fields)
        case "Raised":
            return Raised(**fields)
        case "DeviceLost":
            return DeviceLost(**fields)
    raise ValueError(f"unknown message {name!r}")


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode() + b"\n"
