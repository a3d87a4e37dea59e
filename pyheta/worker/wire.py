"""What a supervisor and its child say to each other: one JSON document a line, no code, no pickles."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pyheta.steps import Ending, Metric

#: The longest line: a result with the metrics of thousands of horizon steps still fits.
LINE_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Order:
    """Supervisor to child: compute this."""

    op: str
    params: Mapping[str, Any]
    inputs: Mapping[str, Mapping[str, str]]  # role -> name -> path
    out: str

    def encode(self) -> bytes:
        return _line(asdict(self))

    @classmethod
    def decode(cls, line: bytes) -> "Order":
        return cls(**json.loads(line))


@dataclass(frozen=True, slots=True)
class Sign:
    """Child to supervisor: still computing, this far."""

    progress: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """Child to supervisor: computed; the products lie in these files."""

    products: Mapping[str, str]
    seconds: float
    metrics: tuple[Metric, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)

    def paths(self) -> dict[str, Path]:
        return {name: Path(path) for name, path in self.products.items()}


@dataclass(frozen=True, slots=True)
class Raised:
    """Child to supervisor: the operation raised. `retry` is False where trying again cannot help.

    `ending` is "error", or "release" for trouble of the machine that is not the step's fault.
    """

    reason: str
    detail: str
    retry: bool
    ending: str = Ending.ERROR


Word = Sign | Done | Raised


def encode(word: Word) -> bytes:
    return _line({type(word).__name__: asdict(word)})


def decode(line: bytes) -> Word:
    ((name, fields),) = json.loads(line).items()
    match name:
        case "Sign":
            return Sign(**fields)
        case "Done":
            metrics = tuple(Metric(**metric) for metric in fields.pop("metrics"))
            return Done(metrics=metrics, **fields)
        case "Raised":
            return Raised(**fields)
    raise ValueError(f"unknown word {name!r}")


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode() + b"\n"
