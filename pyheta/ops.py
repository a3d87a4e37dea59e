"""The operations: which function computes a step, on which kind of worker, in which code version.

An operation is a plain function `(Task) -> Result`: it reads files, computes, writes files. It knows no
store, no broker and no queue, so it can be run and tested alone. It runs in a child process.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from pyheta.steps import Kind, Metric

# What a running operation reports: small JSON values such as epoch, epochs, val_loss.
Progress = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Task:
    """What an operation gets: parameters, input files by role and name, and a folder to write into."""

    params: Mapping[str, Any]
    inputs: Mapping[str, Mapping[str, Path]]  # inputs["load"]["table"], inputs["raw"]["raw"]
    out: Path
    progress: Progress = lambda _: None


@dataclass(frozen=True, slots=True)
class Result:
    """What an operation gives back: files it wrote under `Task.out`, metrics, and a few small facts."""

    products: Mapping[str, Path]
    metrics: tuple[Metric, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)


class FitOn(StrEnum):
    """What a step may learn from: which rows can change what it says about a row t.

    The probe of `probe.py` checks these words.
    """

    NONE = "none"  # row t alone
    TRAIN = "train"  # training rows; validation rows tell when to stop, and what a column is worth to a net
    CAUSAL = "causal"  # rows up to t, and training rows
    WHOLE = "whole"  # every row, later ones too: only where a sweep allows leakage


@dataclass(frozen=True, slots=True)
class Op:
    """`version` is part of every key: raise it when the same parameters would give another outcome."""

    kind: Kind
    version: int
    function: str  # "module:function", imported only in the child that runs it
    fit_on: FitOn

    def load(self) -> Callable[[Task], Result]:
        module, _, name = self.function.partition(":")
        return cast("Callable[[Task], Result]", getattr(import_module(module), name))


OPS: Mapping[str, Op] = {
    "load": Op(Kind.DATA, 1, "pyheta.pipeline.load:load", FitOn.NONE),
    "decompose": Op(Kind.DATA, 1, "pyheta.pipeline.decompose:decompose", FitOn.CAUSAL),
    "relevance": Op(Kind.DATA, 1, "pyheta.pipeline.relevance:relevance", FitOn.TRAIN),
    "shape": Op(Kind.DATA, 1, "pyheta.pipeline.shape:shape", FitOn.CAUSAL),
    "fit": Op(Kind.TRAIN, 2, "pyheta.nets.fit:fit", FitOn.TRAIN),
    "score": Op(Kind.TRAIN, 2, "pyheta.nets.score:score", FitOn.CAUSAL),
    "importance": Op(Kind.TRAIN, 1, "pyheta.nets.importance:importance", FitOn.TRAIN),
}


def fit_on(op: str, params: Mapping[str, Any]) -> FitOn:
    """What this very step learns from: some can be told to look at the whole series."""
    looks_ahead = params.get("mode") in ("full", "parts") or params.get("relevance") == "centred"
    return FitOn.WHOLE if looks_ahead else OPS[op].fit_on
