"""The operations: which function computes a step, on which kind of worker, in which code version.

An operation is a plain function `(Task) -> Result`: it reads files, computes, writes files. It
knows no store, no broker and no queue, so it can be run and tested alone. It runs in a child
process. One that is quicker for several tasks at once takes them together and yields each lane's
outcome as soon as it is known.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from pyheta.errors import StepError
from pyheta.ops.params import (
    DecomposeParams,
    FitOn,
    FitParams,
    ForecastParams,
    ImportanceParams,
    LoadParams,
    Params,
    RelevanceParams,
    ScoreParams,
    ShapeParams,
)
from pyheta.steps import Kind
from pyheta.task import Outcomes, Result, Task, one_by_one


@dataclass(frozen=True, slots=True)
class Op:
    """`version` is part of every key: raise it when the results of the same parameters change.

    Differences in the last floating-point bit do not count: they vary between CPUs anyway.
    """

    kind: Kind
    version: int
    function: str  # "module:function", imported only in the child that runs it
    params: type[Params]
    lanes: bool = False  # the function takes several tasks: (Sequence[Task]) -> Outcomes
    explains: bool = False  # a sweep may ask for it although no run needs it

    def load(self) -> Callable[[Sequence[Task]], Outcomes]:
        module, _, name = self.function.partition(":")
        function = getattr(import_module(module), name)
        return function if self.lanes else partial(one_by_one, function)


OPS: Mapping[str, Op] = {
    "load": Op(Kind.DATA, 1, "pyheta.ops.load:load", LoadParams),
    "decompose": Op(Kind.DATA, 2, "pyheta.ops.decompose:decompose", DecomposeParams),
    "relevance": Op(Kind.DATA, 1, "pyheta.ops.relevance:relevance", RelevanceParams, explains=True),
    "shape": Op(Kind.DATA, 1, "pyheta.ops.shape:shape", ShapeParams),
    "fit": Op(Kind.TRAIN, 4, "pyheta.ops.fit_lanes:fit_lanes", FitParams, lanes=True),
    "forecast": Op(Kind.TRAIN, 1, "pyheta.ops.forecast:forecast", ForecastParams),
    "score": Op(Kind.TRAIN, 7, "pyheta.ops.score:score", ScoreParams),
    "importance": Op(
        Kind.TRAIN, 2, "pyheta.ops.importance:importance", ImportanceParams, explains=True
    ),
}


def compute(op: str, task: Task) -> Result:
    """The result of a single task. Raises what the operation raises."""
    ((_, outcome),) = compute_lanes(op, [task])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def compute_lanes(op: str, tasks: Sequence[Task]) -> Outcomes:
    """Each task's outcome as soon as it is known, exactly one, whatever the operation does.

    What it raises apart from any lane is the outcome of all lanes that have none yet.
    """
    waiting = dict.fromkeys(range(len(tasks)))
    error: Exception = StepError(f"{op} ended without a result")
    try:
        for lane, outcome in OPS[op].load()(tasks):
            del waiting[lane]
            yield lane, outcome
    except Exception as raised:  # noqa: BLE001 -- must not take the process along
        error = raised
    yield from ((lane, error) for lane in waiting)


def fit_on(op: str, params: Mapping[str, Any]) -> FitOn:
    """What a step may learn from: some can be told to look at the whole series."""
    return OPS[op].params.fit_on(params)
