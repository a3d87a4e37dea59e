"""The metrics of a forecast, each declared once.

`pipeline.scoring` computes them, sweeps name them in `report.metric`, reports show their units.

With y the truth, f the forecast, e = f - y, and the mean over all windows and steps of a slice
(from sums over all windows and never from means of batch means):

    mae, mse, rmse   mean |e|, mean e², its root: in the target's units
    *_scaled         the same in the units that the net was trained in
    mape             mean |e / y|, a fraction
    smape            mean 2|e| / (|y| + |f|), 0 … 2; a term with y = f = 0 counts as 0, where f is
                     0 up to rounding: see ZERO
    wape             mean |e| / mean |y|
    mase             mean |e| / mean |y(t) - y(t-m)| over the training rows, of which m make a
                     season; 1 where none is known (Hyndman & Koehler 2006, as in M4)
    r2               1 - sum e² / sum (y - mean y)²
    skill            1 - rmse / rmse of the last known value, on the same targets

Of one target all is computed in its own units, so that no metric but the scaled ones depends on how
it was scaled. Of several that are forecast together the means go over targets too, with e, y and
mean y of each in its own scaled units. A metric in the target's units has no such value; each
target's own stands under its name, as `OT/rmse`.

A ratio whose denominator is zero has no value: it is left out and the reason is given.

Sweeps read this file, so it imports nothing heavy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # numpy takes longer to import than most commands that only look
    from collections.abc import Callable, Mapping

    import numpy as np

    from pyheta.pipeline.arrays import Floats


#: A forecast of 0 that went through a scaler, float32 or a sum is hardly ever 0 to the last bit. It
#: counts as 0 up to this share of the median size of the training values that are not 0.
ZERO = 1e-6


class Errors(NamedTuple):
    """What metrics are computed from: for each step ahead, means over all windows.

    Every term is (steps,), in the target's own units; of several targets in scaled units.
    """

    absolute: Floats  # |e|
    square: Floats  # e²
    naive: Floats  # e² of the last known value
    size: Floats  # |y|
    spread: Floats  # (y - mean y)², with the mean over all windows and steps
    percentage: Floats  # |e / y|
    symmetric: Floats  # 2|e| / (|y| + |f|)
    relative: Floats  # |e| / mean |y(t) - y(t-m)| in training, m rows being one season

    def at(self, step: int) -> Errors:
        """One step ahead alone; the first step is 1."""
        return Errors(*(term[step - 1 : step] for term in self))

    def scaled(self, unit: float) -> Errors:
        """The same where `unit` of the target's own units are 1."""
        return self._replace(
            absolute=self.absolute / unit,
            square=self.square / unit / unit,  # unit² may be too small for a float
            naive=self.naive / unit / unit,
            size=self.size / unit,
            spread=self.spread / unit / unit,
        )


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """Everything that is particular to one metric."""

    name: str
    formula: Callable[[Errors], np.float64]
    unit: str  # as reports say it
    #: The metric is in the target's unit to this power; several targets have no unit in common.
    power: int = 0
    higher_is_better: bool = False
    each_step: bool = False  # given for each step ahead too, for curves over the horizon
    of_components: bool = False  # given for each component of a target too
    unscaled: str = ""  # the metric that is the same in the target's units, if this one is scaled
    undefined: str = ""  # why it may have no value; empty if it always has one

    def is_given_each_step(self, *, several_targets: bool) -> bool:
        """Whether it is also given for each step: all of them would multiply the rows.

        One target has it in the target's units, several have it scaled.
        """
        return self.each_step and not (self.power if several_targets else self.unscaled)


def _mean(terms: Floats) -> np.float64:
    mean: np.float64 = terms.mean()
    return mean


def _mae(errors: Errors) -> np.float64:
    return _mean(errors.absolute)


def _mse(errors: Errors) -> np.float64:
    return _mean(errors.square)


def _rmse(errors: Errors) -> np.float64:
    return _mse(errors) ** 0.5


OWN_UNITS = "in the target's own units"
SCALED_UNITS = "in units of the scaled target"


def _in_own_units(
    name: str, formula: Callable[[Errors], np.float64], *, power: int = 1
) -> MetricDefinition:
    unit = OWN_UNITS + ", squared" * (power > 1)
    return MetricDefinition(name, formula, unit, power, each_step=True, of_components=True)


def _scaled(metric: MetricDefinition) -> MetricDefinition:
    """The same in the net's units. Not of components: their scale says nothing of the target."""
    return replace(
        metric,
        name=f"{metric.name}_scaled",
        unit=metric.unit.replace(OWN_UNITS, SCALED_UNITS),
        power=0,
        of_components=False,
        unscaled=metric.name,
    )


MAE = _in_own_units("mae", _mae)
MSE = _in_own_units("mse", _mse, power=2)
RMSE = _in_own_units("rmse", _rmse)

MAE_SCALED, MSE_SCALED, RMSE_SCALED = map(_scaled, (MAE, MSE, RMSE))

SMAPE = MetricDefinition(
    "smape",
    lambda e: _mean(e.symmetric),
    unit="mean 2 |error| / (|truth| + |forecast|), from 0 to 2",
)

MAPE = MetricDefinition(
    "mape",
    lambda e: _mean(e.percentage),
    unit="mean |error / truth|, a fraction",
    undefined="the truth contains zeros",
)

WAPE = MetricDefinition(
    "wape",
    lambda e: _mae(e) / _mean(e.size),
    unit="sum |error| / sum |truth|",
    undefined="the truth is zero throughout",
)

MASE = MetricDefinition(
    "mase",
    lambda e: _mean(e.relative),
    unit="mae / mae of the value one season earlier on the training rows",
    undefined="training has no change from season to season",
)

R2 = MetricDefinition(
    "r2",
    lambda e: 1 - _mse(e) / _mean(e.spread),
    unit="share of the truth's variance that is explained",
    higher_is_better=True,
    undefined="the truth is constant",
)

SKILL = MetricDefinition(
    "skill",
    lambda e: 1 - (_mse(e) / _mean(e.naive)) ** 0.5,
    unit="1 - rmse / rmse of the last value on the same targets",
    higher_is_better=True,
    of_components=True,
    undefined="the last known value is exact",
)

#: Every metric by its name. Whoever adds one adds it here.
METRICS: Mapping[str, MetricDefinition] = {
    metric.name: metric
    for metric in (
        *(MAE, MSE, RMSE),
        *(MAE_SCALED, MSE_SCALED, RMSE_SCALED),
        *(SMAPE, MAPE, WAPE, MASE, R2, SKILL),
    )
}
