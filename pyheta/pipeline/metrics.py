"""Forecast errors, from sums over all windows and never from means of batch means.

With y the truth, f the forecast, e = f - y, and the mean over all windows and steps of a slice:

    mae, mse, rmse   mean |e|, mean e², its root: in the target's units
    *_scaled         the same in the units that the net was trained in
    mape             mean |e / y|, a fraction
    smape            mean 2|e| / (|y| + |f|), 0 … 2; a term with y = f = 0 counts as 0
    wape             mean |e| / mean |y|
    mase             mean |e| / mean |y(t) - y(t-1)| over the training rows (Hyndman & Koehler 2006)
    r2               1 - sum e² / sum (y - mean y)²
    skill            1 - rmse / rmse of the last known value, on the same targets

Of several targets that are forecast together the means go over targets too, with e, y and mean y of
each in its own scaled units. What is in a target's units has no such value; it stands under its
name, as `OT/rmse`.

A ratio whose denominator is zero has no value: it is left out and the reason is given.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pyheta.arrays import Floats
from pyheta.errors import Diverged
from pyheta.steps import Metric


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Forecasts of one target beside the truth, in the target's units. Arrays are (windows,
    steps).
    """

    truth: Floats
    forecast: Floats
    last: Floats  # (windows, 1): the last known value before each first target
    unit: float  # what 1 in the net's units is in the target's
    naive_mae: float  # mean |y(t) - y(t-1)| over the training rows


class Errors(NamedTuple):
    """What all metrics follow from: means over all windows for each step ahead, (steps,), in scaled
    units.
    """

    absolute: Floats  # |e|
    square: Floats  # e²
    naive: Floats  # e² of the last known value
    size: Floats  # |y|
    spread: Floats  # (y - mean y)², with the mean over all windows and steps
    percentage: Floats  # |e / y|
    symmetric: Floats  # 2|e| / (|y| + |f|)
    relative: Floats  # |e| / mean |y(t) - y(t-1)| in training

    def at(self, step: int) -> "Errors":
        """One step ahead alone; the first step is 1."""
        return Errors(*(term[step - 1 : step] for term in self))


def errors_of(one: Evaluation) -> Errors:
    """The errors of one target; a term that is divided by zero is not finite."""
    with np.errstate(all="ignore"):
        return Errors(*(term.mean(axis=0) for term in _terms(one)))


def _terms(one: Evaluation) -> Iterator[Floats]:
    """The terms of `Errors` in their order, (windows, steps), one at a time: they can be large."""
    truth, error = np.abs(one.truth), np.abs(one.forecast - one.truth)
    yield error / one.unit
    yield np.square(error / one.unit)
    yield np.square((one.last - one.truth) / one.unit)
    yield truth / one.unit
    shifted = one.truth - one.truth[0, 0]  # so that a constant truth has a spread of exactly zero
    yield np.square((shifted - shifted.mean()) / one.unit)
    yield error / truth
    both = truth + np.abs(one.forecast)
    yield np.divide(2 * error, both, out=np.zeros_like(both), where=both > 0)
    yield error / np.float64(one.naive_mae)


def together(targets: Sequence[Errors]) -> Errors:
    """The errors of several targets that have as many windows each: their mean."""
    return Errors(*(np.mean(terms, axis=0) for terms in zip(*targets, strict=True)))


def _mae(errors: Errors) -> np.float64:
    return np.float64(errors.absolute.mean())


def _mse(errors: Errors) -> np.float64:
    return np.float64(errors.square.mean())


def _rmse(errors: Errors) -> np.float64:
    return _mse(errors) ** 0.5


class Formula(NamedTuple):
    """How a metric follows from errors."""

    of: Callable[[Errors], np.float64]
    #: Of the target's unit, in which it is given; several targets have none in common
    power: int = 0
    undefined: str = ""  # why it may have no value; what has no such reason always has one


FORMULAS: Mapping[str, Formula] = {
    "mae": Formula(_mae, power=1),
    "mse": Formula(_mse, power=2),
    "rmse": Formula(_rmse, power=1),
    "mae_scaled": Formula(_mae),
    "mse_scaled": Formula(_mse),
    "rmse_scaled": Formula(_rmse),
    "smape": Formula(lambda e: np.float64(e.symmetric.mean())),
    "mape": Formula(
        lambda e: np.float64(e.percentage.mean()), undefined="the truth contains zeros"
    ),
    "wape": Formula(lambda e: _mae(e) / e.size.mean(), undefined="the truth is zero throughout"),
    "mase": Formula(
        lambda e: np.float64(e.relative.mean()), undefined="the target is constant in training"
    ),
    "r2": Formula(lambda e: 1 - _mse(e) / e.spread.mean(), undefined="the truth is constant"),
    "skill": Formula(
        lambda e: 1 - (_mse(e) / e.naive.mean()) ** 0.5, undefined="the last known value is exact"
    ),
}
NO_COMMON_UNIT = "the targets have units of their own"

#: Metrics of each step ahead, for curves over the horizon; all of them would multiply the rows.
PER_STEP = ("mae", "mse", "rmse")
PER_STEP_OF_SEVERAL = ("mae_scaled", "mse_scaled", "rmse_scaled")

#: Metrics of a component of a target: how it is scaled tells nothing of the target.
OF_COMPONENT = ("mae", "mse", "rmse", "skill")


def measure(split: str, errors: Errors, unit: float | None) -> tuple[list[Metric], dict[str, str]]:
    """Every metric over all steps (horizon 0), some for each of several steps; why some were left
    out.

    unit: the target's, as in `Evaluation`; None for several targets. Raises Diverged if a forecast,
    or an error that always has a value, is not finite.
    """
    metrics: list[Metric] = []
    omitted: dict[str, str] = {}
    for name, formula in FORMULAS.items():
        if reason := _undefined(formula, errors, unit):
            omitted[f"{split}/{name}"] = reason
        else:
            metrics.append(Metric(split, name, 0, _value(formula, errors, unit)))
    return [*metrics, *_each_step(split, errors, unit)], omitted


def named(name: str, metrics: Iterable[Metric]) -> list[Metric]:
    """Those over all steps, under the name of the target or component that they are of:
    `OT/rmse`.
    """
    return [replace(one, name=f"{name}/{one.name}") for one in metrics if one.horizon == 0]


def _each_step(split: str, errors: Errors, unit: float | None) -> Iterator[Metric]:
    steps = len(errors.absolute)
    for step in range(1, steps + 1) if steps > 1 else ():
        for name in PER_STEP if unit else PER_STEP_OF_SEVERAL:
            yield Metric(split, name, step, _value(FORMULAS[name], errors.at(step), unit))


def _undefined(formula: Formula, errors: Errors, unit: float | None) -> str:
    """Why a metric has no value; empty if it has one."""
    if formula.power and unit is None:
        return NO_COMMON_UNIT
    if np.isfinite(_value(formula, errors, unit)):
        return ""
    if not formula.undefined:
        raise Diverged(
            "a forecast is not finite", cure="lower the learning rate or check the scale"
        )
    return formula.undefined


def _value(formula: Formula, errors: Errors, unit: float | None) -> float:
    with np.errstate(all="ignore"):  # a division by zero shows in the value
        return float(formula.of(errors) * (unit or 1.0) ** formula.power)
