"""Forecast errors, from sums over all windows and never from means of batch means.

With y the truth, f the forecast, e = f - y, and the mean over all windows and steps of a slice:

    mae, mse, rmse   mean |e|, mean e², its root: in the target's units
    *_scaled         the same in the units that the net was trained in
    mape             mean |e / y|, a fraction
    smape            mean 2|e| / (|y| + |f|), 0 … 2; a term with y = f = 0 counts as 0
    wape             sum |e| / sum |y|
    mase             mae / mean |y(t) - y(t-1)| over the training rows (Hyndman & Koehler 2006)
    r2               1 - sum e² / sum (y - mean y)²
    skill            1 - rmse / rmse of the last known value, on the same targets

A ratio whose denominator is zero has no value: it is left out and the reason is given.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pyheta.errors import Diverged
from pyheta.steps import Metric

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Forecasts beside the truth, in the target's units. Arrays are (windows, steps)."""

    truth: Floats
    forecast: Floats
    last: Floats  # (windows, 1): the last known value before each first target
    unit: float  # what 1 in the net's units is in the target's
    naive_mae: float  # mean |y(t) - y(t-1)| over the training rows

    @property
    def error(self) -> Floats:
        return self.forecast - self.truth

    def at(self, step: int) -> "Evaluation":
        """One step ahead alone; the first step is 1."""
        one = slice(step - 1, step)
        return Evaluation(self.truth[:, one], self.forecast[:, one], self.last, self.unit, self.naive_mae)


def _mean(values: Floats) -> np.float64:
    return np.float64(values.mean())


def _mae(e: Evaluation) -> np.float64:
    return _mean(np.abs(e.error))


def _mse(e: Evaluation) -> np.float64:
    return _mean(np.square(e.error))


def _rmse(e: Evaluation) -> np.float64:
    return _mse(e) ** 0.5


def _mape(e: Evaluation) -> np.float64:
    return _mean(np.abs(e.error / e.truth))


def _smape(e: Evaluation) -> np.float64:
    size = np.abs(e.truth) + np.abs(e.forecast)
    return _mean(np.divide(2 * np.abs(e.error), size, out=np.zeros_like(size), where=size > 0))


def _wape(e: Evaluation) -> np.float64:
    return _mae(e) / _mean(np.abs(e.truth))


def _mase(e: Evaluation) -> np.float64:
    return _mae(e) / np.float64(e.naive_mae)


def _r2(e: Evaluation) -> np.float64:
    shifted = e.truth - e.truth[0, 0]  # so that a constant truth has a spread of exactly zero
    return 1 - _mse(e) / _mean(np.square(shifted - shifted.mean()))


def _skill(e: Evaluation) -> np.float64:
    return 1 - _rmse(e) / _mean(np.square(e.last - e.truth)) ** 0.5


Formula = Callable[[Evaluation], np.float64]

ERRORS: Mapping[str, Formula] = {
    "mae": _mae,
    "mse": _mse,
    "rmse": _rmse,
    "mae_scaled": lambda e: _mae(e) / e.unit,
    "mse_scaled": lambda e: _mse(e) / e.unit**2,
    "rmse_scaled": lambda e: _rmse(e) / e.unit,
    "smape": _smape,
}
RATIOS: Mapping[str, tuple[Formula, str]] = {
    "mape": (_mape, "the truth contains zeros"),
    "wape": (_wape, "the truth is zero throughout"),
    "mase": (_mase, "the target is constant in training"),
    "r2": (_r2, "the truth is constant"),
    "skill": (_skill, "the last known value is exact"),
}


#: Metrics of each step ahead, for curves over the horizon; all of them would multiply the rows.
PER_STEP = ("mae", "mse", "rmse")


def measure(split: str, evaluation: Evaluation) -> tuple[list[Metric], dict[str, str]]:
    """Every metric over all steps (horizon 0), some for each of several steps; why some were left out.

    Raises Diverged if a forecast, or an error that always has a value, is not finite.
    """
    metrics = [Metric(split, name, 0, value) for name, value in _errors(evaluation).items()]
    omitted: dict[str, str] = {}
    for name, (formula, reason) in RATIOS.items():
        value = _value(formula, evaluation)
        if np.isfinite(value):
            metrics.append(Metric(split, name, 0, value))
        else:
            omitted[f"{split}/{name}"] = reason
    return metrics + list(_each_step(split, evaluation)), omitted


def measure_component(split: str, component: str, evaluation: Evaluation) -> list[Metric]:
    """The errors and the skill of one component's forecasts, named `IMF0/rmse`, over all steps ahead.

    In the component's own units, which are the target's; skill is measured by its own last value.
    """
    measured, _ = measure(split, evaluation)
    wanted = (*PER_STEP, "skill")
    return [
        replace(metric, name=f"{component}/{metric.name}")
        for metric in measured
        if metric.name in wanted and metric.horizon == 0
    ]


def _each_step(split: str, evaluation: Evaluation) -> Iterator[Metric]:
    steps = evaluation.truth.shape[1]
    for step in range(1, steps + 1) if steps > 1 else ():
        part = evaluation.at(step)
        for name in PER_STEP:
            yield Metric(split, name, step, _value(ERRORS[name], part))


def _errors(part: Evaluation) -> dict[str, float]:
    values = {name: _value(formula, part) for name, formula in ERRORS.items()}
    if not np.isfinite(list(values.values())).all():
        raise Diverged("a forecast is not finite", cure="lower the learning rate or check the scale")
    return values


def _value(formula: Formula, part: Evaluation) -> float:
    with np.errstate(all="ignore"):  # a division by zero shows in the value
        return float(formula(part))
