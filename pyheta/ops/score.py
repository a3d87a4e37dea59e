"""The `score` step: measures a run's forecasts against the truth, those of all its folds together.

It is the result of a run. A new metric costs nothing but this step: no fit, no forecast.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from pyheta.ops.forecast import predicted, truth_at
from pyheta.ops.params import ForecastParams, ScoreParams
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.channels import Channel, Source
from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.pipeline.forecasts import Forecasts
from pyheta.pipeline.metrics import METRICS, Errors
from pyheta.pipeline.scaling import Scaler
from pyheta.pipeline.scoring import (
    Evaluation,
    errors_of,
    measure,
    naive_mae,
    named,
    pooled,
    together,
    zero,
)
from pyheta.pipeline.seen import Inputs, Seen
from pyheta.pipeline.splits import PARTS, Part, Split
from pyheta.steps import Metric
from pyheta.task import Result, Task

Measured = tuple[list[Metric], dict[str, str]]  # metrics, and why others have no value


@dataclass(frozen=True, slots=True)
class Series:
    """A target, or a component of one: values (rows,) and times, and the scale of its errors.

    `observed`: (rows,) bool, false where a value is carried on; None where none is. `exact`:
    whether forecasts of it hold nothing that is due to rounding.
    """

    time: NDArray[np.int64]
    values: Floats
    observed: NDArray[np.bool_] | None
    train: tuple[int, int]
    season: int  # rows
    exact: bool

    @property
    def training(self) -> Floats:
        """Its training rows, NaN where they are unknown or carried on."""
        rows = slice(*self.train)
        if self.observed is None:
            return self.values[rows]
        return np.where(self.observed[rows], self.values[rows], np.nan)

    def evaluation(self, time: NDArray[np.int64], forecast: Floats) -> Evaluation:
        """Forecasts (n, horizon) from these times on, beside the true values."""
        rows = np.searchsorted(self.time, time)[:, np.newaxis]
        return Evaluation(
            truth=truth_at(self.values, time, forecast.shape[1], self.time),
            forecast=forecast,
            last=self.values[rows - 1],
            naive_mae=naive_mae(self.training, self.season),
            zero=0.0 if self.exact else zero(self.training),
        )


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold's forecasts, and what they are measured against."""

    split: Split
    forecasts: Forecasts
    seen: Seen
    params: ScoreParams

    @classmethod
    def of(cls, number: int, params: ScoreParams, inputs: Inputs) -> "Fold":
        """The inputs of a fold have its number before their roles."""
        own = {
            role.partition("/")[2]: products
            for role, products in inputs.items()
            if role.partition("/")[0] == str(number)
        }
        own["load"] = inputs["load"]
        split = params.splits[number]
        if "forecast" in own:
            forecasts = Forecasts.read(own["forecast"]["forecast"])
        else:  # they are not kept
            asked = ForecastParams(
                targets=params.targets, components=params.components, split=params.folds[number]
            )
            forecasts = predicted(asked, own)
        return cls(split, forecasts, Seen.of(params, own), params)

    def series(self, target: str, component: str) -> Series:
        """Of a target the series itself (WHOLE) or a component of it."""
        table = self.seen.table()
        values = table.select([target]).columns[target]
        if component != WHOLE:
            name = f"{component}/values"
            role = Source(target, component).role
            values = self.seen.arrays(role, "components", name)[name]
        mask = (self.params.masks or {}).get(target)
        observed = table.select([mask]).columns[mask] == 0 if mask else None
        season, exact = self.params.season or 1, self.forecasts.exact
        return Series(table.time, values, observed, self.split.train, season, exact)

    def evaluation(self, part: Part, number: int, component: str) -> Evaluation:
        """Of the n-th target."""
        series = self.series(self.params.targets[number], component)
        forecast = self.forecasts.values(part, component)[:, number]
        return series.evaluation(self.forecasts.time(part), forecast)

    def scaler(self, number: int) -> Scaler:
        """That of the n-th target's training rows."""
        series = self.series(self.params.targets[number], WHOLE)
        known = Channel(series.values, observed=series.observed).known(self.split.train)
        return Scaler.fit(self.params.scale, known.astype(np.float64))


def score(task: Task) -> Result:
    """Metrics of training, validation and test; of several folds those of training are left out.

    They train on the same rows again and again. Folds that share a fit are validated once.
    """
    params = ScoreParams.of(task.params)
    folds = [Fold.of(number, params, task.inputs) for number in range(len(params.folds))]
    metrics: list[Metric] = []
    omitted: dict[str, str] = {}
    for part, some in _pools(folds):
        measured, left_out = _measure(part, some, params)
        metrics += measured
        omitted |= left_out
    count = sum(len(fold.forecasts.time("test")) for fold in folds)
    summary = {"forecasts": count, "skill": _skill(metrics), "omitted": omitted}
    return Result(products={}, metrics=tuple(metrics), summary=summary)


def _pools(folds: Sequence[Fold]) -> Iterator[tuple[Part, Sequence[Fold]]]:
    """The parts that are measured, each with the folds whose forecasts count."""
    if len(folds) == 1:
        yield from ((part, folds) for part in PARTS)
    else:
        yield "val", list({fold.split.learning: fold for fold in folds}.values())
        yield "test", folds


def _measure(part: Part, folds: Sequence[Fold], params: ScoreParams) -> Measured:
    """The metrics of one part: those of several targets together, then each under its name."""
    numbers = range(len(params.targets))
    errors = [_errors(part, folds, number, WHOLE) for number in numbers]
    units = [float(np.mean([fold.scaler(number).unit for fold in folds])) for number in numbers]
    each = [
        _measure_target(part, folds, number, errors[number], units[number]) for number in numbers
    ]
    if len(each) == 1:
        return each[0]
    scaled = together(own.scaled(unit) for own, unit in zip(errors, units, strict=True))
    metrics, omitted = measure(part, scaled, None)
    named_ones = (named(target, own) for target, (own, _) in zip(params.targets, each, strict=True))
    for target, (_, left_out) in zip(params.targets, each, strict=True):
        omitted |= {
            f"{part}/{target}/{name.removeprefix(f'{part}/')}": why
            for name, why in left_out.items()
        }
    return [*metrics, *chain.from_iterable(named_ones)], omitted


def _errors(part: Part, folds: Sequence[Fold], number: int, component: str) -> Errors:
    """Those of the n-th target, or of a component of it, in all of these folds."""
    return errors_of(pooled(fold.evaluation(part, number, component) for fold in folds))


def _measure_target(
    part: Part, folds: Sequence[Fold], number: int, errors: Errors, unit: float
) -> Measured:
    """The metrics of one target and, but for training, its components."""
    metrics, omitted = measure(part, errors, unit)
    for name, own in _of_components(part, folds, number):
        measured, _ = measure(part, own, unit)
        metrics += named(name, (m for m in measured if METRICS[m.name].of_components))
    return metrics, omitted


def _of_components(part: Part, folds: Sequence[Fold], number: int) -> Iterator[tuple[str, Errors]]:
    if part == "train":
        return
    for name in folds[0].params.components:
        if name != WHOLE:
            yield name, _errors(part, folds, number, name)


def _skill(metrics: Sequence[Metric]) -> float | None:
    """The test part's skill over all steps, if it has one."""
    wanted = ("test", "skill", 0)
    return next((m.value for m in metrics if (m.split, m.name, m.horizon) == wanted), None)
