"""The metrics of a forecast, each declared once.

`pipeline.scoring` computes them, sweeps name them in `report.metric`, reports show their units.

With y the truth, f the forecast, e = f - y, and the mean over all windows and steps of a slice
(from sums over all windows and never from means of batch means):

    mae, mse, rmse   mean |e|, mean e², its root: in the target's units
    bias             mean e: above 0 where forecasts are too high
    pinball          mean max(q (y - f), (q - 1)(y - f)), the loss of the quantile q (Koenker &
                     Bassett 1978); only of runs that are trained for a quantile
    *_scaled         the same in the units that the net was trained in
    mape             mean |e / y|, a fraction
    smape            mean 2|e| / (|y| + |f|), 0 … 2; a term with y = f = 0 counts as 0, where f is
                     0 up to rounding: see ZERO
    wape             mean |e| / mean |y|
    mase             mean |e| / mean |y(t) - y(t-m)| over the training rows, of which m make a
                     season; 1 where none is known (Hyndman & Koehler 2006, as in M4)
    rmsse            root of mean e² / mean (y(t) - y(t-m))² over the training rows (as in M5, where
                     m is 1)
    r2               1 - sum e² / sum (y - mean y)²
    skill            1 - rmse / rmse of the last known value, on the same targets

With y0 the last known value before a window, y - y0 the true change and f - y0 the forecast one:

    direction        share of the targets that move whose forecast moves to the same side, 0 … 1;
                     a forecast that does not move counts half, so 0.5 is a coin's. Targets that do
                     not move are not counted. What is within STILL of y0 has not moved.
    ic               correlation of true and forecast changes (Pearson's): of changes and not of
                     levels, as quants mean it, since levels correlate whatever one forecasts
    rank_ic          the same of their ranks (Spearman's), equal changes sharing their mean rank

Of one target all is computed in its own units, so that no metric but the scaled ones depends on how
it was scaled. Of several that are forecast together the means go over targets too, with e, y, mean
y and changes of each in its own scaled units. A metric in the target's units has no such value;
each target's own stands under its name, as `OT/rmse`.

Windows of several folds count alike, each with the training rows and the scaled units of its own.

A ratio whose denominator is zero has no value: it is left out and the reason is given.

Sweeps read this file, so it imports nothing heavy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # numpy takes longer to import than most commands that only look
    from collections.abc import Callable, Mapping

    from pyheta.pipeline.arrays import Floats


#: A forecast of 0 that went through a scaler, float32 or a sum is hardly ever 0 to the last bit. It
#: counts as 0 up to this share of the median size of the training values that are not 0.
ZERO = 1e-6
#: A change counts as none up to this share of the median distance of training values from their
#: median, of those that are not 0, and two changes count as equal within twice that: a level must
#: not decide it.
STILL = ZERO


class Changes(NamedTuple):
    """How changes from the last known value vary, true and forecast ones, each (…, cells).

    A cell is a step ahead, of one target. Squares and products are distances from the cell's means.
    """

    truth: Floats  # mean
    forecast: Floats  # mean
    truth_square: Floats
    forecast_square: Floats
    product: Floats
    still: Floats  # the square of what counts as no change

    def correlation(self) -> Floats:
        """Pearson's over all cells together (Chan et al. 1983); NaN where either is constant."""
        import numpy as np  # whoever computes has it already

        truth, forecast = (part - mean(part)[..., None] for part in (self.truth, self.forecast))
        true = mean(self.truth_square + truth * truth)
        forecasts = mean(self.forecast_square + forecast * forecast)
        together = mean(self.product + truth * forecast)
        varies = (true > mean(self.still)) & (forecasts > mean(self.still))
        root = np.sqrt(true) * np.sqrt(forecasts)  # their product may be too large for a float
        return np.where(varies, together / root, np.nan)


class Errors(NamedTuple):
    """What metrics are computed from: for each step ahead, means over all windows.

    Every term is (steps,), in the target's own units; of several targets in scaled units. A formula
    takes the mean over the last axis, by `mean`.
    """

    error: Floats  # e
    absolute: Floats  # |e|
    square: Floats  # e²
    pinball: Floats  # max(q (y - f), (q - 1)(y - f)); NaN where there is no quantile
    absolute_scaled: Floats
    square_scaled: Floats
    pinball_scaled: Floats
    naive: Floats  # e² of the last known value
    size: Floats  # |y|
    percentage: Floats  # |e / y|
    symmetric: Floats  # 2|e| / (|y| + |f|)
    relative: Floats  # |e| / mean |y(t) - y(t-m)| in training, m rows being one season
    relative_square: Floats  # e² / mean (y(t) - y(t-m))²
    moves: Floats  # 1 where y is not the last known value
    right: Floats  # of these 1 where f is on the same side of it, 1/2 where f is on none
    spread: Floats  # (y - mean y)², with the mean over all windows and steps
    changes: Changes
    rank_ic: Floats  # (): the correlation of the ranks, over all steps

    def each(self) -> Errors:
        """The same with an axis for the steps, (steps, 1): formulas then have a value for each."""
        changes = Changes(*(part[:, None] for part in self.changes))
        terms = {
            name: part[:, None]
            for name, part in self._asdict().items()
            if name not in {"changes", "rank_ic"}
        }
        return self._replace(**terms, changes=changes)


def mean(terms: Floats) -> Floats:
    """Over the steps ahead."""
    means: Floats = terms.mean(axis=-1)
    return means


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """Everything that is particular to one metric."""

    name: str
    formula: Callable[[Errors], Floats]
    unit: str  # as reports say it
    #: The metric is in the target's unit to this power; several targets have no unit in common.
    power: int = 0
    higher_is_better: bool = False
    signed: bool = False  # what is nearest to 0 is the best
    each_step: bool = False  # given for each step ahead too, for curves over the horizon
    of_components: bool = False  # given for each component of a target too
    of_quantiles: bool = False  # given only of runs that are trained for a quantile
    of_one: bool = False  # several targets together do not have it
    of_training: bool = True  # given for the training part too
    unscaled: str = ""  # the metric that is the same in the target's units, if this one is scaled
    undefined: str = ""  # why it may have no value; empty if it always has one

    @property
    def is_share(self) -> bool:
        """Whether its best is 1."""
        return self.higher_is_better

    def loss(self, value: float) -> float:
        """A value, turned so that less is better."""
        if self.signed:
            return abs(value)
        return -value if self.higher_is_better else value

    def is_given_each_step(self, *, several_targets: bool) -> bool:
        """Whether it is also given for each step.

        One target has it in the target's units, several have it scaled.
        """
        return self.each_step and not (self.power if several_targets else self.unscaled)


def _rmse(errors: Errors) -> Floats:
    return mean(errors.square) ** 0.5


OWN_UNITS = "in the target's own units"
SCALED_UNITS = "in units of the scaled target"


def _in_own_units(
    name: str, formula: Callable[[Errors], Floats], *, power: int = 1
) -> MetricDefinition:
    unit = OWN_UNITS + ", squared" * (power > 1)
    return MetricDefinition(name, formula, unit, power, each_step=True, of_components=True)


def _scaled(metric: MetricDefinition, formula: Callable[[Errors], Floats]) -> MetricDefinition:
    """The same in the net's units. Not of components: their scale says nothing of the target."""
    return replace(
        metric,
        name=f"{metric.name}_scaled",
        formula=formula,
        unit=metric.unit.replace(OWN_UNITS, SCALED_UNITS),
        power=0,
        of_components=False,
        unscaled=metric.name,
    )


MAE = _in_own_units("mae", lambda e: mean(e.absolute))
MSE = _in_own_units("mse", lambda e: mean(e.square), power=2)
RMSE = _in_own_units("rmse", _rmse)

MAE_SCALED = _scaled(MAE, lambda e: mean(e.absolute_scaled))
MSE_SCALED = _scaled(MSE, lambda e: mean(e.square_scaled))
RMSE_SCALED = _scaled(RMSE, lambda e: mean(e.square_scaled) ** 0.5)

BIAS = MetricDefinition(
    "bias",
    lambda e: mean(e.error),
    unit=f"mean forecast - truth, {OWN_UNITS}",
    power=1,
    signed=True,
    each_step=True,
)

PINBALL = MetricDefinition(
    "pinball",
    lambda e: mean(e.pinball),
    unit=f"loss of the quantile that the net is trained for, {OWN_UNITS}",
    power=1,
    each_step=True,
    of_quantiles=True,
)
PINBALL_SCALED = _scaled(PINBALL, lambda e: mean(e.pinball_scaled))

SMAPE = MetricDefinition(
    "smape",
    lambda e: mean(e.symmetric),
    unit="mean 2 |error| / (|truth| + |forecast|), from 0 to 2",
)

MAPE = MetricDefinition(
    "mape",
    lambda e: mean(e.percentage),
    unit="mean |error / truth|, a fraction",
    undefined="the truth contains zeros",
)

WAPE = MetricDefinition(
    "wape",
    lambda e: mean(e.absolute) / mean(e.size),
    unit="sum |error| / sum |truth|",
    undefined="the truth is zero throughout",
)

MASE = MetricDefinition(
    "mase",
    lambda e: mean(e.relative),
    unit="mae / mae of the value one season earlier on the training rows",
    undefined="training has no change from season to season",
)

RMSSE = MetricDefinition(
    "rmsse",
    lambda e: mean(e.relative_square) ** 0.5,
    unit="rmse / rmse of the value one season earlier on the training rows",
    undefined="training has no change from season to season",
)

R2 = MetricDefinition(
    "r2",
    lambda e: 1 - mean(e.square) / mean(e.spread),
    unit="share of the truth's variance that is explained",
    higher_is_better=True,
    undefined="the truth is constant",
)

SKILL = MetricDefinition(
    "skill",
    lambda e: 1 - (mean(e.square) / mean(e.naive)) ** 0.5,
    unit="1 - rmse / rmse of the last value on the same targets",
    higher_is_better=True,
    each_step=True,
    of_components=True,
    undefined="the last known value is exact",
)

DIRECTION = MetricDefinition(
    "direction",
    lambda e: mean(e.right) / mean(e.moves),
    unit="share of targets on the forecast's side of the last value, 0.5 by chance",
    higher_is_better=True,
    each_step=True,
    undefined="the truth never leaves the last known value",
)

IC = MetricDefinition(
    "ic",
    lambda e: e.changes.correlation(),
    unit="correlation of true and forecast changes from the last value",
    higher_is_better=True,
    each_step=True,
    undefined="the changes of the truth or of the forecast are all the same",
)

RANK_IC = MetricDefinition(
    "rank_ic",
    lambda e: e.rank_ic + 0 * e.changes.correlation(),  # neither where changes are all the same
    unit="correlation of the ranks of true and forecast changes from the last value",
    higher_is_better=True,
    of_one=True,
    of_training=False,  # ranking all of it would take longer than all other metrics together
    undefined="the changes of the truth or of the forecast are all the same",
)

#: Every metric by its name. Whoever adds one adds it here.
METRICS: Mapping[str, MetricDefinition] = {
    metric.name: metric
    for metric in (
        *(MAE, MSE, RMSE),
        *(MAE_SCALED, MSE_SCALED, RMSE_SCALED),
        *(SMAPE, MAPE, WAPE, MASE, RMSSE, R2, SKILL),
        *(BIAS, DIRECTION, IC, RANK_IC),
        *(PINBALL, PINBALL_SCALED),
    )
}
