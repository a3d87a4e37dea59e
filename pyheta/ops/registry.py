"""The operations: which function computes a step, on which kind of worker, in which code version.

An operation is a plain function `(Task) -> Result`: it reads files, computes, writes files. It
knows no store, no broker and no queue, so it can be run and tested alone. It runs in a child
process. One that is quicker for several tasks at once takes them together and yields each lane's
outcome as soon as it is known.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from importlib import import_module
from typing import Any

from pyheta.errors import StepError
from pyheta.pipeline.leakage import looks_ahead
from pyheta.steps import Kind
from pyheta.task import Outcomes, Result, Task, one_by_one


class FitOn(StrEnum):
    """What a step may learn from: which rows can change what it says about a row t.

    The probe of `plan/probe.py` checks these words.
    """

    NONE = "none"  # row t alone
    # Training rows; validation rows tell when to stop, and what a column is worth to a net
    TRAIN = "train"
    CAUSAL = "causal"  # rows up to t, and training rows
    WHOLE = "whole"  # every row, later ones too: only where a sweep allows leakage


@dataclass(frozen=True, slots=True)
class Op:
    """`version` is part of every key: raise it when the same parameters would give another outcome.

    Another last bit is none, since processors differ in it as well.
    """

    kind: Kind
    version: int
    function: str  # "module:function", imported only in the child that runs it
    fit_on: FitOn
    lanes: bool = False  # the function takes several tasks: (Sequence[Task]) -> Outcomes

    def load(self) -> Callable[[Sequence[Task]], Outcomes]:
        module, _, name = self.function.partition(":")
        function = getattr(import_module(module), name)
        return function if self.lanes else partial(one_by_one, function)


OPS: Mapping[str, Op] = {
    "load": Op(Kind.DATA, 1, "pyheta.ops.load:load", FitOn.NONE),
    "decompose": Op(Kind.DATA, 1, "pyheta.ops.decompose:decompose", FitOn.CAUSAL),
    "relevance": Op(Kind.DATA, 1, "pyheta.ops.relevance:relevance", FitOn.TRAIN),
    "shape": Op(Kind.DATA, 1, "pyheta.ops.shape:shape", FitOn.CAUSAL),
    "fit": Op(Kind.TRAIN, 3, "pyheta.ops.fit_lanes:fit_lanes", FitOn.TRAIN, lanes=True),
    "score": Op(Kind.TRAIN, 4, "pyheta.ops.score:score", FitOn.CAUSAL),
    "importance": Op(Kind.TRAIN, 2, "pyheta.ops.importance:importance", FitOn.TRAIN),
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
    """What this very step learns from: some can be told to look at the whole series."""
    return FitOn.WHOLE if looks_ahead(params) else OPS[op].fit_on
