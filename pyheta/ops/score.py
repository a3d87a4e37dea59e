"""The `score` step: the only one that reads the test part. It forecasts, adds up and measures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyheta.nets.checkpoint import Checkpoint, write_arrays
from pyheta.ops.fitted import Fitted
from pyheta.ops.params import ScoreParams
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.data.table import read_table
from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.pipeline.own_metrics import OwnMetric
from pyheta.pipeline.recompose import Forecast, recompose, refuse_gap
from pyheta.pipeline.scaling import Scaler, is_high
from pyheta.pipeline.scoring import Evaluation, Scales, score_part
from pyheta.pipeline.splits import Part, Split
from pyheta.steps import Metric
from pyheta.task import Result, Task

PARTS: tuple[Part, ...] = ("val", "test")

Times = NDArray[np.int64]
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Series:
    """A target, or a component of one: its values (rows,), their times, its errors' scale.

    `observed`: (rows,) bool, false where a value is carried on; None where none is. `exact`:
    whether forecasts of it hold nothing that is due to rounding.
    """

    time: Times
    values: Floats
    observed: NDArray[np.bool_] | None
    split: Split
    scaler: Scaler
    season: int  # rows
    exact: bool

    def component(self, net: Fitted, number: int) -> "Series":
        """The n-th target of a net: this series, or a component of it."""
        return replace(self, values=net.target(number), scaler=net.scalers[number])

    def with_truth(self, time: Times, forecast: Floats) -> Forecast:
        """Forecasts (n, horizon) from these times on, beside the true values."""
        return Forecast(
            time, self.values[self._rows(time) + np.arange(forecast.shape[1])], forecast
        )

    def evaluation(self, forecast: Forecast) -> Evaluation:
        scales = Scales.of(
            self.known[: self.split.train_stop],
            season=self.season,
            unit=self.scaler.unit,
            exact=self.exact,
        )
        last = self.values[self._rows(forecast.time) - 1]
        return Evaluation(forecast.truth, forecast.values, last, scales)

    @property
    def known(self) -> Floats:
        """The values, NaN where they are unknown or carried on."""
        return (
            self.values if self.observed is None else np.where(self.observed, self.values, np.nan)
        )

    def _rows(self, time: Times) -> NDArray[np.intp]:
        """(n, 1): where these times stand."""
        return np.searchsorted(self.time, time)[:, np.newaxis]


class Prediction(NamedTuple):
    """A net's forecasts of one part, from `time` (n,) on."""

    net: Fitted
    time: Times
    values: Floats  # (n, targets, horizon)


class TargetForecasts(NamedTuple):
    """One target in one part."""

    arrays: Arrays  # what is stored of its forecasts
    evaluations: Mapping[str, Evaluation]  # its own and its components'


def score(task: Task) -> Result:
    """Metrics of validation and test, and product `forecast` where `keep` is not "metrics".

    `forecast` holds, for `val/` and `test/`: `time` (n,) int64, the microseconds since 1970 of each
    first target row, `forecast` in the targets' units, (n, horizon) or, of several targets, (n,
    targets, horizon), and the components' as `test/IMF0/forecast`: float32, or float64 where the
    truth's level is so high that float32 would lose digits of it. The true values are not
    repeated there: `time` tells the rows of the table, or of a decomposition's `values`. Raises
    Diverged if a forecast is not finite, StepError if the components do not add up to the target.
    """
    params = ScoreParams.of(task.params)
    fitted = _fitted(task, params)
    series = _series(task, params, list(fitted.values()))
    arrays: Arrays = {}
    metrics: list[Metric] = []
    omitted: dict[str, str] = {}
    own = [OwnMetric.model_validate(metric) for metric in params.metrics or ()]
    for part in PARTS:
        by_target = _by_target(part, series, fitted)
        arrays = {**arrays, **_stacked(part, [each.arrays for each in by_target.values()])}
        evaluations = {target: each.evaluations for target, each in by_target.items()}
        scored = score_part(part, evaluations, quantile=params.quantile, own=own)
        metrics += scored.metrics
        omitted |= scored.omitted
    summary = {"forecasts": len(arrays["test/time"]), "skill": _skill(metrics), "omitted": omitted}
    # Forecasts of long horizons are gigabytes
    products = {} if params.keep == "metrics" else _written(task.out, arrays)
    return Result(products=products, metrics=tuple(metrics), summary=summary)


def _written(folder: Path, arrays: Arrays) -> dict[str, Path]:
    path = folder / "forecast.safetensors"
    write_arrays(path, arrays)
    return {"forecast": path}


def _series(task: Task, params: ScoreParams, nets: Sequence[Fitted]) -> dict[str, Series]:
    """The targets by name. Every net knows of each which of its values are carried on."""
    exact = len(nets) == 1 and nets[0].exact  # a sum is rounded too
    table = read_table(task.inputs["load"]["table"]).select(params.targets)
    split = Split.of(params.split, table.rows)
    observed = [channel.observed for channel in nets[0].channels[: len(params.targets)]]
    scalers = [
        Scaler.fit(params.scale, _training(values, known, split))
        for values, known in zip(table.columns.values(), observed, strict=True)
    ]
    return {
        target: Series(
            table.time, table.columns[target], known, split, scaler, params.season or 1, exact
        )
        for target, known, scaler in zip(params.targets, observed, scalers, strict=True)
    }


def _training(values: Floats, observed: NDArray[np.bool_] | None, split: Split) -> Floats:
    return Channel(values, observed=observed).known(split.train_stop).astype(np.float64)


def _fitted(task: Task, params: ScoreParams) -> dict[str, Fitted]:
    paths = {name: task.inputs[f"fit/{name}"]["weights"] for name in params.components}
    return {name: Fitted.read(Checkpoint.read(path), task.inputs) for name, path in paths.items()}


def _by_target(
    part: Part, series: Mapping[str, Series], fitted: Mapping[str, Fitted]
) -> dict[str, TargetForecasts]:
    first = next(iter(series.values()))
    predictions = {name: _predict(part, first, net) for name, net in fitted.items()}
    return {
        target: _of_target(number, series[target], predictions)
        for number, target in enumerate(series)
    }


def _predict(part: Part, series: Series, net: Fitted) -> Prediction:
    windows = net.windows(part, series.split)
    return Prediction(net, series.time[windows.rows], net.predict(windows))


def _of_target(
    number: int, series: Series, predictions: Mapping[str, Prediction]
) -> TargetForecasts:
    """The n-th target: its components' forecasts, added up."""
    own = {name: series.component(made.net, number) for name, made in predictions.items()}
    forecasts = {
        name: own[name].with_truth(made.time, made.values[:, number])
        for name, made in predictions.items()
    }
    summed = recompose(forecasts)
    whole = series.with_truth(summed.time, summed.values)
    refuse_gap(summed, whole.truth)
    own |= {WHOLE: series}
    forecasts |= {WHOLE: whole}
    evaluations = {name: own[name].evaluation(forecast) for name, forecast in forecasts.items()}
    return TargetForecasts({"time": whole.time, **dict(_stored(forecasts))}, evaluations)


def _stored(forecasts: Mapping[str, Forecast]) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, forecast in forecasts.items():
        prefix = "" if name == WHOLE else f"{name}/"
        dtype = np.float64 if is_high(forecast.truth[:, 0]) else np.float32
        yield f"{prefix}forecast", forecast.values.astype(dtype)


def _stacked(part: Part, targets: Sequence[Arrays]) -> Arrays:
    """The arrays of all targets, which have the same times, side by side."""
    first = targets[0]
    if len(targets) > 1:
        stacked = {name: np.stack([arrays[name] for arrays in targets], axis=1) for name in first}
        first = stacked | {"time": first["time"]}
    return {f"{part}/{name}": array for name, array in first.items()}


def _skill(metrics: Sequence[Metric]) -> float | None:
    """The test part's skill over all steps, if it has one."""
    wanted = ("test", "skill", 0)
    return next((m.value for m in metrics if (m.split, m.name, m.horizon) == wanted), None)
