"""Product `losses`: how wrong the forecast of each window was, kept of every run.

It is small enough to be kept whatever else is, and enough to ask of two runs of one question
whether their difference is more than chance. For parts `val` and `test`, the file holds

- `test/square`, `test/absolute`: float32 (windows,), the mean over the steps ahead, and over the
  targets, of squared and absolute errors in units of the target's scaler,
- `test/OT/square`, `test/OT/absolute`: each target's own, where there are several,
- `test/spans`: int64 (spans, 3), the rows of the first targets: first row, number of windows, and
  rows from one window to the next. Windows that are left out divide spans, so do folds.

Rows are those of the data set's table: the same row of two runs is the same forecast origin.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Array, Float32s, Floats, Rows
from pyheta.pipeline.splits import Part
from pyheta.steps import canonical

VERSION = 1

#: The only entry of the file's header: safetensors writes several in any order.
ENTRY = "pyheta"

#: So many errors are computed at once: 8 MB.
BLOCK = 1 << 20

#: What is larger, of a run that diverged, is kept as this: a difference of two stays a number.
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Judged:
    """A target's finite forecasts of one part, beside the truth."""

    truth: Array  # (windows, steps), in the target's own units; may be a view
    forecast: Array  # (windows, steps)
    unit: float  # of the training scaler: scaled error = error / unit

    def blocks(self) -> Iterator[tuple[slice, Floats]]:
        """Some windows at a time, and their errors (some, steps): forecast - truth."""
        windows, steps = self.forecast.shape
        some = max(1, BLOCK // steps)
        for start in range(0, windows, some):
            block = slice(start, start + some)
            yield block, np.subtract(self.forecast[block], self.truth[block], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Loss:
    """Of each window, the mean over steps of its squared and absolute scaled errors.

    `unit`: what 1 in scaled units is in the target's own; 1 for a mean over several targets.
    """

    square: Float32s  # (windows,)
    absolute: Float32s
    unit: float = 1.0


@dataclass(frozen=True, slots=True)
class PartLosses:
    """The losses of one part. `own` has each target's by name if there are several."""

    rows: Rows  # (windows,): of the first targets
    mean: Loss  # over the targets
    own: Mapping[str, Loss]


@dataclass(frozen=True, slots=True)
class Losses:
    """The losses of a run, or of the folds of one."""

    parts: Mapping[Part, PartLosses]

    def rows(self, part: Part) -> Rows:
        """(windows,): the row of each window's first target, in the data set's table."""
        return self._of(part).rows

    def square(self, part: Part, target: str | None = None) -> Float32s:
        """(windows,): squared scaled errors, of one of several targets or the mean over all."""
        return self._loss(part, target).square

    def absolute(self, part: Part, target: str | None = None) -> Float32s:
        """(windows,): absolute scaled errors, of one of several targets or the mean over all."""
        return self._loss(part, target).absolute

    def unit(self, part: Part, target: str | None = None) -> float:
        """What 1 in units of the losses is in the target's own; 1 for the mean over several."""
        return self._loss(part, target).unit

    def _loss(self, part: Part, target: str | None) -> Loss:
        losses = self._of(part)
        if target is None:
            return losses.mean
        if target not in losses.own:
            raise StepError(f"target '{target}' has no losses of its own here")
        return losses.own[target]

    def _of(self, part: Part) -> PartLosses:
        if part not in self.parts:
            raise StepError(f"no losses are kept of part '{part}'")
        return self.parts[part]


def losses_of(rows: Rows, targets: Mapping[str, Judged]) -> PartLosses:
    """The losses of one part from its forecasts; `rows` (windows,) are those of first targets."""
    exact = {name: _window_means(judged) for name, judged in targets.items()}
    each = {name: _loss(means, targets[name].unit) for name, means in exact.items()}
    rows = rows.astype(np.int64)
    if len(each) == 1:
        (only,) = each.values()
        return PartLosses(rows, only, {})
    return PartLosses(rows, _loss(np.mean(list(exact.values()), axis=0), 1.0), each)


def joined(folds: Sequence[PartLosses]) -> PartLosses:
    """The losses of folds, one fold after the other: in order of time where they do not overlap.

    Where the tests of folds overlap, a row occurs once for each of them. All are in one unit.
    """
    return PartLosses(
        np.concatenate([fold.rows for fold in folds]),
        _one_after_the_other([fold.mean for fold in folds]),
        {name: _one_after_the_other([fold.own[name] for fold in folds]) for name in folds[0].own},
    )


def usual_distance(rows: Rows) -> int:
    """Rows from one window to the next, where none is left out."""
    return max(1, int(np.median(np.diff(rows)))) if len(rows) > 1 else 1


def write_losses(path: Path, losses: Losses) -> None:
    """Equal losses give equal bytes."""
    arrays: dict[str, Any] = {}
    for part, of_part in losses.parts.items():
        arrays[f"{part}/spans"] = _spans(of_part.rows)
        for place, loss in {"": of_part.mean, **_below(of_part.own)}.items():
            arrays[f"{part}/{place}square"] = loss.square
            arrays[f"{part}/{place}absolute"] = loss.absolute
    targets = list(next(iter(losses.parts.values())).own)
    units = {part: of_part.mean.unit for part, of_part in losses.parts.items()}
    of_targets = {
        part: {target: loss.unit for target, loss in of_part.own.items()}
        for part, of_part in losses.parts.items()
    }
    facts = {
        "version": VERSION,
        "parts": list(losses.parts),
        "targets": targets,
        "units": units,
        "units_of_targets": of_targets,
    }
    save_file(arrays, path, metadata={ENTRY: canonical(facts)})


def read_losses(path: Path, *, each_target: bool = False) -> Losses:
    """Of many targets their own losses are large, so they are read only where asked for.

    Raises StepError if the file is not one of losses, or damaged.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            facts = json.loads(file.metadata()[ENTRY])
            if facts["version"] != VERSION:
                raise StepError(
                    f"losses of version {facts['version']}, where {VERSION} can be read",
                    where=path.name,
                    cure="use the PyHeta that wrote them, or compute the score again",
                )
            targets = facts["targets"] if each_target else []
            return Losses({part: _read(file, part, targets, facts) for part in facts["parts"]})
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        what = "not a file of losses, or a damaged one"
        raise StepError(what, where=path.name, cure="compute the score again") from error


def _window_means(judged: Judged) -> Floats:
    """(2, windows): of the squared and of the absolute scaled errors."""
    windows, steps = judged.forecast.shape
    means = np.empty((2, windows))
    with np.errstate(over="ignore"):
        for block, error in judged.blocks():
            scaled = np.abs(error / judged.unit)
            means[0, block] = np.einsum("ij,ij->i", scaled, scaled) / steps
            means[1, block] = scaled.mean(axis=1)
    return means


def _loss(means: Floats, unit: float) -> Loss:
    """Of (2, windows): squares, absolute ones."""
    square, absolute = np.minimum(means, LARGEST).astype(np.float32)
    return Loss(square, absolute, unit)


def _one_after_the_other(losses: Sequence[Loss]) -> Loss:
    return Loss(
        np.concatenate([loss.square for loss in losses]),
        np.concatenate([loss.absolute for loss in losses]),
        losses[0].unit,
    )


def _below(own: Mapping[str, Loss]) -> dict[str, Loss]:
    return {f"{target}/": loss for target, loss in own.items()}


def _spans(rows: Rows) -> Rows:
    """(spans, 3): first row, number of rows, rows from one to the next.

    That distance is the usual one. Where another stands between two rows, a span ends.
    """
    usual = usual_distance(rows)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(rows) != usual) + 1])
    counts = np.diff(np.append(starts, len(rows)))
    return np.stack([rows[starts], counts, np.full(len(starts), usual)], axis=1).astype(np.int64)


def _rows(spans: Rows, windows: int) -> Rows:
    """Raises ValueError if they are not spans of so many windows."""
    first, counts, distance = spans.T
    if counts.min() < 1 or counts.max() > windows or counts.sum() != windows or first.min() < 0:
        raise ValueError(spans)
    within = np.arange(windows) - np.repeat(np.cumsum(counts) - counts, counts)
    rows: Rows = np.repeat(first, counts) + np.repeat(distance, counts) * within
    return rows


def _read(file: Any, part: Part, targets: Sequence[str], facts: Mapping[str, Any]) -> PartLosses:
    """Raises ValueError if arrays do not fit to one another."""
    units = facts["units_of_targets"][part]
    mean = _read_loss(file, f"{part}/", facts["units"][part])
    own = {target: _read_loss(file, f"{part}/{target}/", units[target]) for target in targets}
    if any(len(loss.square) != len(mean.square) for loss in own.values()):
        raise ValueError(part)
    return PartLosses(_rows(file.get_tensor(f"{part}/spans"), len(mean.square)), mean, own)


def _read_loss(file: Any, place: str, unit: object) -> Loss:
    loss = Loss(
        file.get_tensor(f"{place}square"), file.get_tensor(f"{place}absolute"), float(str(unit))
    )
    for values in (loss.square, loss.absolute):
        if values.dtype != np.float32 or values.shape != loss.square.shape or values.ndim != 1:
            raise ValueError(place)
        if not (np.isfinite(values) & (values >= 0)).all():
            raise ValueError(place)
    return loss
