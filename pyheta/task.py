"""What an operation is given, and what it gives back: files in, files and small facts out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from pyheta.meter import Meter, measured
from pyheta.steps import Cost, Metric

# What a running operation reports: small JSON values such as epoch, epochs, val_loss.
Progress = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Task:
    """What an operation gets: parameters, input files by role and name, a folder to write into."""

    params: Mapping[str, Any]
    inputs: Mapping[str, Mapping[str, Path]]  # inputs["load"]["table"], inputs["raw"]["raw"]
    out: Path
    progress: Progress = lambda _: None


@dataclass(frozen=True, slots=True)
class Result:
    """What an operation gives back: files that it wrote under `Task.out`, metrics, small facts.

    `cost` is measured by whoever knows which tasks are computed together.
    """

    products: Mapping[str, Path]
    metrics: tuple[Metric, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    cost: Cost | None = None


# Each task's index among those that are computed together, and its outcome.
Outcomes = Iterator[tuple[int, Result | Exception]]


def one_by_one(function: Callable[[Task], Result], tasks: Sequence[Task]) -> Outcomes:
    """Compute one task after the other; one that raises leaves the others alone.

    Each has its own cost.
    """
    for lane, task in enumerate(tasks):
        yield lane, outcome_of(partial(function, task), Meter())


def outcome_of(compute: Callable[[], Result], meter: Meter) -> Result | Exception:
    """The result with what `meter` says when it is there, or whatever `compute` raises."""
    try:
        with measured(meter):
            result = compute()
    except Exception as error:  # noqa: BLE001 -- whatever it raises is the task's outcome
        return error
    return replace(result, cost=meter.cost())
