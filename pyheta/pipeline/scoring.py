"""Forecasts beside the truth: their errors, and the metrics that follow from them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np

from pyheta.errors import Diverged
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.pipeline.metrics import METRICS, STILL, ZERO, Changes, Errors, MetricDefinition
from pyheta.pipeline.own_metrics import OwnMetric
from pyheta.pipeline.own_scoring import NoValue, function_of, own_value
from pyheta.steps import Metric

NO_COMMON_UNIT = "the targets have units of their own"
NO_COMMON_RANKS = "each target has ranks of its own"

#: Targets that are looked at together: their terms, 128 kB each, stay in a core's cache.
BLOCK = 1 << 14

#: A number, or one for each window, (windows, 1): windows of several folds have several trainings.
Scale = float | Floats

Measured = tuple[list[Metric], dict[str, str]]  # metrics, and why others have no value


class Scales(NamedTuple):
    """What the training rows say of a target, in its own units."""

    naive_mae: Scale  # what `naive_mae` says of them
    naive_mse: Scale  # what `naive_mse` says
    zero: Scale  # what `zero` says; 0 of forecasts that nothing has rounded
    still: Scale  # what `still` says
    unit: Scale  # what 1 in the net's units is

    @classmethod
    def of(cls, training: Floats, *, season: int, unit: float, exact: bool) -> Self:
        """Of training values (rows,), NaN where unknown. `exact`: no forecast is rounded."""
        return cls(
            naive_mae=naive_mae(training, season),
            naive_mse=naive_mse(training, season),
            zero=0.0 if exact else zero(training),
            still=still(training),
            unit=unit,
        )


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Forecasts of one target beside the truth, (windows, steps), in the target's units."""

    truth: Floats
    forecast: Floats
    last: Floats  # (windows, 1): the last known value before each first target
    scales: Scales

    def windows(self, rows: slice) -> Self:
        """Some of the windows."""
        scales = Scales(*(_of_windows(scale, rows) for scale in self.scales))
        return replace(
            self,
            truth=self.truth[rows],
            forecast=self.forecast[rows],
            last=self.last[rows],
            scales=scales,
        )


def pooled(evaluations: Iterable[Evaluation]) -> Evaluation:
    """The windows of several folds as those of one, each with the scales of its own training."""
    folds = list(evaluations)
    each = [[_per_window(scale, len(one.truth)) for scale in one.scales] for one in folds]
    return Evaluation(
        truth=np.concatenate([one.truth for one in folds]),
        forecast=np.concatenate([one.forecast for one in folds]),
        last=np.concatenate([one.last for one in folds]),
        scales=Scales(*map(np.concatenate, zip(*each, strict=True))),
    )


def _of_windows(scale: Scale, rows: slice) -> Scale:
    return scale[rows] if np.ndim(scale) else scale  # type: ignore[index]


def _per_window(scale: Scale, windows: int) -> Floats:
    return np.broadcast_to(np.asarray(scale, dtype=np.float64), (windows, 1))


# ---- what training says --------------------------------------------------------------------------


def naive_mae(training: Floats, season: int) -> float:
    """mean |y(t) - y(t - season)| over pairs of known values; NaN if there is none.

    `training` (rows,) is NaN where it is unknown.
    """
    return _mean(np.abs(_seasonal_changes(training, season)))


def naive_mse(training: Floats, season: int) -> float:
    """mean (y(t) - y(t - season))² over pairs of known values; NaN if there is none.

    `training` (rows,) is NaN where it is unknown.
    """
    return _mean(np.square(_seasonal_changes(training, season)))


def _seasonal_changes(training: Floats, season: int) -> Floats:
    changes = training[season:] - training[:-season]
    return changes[np.isfinite(changes)]


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else float("nan")


def zero(training: Floats) -> float:
    """How large a forecast of 0 may be and still be 0: ZERO of the median size of other values.

    `training` (rows,) is NaN where it is unknown. The median, because a single outlier must not
    make all other values small.
    """
    return ZERO * _usual_size(training[np.isfinite(training)])


def still(training: Floats) -> float:
    """How large a change may be and still be none: STILL of the median distance from the median.

    `training` (rows,) is NaN where it is unknown. It grows with the unit and ignores the level.
    """
    known = training[np.isfinite(training)]
    return STILL * _usual_size(known - np.median(known)) if known.size else 0.0


def _usual_size(values: Floats) -> float:
    """The median size of what is not 0; 0 if all are."""
    sizes = np.abs(values[values != 0])
    return float(np.median(sizes)) if sizes.size else 0.0


# ---- errors --------------------------------------------------------------------------------------


def errors_of(
    evaluation: Evaluation, quantile: float | None = None, *, ranks: bool = True
) -> Errors:
    """The errors of one target in its own units; a term that is divided by zero is not finite.

    `ranks`: whether to rank the changes, for which all of them have to be sorted.
    """
    errors = _errors(evaluation, 1.0, quantile)
    return errors._replace(rank_ic=_rank_ic(evaluation)) if ranks else errors


def together(evaluations: Iterable[Evaluation], quantile: float | None = None) -> Errors:
    """The errors of several targets that have as many windows each, in scaled units: their mean."""
    each = [_errors(one, one.scales.unit, quantile) for one in evaluations]
    changes = Changes(*map(np.concatenate, zip(*(one.changes for one in each), strict=True)))
    terms = {
        name: np.mean([getattr(one, name) for one in each], axis=0)
        for name in Errors._fields
        if name != "changes"
    }
    return Errors(**terms, changes=changes)


#: Terms of some windows, each (windows, steps), where so much of the target's own units is 1.
Terms = Callable[[Evaluation, Scale], Iterable[Floats]]


def _errors(given: Evaluation, unit: Scale, quantile: float | None) -> Errors:
    """The errors where `unit` of the target's own units are 1, without ranks."""
    with np.errstate(all="ignore"):
        terms = _means(given, unit, lambda some, one: _terms(some, one, quantile))
        spread, changes = _variation(given, unit)
    return Errors._make([*terms, spread, changes, np.array(np.nan)])


def _means(given: Evaluation, unit: Scale, terms: Terms) -> list[Floats]:
    """The means over windows, (steps,), from sums over a block of them at a time."""
    windows, steps = given.truth.shape
    size = max(1, BLOCK // steps)
    blocks = (slice(start, start + size) for start in range(0, windows, size))
    sums = (
        np.array([_sum(term) for term in terms(given.windows(rows), _of_windows(unit, rows))])
        for rows in blocks
    )
    return list(sum(sums) / windows)


def _sum(terms: Floats) -> Floats:
    """Over windows, (steps,): twice as fast as `terms.sum(axis=0)` where steps are few."""
    found: Floats = np.einsum("ij->j", terms)
    return found


def _terms(given: Evaluation, unit: Scale, quantile: float | None) -> Iterator[Floats]:
    """The terms of `Errors` up to those that need a mean first, in their order."""
    scales = given.scales
    truth, error = np.abs(given.truth), given.forecast - given.truth
    absolute, pinball = np.abs(error), _pinball(error, quantile)
    yield error / unit
    yield absolute / unit
    yield np.square(error / unit)  # the square of a unit may be too small for a float
    yield pinball / unit
    yield absolute / scales.unit
    yield np.square(error / scales.unit)
    yield pinball / scales.unit
    yield np.square((given.last - given.truth) / unit)
    yield truth / unit
    yield absolute / truth
    size = np.abs(given.forecast)
    neither = (truth == 0) & (size <= scales.zero)  # the truth is the file's, so 0 there is 0
    yield np.divide(2 * absolute, truth + size, out=np.zeros_like(absolute), where=~neither)
    yield absolute / np.float64(scales.naive_mae)
    yield np.square(error / np.sqrt(scales.naive_mse))
    true, forecast = (np.sign(rounded) for rounded in _rounded_changes(given))
    yield np.abs(true)
    yield np.abs(true) * (1 + true * forecast) / 2


def _pinball(error: Floats, quantile: float | None) -> Floats:
    if quantile is None:
        return np.broadcast_to(np.nan, error.shape)
    return np.maximum(-quantile * error, (1 - quantile) * error)


def _variation(given: Evaluation, unit: Scale) -> tuple[Floats, Changes]:
    """How the truth and the changes vary around their means.

    Values are measured from the first of their kind, so that what is constant varies by exactly 0.
    The mean is taken off before the unit is: units of folds differ, and would make a level vary.
    """
    first = slice(1)
    levels = _values(given.windows(first), _of_windows(unit, first))
    starts = [float(values[0, 0]) for values in levels]

    def shifted(some: Evaluation, unit: Scale) -> list[Floats]:
        return [values - start for values, start in zip(_values(some, unit), starts, strict=True)]

    level, true, forecast = _means(given, unit, shifted)
    level = level.mean()

    def products(some: Evaluation, unit: Scale) -> Iterator[Floats]:
        values, changes, expected = shifted(some, unit)
        changes -= true
        expected -= forecast
        yield np.square((values - level) / unit)
        yield np.square(changes)
        yield np.square(expected)
        yield changes * expected
        yield np.broadcast_to(np.square(some.scales.still / unit), values.shape)

    spread, *squares = _means(given, unit, products)
    return spread, Changes(true + starts[1], forecast + starts[2], *squares)


def _values(given: Evaluation, unit: Scale) -> tuple[Floats, Floats, Floats]:
    """The truth, and its changes and the forecast ones in units of `unit`."""
    return (
        given.truth,
        (given.truth - given.last) / unit,
        (given.forecast - given.last) / unit,
    )


def _rounded_changes(given: Evaluation) -> Iterator[Floats]:
    """The changes of the truth, then those of the forecast: equal where rounding alone differs."""
    for values in (given.truth, given.forecast):
        yield _rounded(values - given.last, 2 * given.scales.still)


def _rounded(values: Floats, step: Scale) -> Floats:
    """The nearest multiples of `step`; where that is 0, the values themselves."""
    with np.errstate(all="ignore"):
        multiples = np.rint(values / np.float64(step)) * step
    return np.where(np.greater(step, 0), multiples, values)


def _rank_ic(given: Evaluation) -> Floats:
    """Spearman's correlation of the changes, NaN where either are all equal."""
    true, forecast = (_ranks(changes) for changes in _rounded_changes(given))
    with np.errstate(all="ignore"):
        return np.asarray(true @ forecast / np.sqrt(true @ true) / np.sqrt(forecast @ forecast))


def _ranks(values: Floats) -> Floats:
    """The place of each in the order of all, from their mean place; equal ones share theirs."""
    values = values.ravel()
    order = np.argsort(values)
    ordered = values[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    sizes = np.diff(np.append(starts, len(values)))
    ordered[...] = np.repeat(starts + (sizes - len(values)) / 2, sizes)
    ranks = np.empty_like(ordered)
    ranks[order] = ordered
    return ranks


# ---- metrics -------------------------------------------------------------------------------------


class Scored(NamedTuple):
    """What a part's forecasts came to."""

    metrics: list[Metric]  # over all steps ahead: horizon 0
    omitted: dict[str, str]  # "test/mape", "test/OT/mape": why a metric has no value
    by_step: dict[str, Floats]  # name -> (steps,), NaN where a step has no value


def score_part(
    split: str,
    targets: Mapping[str, Mapping[str, Evaluation]],
    *,
    quantile: float | None = None,
    own: Sequence[OwnMetric] = (),
) -> Scored:
    """The metrics of one part, or of several folds' that are pooled.

    targets: for each target the evaluation of itself, WHOLE, and of its components, if it has any.
    Several have metrics together, and each under its name. quantile: what the nets are trained for,
    if it is one. Raises Diverged if a forecast, or an error that always has a value, is not finite;
    StepError if a metric of one's own is not to be had.
    """
    for metric in own:
        function_of(metric)
    ranks = METRICS["rank_ic"].of_training or split != "train"
    errors = {
        target: errors_of(parts[WHOLE], quantile, ranks=ranks) for target, parts in targets.items()
    }
    each = {
        target: _of_target(split, parts, errors[target], quantile, own)
        for target, parts in targets.items()
    }
    if len(each) == 1:
        (target,) = targets
        return Scored(*each[target], by_step(errors[target], quantile))
    scaled = together((parts[WHOLE] for parts in targets.values()), quantile)
    metrics, omitted = measure(split, scaled, quantile, several_targets=True)
    omitted |= {f"{split}/{metric.title}": NO_COMMON_UNIT for metric in own}
    for target, (measured, left_out) in each.items():
        metrics += named(target, measured)
        omitted |= {
            f"{split}/{target}/{name.removeprefix(f'{split}/')}": why
            for name, why in left_out.items()
        }
    return Scored(metrics, omitted, by_step(scaled, quantile, several_targets=True))


def _of_target(
    split: str,
    parts: Mapping[str, Evaluation],
    errors: Errors,
    quantile: float | None,
    own: Sequence[OwnMetric],
) -> Measured:
    """The metrics of one target and its components."""
    metrics, omitted = measure(split, errors, quantile)
    more, left_out = measure_own(split, parts[WHOLE], own)
    metrics += more
    for name, evaluation in parts.items():
        if name != WHOLE:
            measured, _ = measure(split, errors_of(evaluation, quantile, ranks=False), quantile)
            metrics += named(name, (m for m in measured if METRICS[m.name].of_components))
    return metrics, omitted | left_out


def measure(
    split: str, errors: Errors, quantile: float | None = None, *, several_targets: bool = False
) -> Measured:
    """Every metric over all steps, and why others have no value.

    Raises Diverged if a forecast, or an error that always has a value, is not finite.
    """
    metrics: list[Metric] = []
    omitted: dict[str, str] = {}
    for name, metric in _given(quantile):
        if split == "train" and not metric.of_training:
            continue
        value = _value(metric, errors)
        if reason := _undefined(metric, value, several_targets=several_targets):
            omitted[f"{split}/{name}"] = reason
        else:
            metrics.append(Metric(split, name, 0, float(value)))
    return metrics, omitted


def by_step(
    errors: Errors, quantile: float | None = None, *, several_targets: bool = False
) -> dict[str, Floats]:
    """Metrics of each step ahead by name, (steps,), NaN where a step has no value."""
    each = errors.each()
    return {
        name: _value(metric, each)
        for name, metric in _given(quantile)
        if metric.is_given_each_step(several_targets=several_targets)
    }


def measure_own(split: str, evaluation: Evaluation, own: Iterable[OwnMetric]) -> Measured:
    """The metrics of one's own of one target, and why others have no value.

    Raises StepError if a function is not to be had on this machine.
    """
    metrics: list[Metric] = []
    omitted: dict[str, str] = {}
    arrays = (evaluation.truth, evaluation.forecast, evaluation.last)
    for metric in own:
        try:
            value = own_value(function_of(metric), *arrays, evaluation.scales.naive_mae)
            metrics.append(Metric(split, metric.title, 0, value))
        except NoValue as error:
            omitted[f"{split}/{metric.title}"] = str(error)
    return metrics, omitted


def named(name: str, metrics: Iterable[Metric]) -> list[Metric]:
    """The same under the name of their target or component: `OT/rmse`."""
    return [replace(metric, name=f"{name}/{metric.name}") for metric in metrics]


def _given(quantile: float | None) -> Iterator[tuple[str, MetricDefinition]]:
    for name, metric in METRICS.items():
        if quantile is not None or not metric.of_quantiles:
            yield name, metric


def _undefined(metric: MetricDefinition, value: Floats, *, several_targets: bool) -> str:
    """Why a metric has no value; empty if it has one."""
    if several_targets and (metric.power or metric.of_one):
        return NO_COMMON_UNIT if metric.power else NO_COMMON_RANKS
    if np.isfinite(value):
        return ""
    if not metric.undefined:
        raise Diverged(
            "a forecast is not finite", cure="lower the learning rate or check the scale"
        )
    return metric.undefined


def _value(metric: MetricDefinition, errors: Errors) -> Floats:
    with np.errstate(all="ignore"):  # a division by zero shows in the value
        return metric.formula(errors)
