"""Forecasts beside the truth: their errors, and the metrics that follow from them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from pyheta.errors import Diverged
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.metrics import METRICS, ZERO, Errors, MetricDefinition
from pyheta.steps import Metric

NO_COMMON_UNIT = "the targets have units of their own"


#: A number, or one for each window, (windows, 1): windows of several folds have several trainings.
Scale = float | Floats


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Forecasts of one target beside the truth, (windows, steps), in the target's units."""

    truth: Floats
    forecast: Floats
    last: Floats  # (windows, 1): the last known value before each first target
    naive_mae: Scale  # what `naive_mae` says of the training rows
    zero: Scale  # what `zero` says of them; 0 of a forecast that nothing has rounded


def pooled(evaluations: Iterable[Evaluation]) -> Evaluation:
    """The windows of several folds as those of one, each with the scales of its own training."""
    folds = list(evaluations)
    if len(folds) == 1:
        return folds[0]
    each = [
        (one.truth, one.forecast, one.last, *_scales(one, (one.naive_mae, one.zero)))
        for one in folds
    ]
    return Evaluation(*map(np.concatenate, zip(*each, strict=True)))


def _scales(given: Evaluation, scales: Iterable[Scale]) -> Iterator[Floats]:
    """The same for each window, (windows, 1)."""
    return (np.broadcast_to(np.asarray(scale), (len(given.truth), 1)) for scale in scales)


def naive_mae(training: Floats, season: int) -> float:
    """mean |y(t) - y(t - season)| over pairs of known values; NaN if there is none.

    `training` (rows,) is NaN where it is unknown.
    """
    changes = np.abs(training[season:] - training[:-season])
    known = changes[np.isfinite(changes)]
    return float(known.mean()) if known.size else float("nan")


def zero(training: Floats) -> float:
    """How large a forecast of 0 may be and still be 0: ZERO of the median size of other values.

    `training` (rows,) is NaN where it is unknown. The median, because a single outlier must not
    make all other values small.
    """
    sizes = np.abs(training[np.isfinite(training) & (training != 0)])
    return ZERO * float(np.median(sizes)) if sizes.size else 0.0


def errors_of(evaluation: Evaluation) -> Errors:
    """The errors of one target; a term that is divided by zero is not finite."""
    with np.errstate(all="ignore"):
        return Errors(*(term.mean(axis=0) for term in _terms(evaluation)))


def _terms(given: Evaluation) -> Iterator[Floats]:
    """The terms of `Errors` in their order, (windows, steps), one at a time: they can be large."""
    truth, error = np.abs(given.truth), np.abs(given.forecast - given.truth)
    yield error
    yield np.square(error)
    yield np.square(given.last - given.truth)
    yield truth
    shifted = given.truth - given.truth[0, 0]  # so that a constant truth has a spread of exactly 0
    yield np.square(shifted - shifted.mean())
    yield error / truth
    size = np.abs(given.forecast)
    neither = (truth == 0) & (size <= given.zero)  # the truth is the file's, so 0 there is 0
    yield np.divide(2 * error, truth + size, out=np.zeros_like(error), where=~neither)
    yield error / np.asarray(given.naive_mae, dtype=np.float64)


def together(targets: Iterable[Errors]) -> Errors:
    """The scaled errors of several targets that have as many windows each: their mean."""
    return Errors(*(np.mean(terms, axis=0) for terms in zip(*targets, strict=True)))


def measure(split: str, errors: Errors, unit: float | None) -> tuple[list[Metric], dict[str, str]]:
    """Every metric over all steps (horizon 0), some for each step too; why others have no value.

    unit: what 1 in the net's units is in the target's own; None for several targets, whose errors
    are scaled. Raises Diverged if a forecast, or an error that always has a value, is not finite.
    """
    metrics: list[Metric] = []
    omitted: dict[str, str] = {}
    for name, metric in METRICS.items():
        if reason := _undefined(metric, errors, unit):
            omitted[f"{split}/{name}"] = reason
        else:
            metrics.append(Metric(split, name, 0, _value(metric, errors, unit)))
    return [*metrics, *_each_step(split, errors, unit)], omitted


def named(name: str, metrics: Iterable[Metric]) -> list[Metric]:
    """Those over all steps, under the name of their target or component: `OT/rmse`."""
    return [
        replace(metric, name=f"{name}/{metric.name}") for metric in metrics if metric.horizon == 0
    ]


def _each_step(split: str, errors: Errors, unit: float | None) -> Iterator[Metric]:
    steps = len(errors.absolute)
    given = [m for m in METRICS.values() if m.is_given_each_step(several_targets=unit is None)]
    for step in range(1, steps + 1) if steps > 1 else ():
        for metric in given:
            yield Metric(split, metric.name, step, _value(metric, errors.at(step), unit))


def _undefined(metric: MetricDefinition, errors: Errors, unit: float | None) -> str:
    """Why a metric has no value; empty if it has one."""
    if metric.power and unit is None:
        return NO_COMMON_UNIT
    if np.isfinite(_value(metric, errors, unit)):
        return ""
    if not metric.undefined:
        raise Diverged(
            "a forecast is not finite", cure="lower the learning rate or check the scale"
        )
    return metric.undefined


def _value(metric: MetricDefinition, errors: Errors, unit: float | None) -> float:
    with np.errstate(all="ignore"):  # a division by zero shows in the value
        return float(metric.formula(errors.scaled(unit) if metric.unscaled and unit else errors))
