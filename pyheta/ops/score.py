"""The `score` step: measures a run's forecasts against the truth, those of all its folds together.

It is the result of a run. A new metric costs nothing but this step: no fit, no forecast.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyheta.ops.forecast import predicted, truth_at
from pyheta.ops.params import ForecastParams, ScoreParams
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.channels import Channel, Source
from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.pipeline.error_profile import Profile, profile_of, write_profile
from pyheta.pipeline.forecasts import Forecasts
from pyheta.pipeline.losses import Judged, Losses, PartLosses, joined, losses_of, write_losses
from pyheta.pipeline.own_metrics import OwnMetric
from pyheta.pipeline.scaling import Scaler
from pyheta.pipeline.scoring import Evaluation, Scales, pooled, score_part
from pyheta.pipeline.seen import Inputs, Seen
from pyheta.pipeline.splits import PARTS, Part, Split
from pyheta.steps import Metric
from pyheta.task import Result, Task

#: What the small products tell of. Training errors say how far a net has overfitted, no more.
JUDGED: tuple[Part, ...] = ("val", "test")


def score(task: Task) -> Result:
    """Metrics of training, validation and test; products `losses` and `profile`.

    See `pipeline.losses` and `pipeline.error_profile`. Of several folds the windows of validation
    and test are measured as those of one; each fold's training has its own score. Raises what a
    forecast raises, where forecasts are not kept.
    """
    params = ScoreParams.of(task.params)
    folds = [Fold.of(number, params, task.inputs) for number in range(len(params.folds))]
    own = [OwnMetric.model_validate(metric) for metric in params.metrics or ()]
    metrics: list[Metric] = []
    omitted: dict[str, str] = {}
    for part in _measured(params):
        some = _of(part, folds)
        evaluations = {target: dict(_evaluations(part, some, target)) for target in params.targets}
        scored = score_part(part, evaluations, quantile=params.quantile, own=own)
        metrics += scored.metrics
        omitted |= scored.omitted
    count = sum(len(fold.forecasts.time("test")) for fold in folds)
    summary = {"forecasts": count, "skill": _skill(metrics), "omitted": omitted}
    products = {"losses": _losses(folds, task.out), "profile": _profile(folds, params, task.out)}
    return Result(products=products, metrics=tuple(metrics), summary=summary)


@dataclass(frozen=True, slots=True)
class Series:
    """A target, or a component of one: times and values (rows,), and the scales of its errors."""

    time: NDArray[np.int64]
    values: Floats
    scales: Scales

    def evaluation(self, time: NDArray[np.int64], forecast: Floats) -> Evaluation:
        """Forecasts (n, horizon) from these times on, beside the true values."""
        truth = truth_at(self.values, time, forecast.shape[1], self.time)
        last = self.values[np.searchsorted(self.time, time)[:, np.newaxis] - 1]
        return Evaluation(truth, forecast, last, self.scales)


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold's forecasts, and the series that they are measured against, by target."""

    split: Split
    time: NDArray[np.int64]
    forecasts: Forecasts
    series: Mapping[str, Mapping[str, Series]]  # of each target by component, itself among them

    @classmethod
    def of(cls, number: int, params: ScoreParams, inputs: Inputs) -> "Fold":
        """The inputs of a fold have its number before their roles."""
        own = {
            role.partition("/")[2]: products
            for role, products in inputs.items()
            if role.partition("/")[0] == str(number)
        }
        own["load"] = inputs["load"]
        forecasts = _forecasts(params, number, own)
        split = params.splits[number]
        truths = _Truths(params, split, Seen.of(params, own), forecasts.exact)
        series = {
            target: {name: truths.series(target, name) for name in (WHOLE, *params.components)}
            for target in params.targets
        }
        return cls(split, truths.seen.table().time, forecasts, series)

    def rows(self, part: Part) -> NDArray[np.intp]:
        """(n,): where the targets of a part's windows begin."""
        return np.searchsorted(self.time, self.forecasts.time(part))

    def evaluation(self, part: Part, target: str, component: str = WHOLE) -> Evaluation:
        number = list(self.series).index(target)
        forecast = self.forecasts.values(part, number, component)
        return self.series[target][component].evaluation(self.forecasts.time(part), forecast)

    @property
    def units(self) -> dict[str, float]:
        """What 1 in scaled units is in each target's own."""
        return {target: float(of[WHOLE].scales.unit) for target, of in self.series.items()}

    def judged(self, part: Part, units: Mapping[str, float]) -> dict[str, Judged]:
        """The targets as the small products take them, in these units."""
        evaluations = {target: self.evaluation(part, target) for target in self.series}
        return {
            target: Judged(one.truth, one.forecast, units[target])
            for target, one in evaluations.items()
        }


def _forecasts(params: ScoreParams, number: int, inputs: Inputs) -> Forecasts:
    if "forecast" in inputs:
        return Forecasts.read(inputs["forecast"]["forecast"])
    asked = ForecastParams(  # they are not kept
        targets=params.targets,
        components=params.components,
        split=params.folds[number],
        stride=params.stride,
    )
    return predicted(asked, inputs, _measured(params))


def _measured(params: ScoreParams) -> Sequence[Part]:
    """Folds train on the same rows again and again: together they are not measured on them."""
    return PARTS if len(params.folds) == 1 else JUDGED


@dataclass(frozen=True, slots=True)
class _Truths:
    """What one fold's forecasts are held against. `exact`: no forecast holds a rounding error."""

    params: ScoreParams
    split: Split
    seen: Seen
    exact: bool

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
        return Series(table.time, values, self._scales(Channel(values, observed=observed)))

    def _scales(self, channel: Channel) -> Scales:
        rows = slice(*self.split.train)
        training = channel.values[rows].astype(np.float64)
        if channel.observed is not None:
            training = np.where(channel.observed[rows], training, np.nan)
        known = channel.known(self.split.train).astype(np.float64)
        unit = Scaler.fit(self.params.scale, known).unit
        return Scales.of(training, season=self.params.season or 1, unit=unit, exact=self.exact)


def _of(part: Part, folds: Sequence[Fold]) -> Sequence[Fold]:
    """The folds whose windows of a part count: those that share a fit are validated once."""
    return folds if part == "test" else list({fold.split.learning: fold for fold in folds}.values())


def _evaluations(
    part: Part, folds: Sequence[Fold], target: str
) -> Iterator[tuple[str, Evaluation]]:
    """A target and its components, the windows of all folds as those of one."""
    for component in folds[0].series[target]:
        each = [fold.evaluation(part, target, component) for fold in folds]
        yield component, each[0] if len(each) == 1 else pooled(each)


def _losses(folds: Sequence[Fold], out: Path) -> Path:
    path = out / "losses.safetensors"
    write_losses(path, Losses({part: _losses_of(part, _of(part, folds)) for part in JUDGED}))
    return path


def _losses_of(part: Part, folds: Sequence[Fold]) -> PartLosses:
    units = folds[-1].units  # those of one fold for all: else an error would weigh by its fold
    return joined([losses_of(fold.rows(part), fold.judged(part, units)) for fold in folds])


def _profile(folds: Sequence[Fold], params: ScoreParams, out: Path) -> Path:
    path = out / "profile.json"
    write_profile(path, {part: _profile_of(part, _of(part, folds), params) for part in JUDGED})
    return path


def _profile_of(part: Part, folds: Sequence[Fold], params: ScoreParams) -> Profile:
    rows = np.concatenate([fold.rows(part) for fold in folds])
    units = folds[-1].units
    each = [fold.judged(part, units) for fold in folds]
    judged = {
        target: Judged(
            np.concatenate([fold[target].truth for fold in each]),
            np.concatenate([fold[target].forecast for fold in each]),
            unit,
        )
        for target, unit in units.items()
    }
    time = None if params.counted else folds[0].time
    return profile_of(rows, judged, time, params.season or 1)


def _skill(metrics: Sequence[Metric]) -> float | None:
    """The test part's skill over all steps, if it has one."""
    wanted = ("test", "skill", 0)
    return next((m.value for m in metrics if (m.split, m.name, m.horizon) == wanted), None)
