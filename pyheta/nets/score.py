"""The `score` step: the only one that reads the test part. It forecasts, adds up and measures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyheta.nets.checkpoint import Checkpoint, write_arrays
from pyheta.nets.fitted import Fitted
from pyheta.ops import Result, Task
from pyheta.pipeline.components import WHOLE
from pyheta.pipeline.metrics import Evaluation, measure, measure_component
from pyheta.pipeline.recompose import Forecast, recompose, refuse_gap
from pyheta.pipeline.scaling import Scaler
from pyheta.pipeline.splits import Part, Split
from pyheta.pipeline.table import read_table
from pyheta.steps import Metric

PARTS: tuple[Part, ...] = ("val", "test")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """What is forecast: its values (rows,), the times of its rows, and how its errors are scaled."""

    time: NDArray[np.int64]
    values: Floats
    split: Split
    scaler: Scaler

    def truth(self, time: NDArray[np.int64], horizon: int) -> Floats:
        """(n, horizon): what came from these times on."""
        return np.asarray(self.values[self._rows(time)[:, None] + np.arange(horizon)])

    def evaluation(self, forecast: Forecast) -> Evaluation:
        training = self.values[: self.split.train_stop]
        return Evaluation(
            truth=self.truth(forecast.time, forecast.values.shape[1]),
            forecast=forecast.values,
            last=self.values[self._rows(forecast.time)[:, None] - 1],
            unit=self.scaler.unit,
            naive_mae=float(np.nanmean(np.abs(np.diff(training)))),
        )

    def _rows(self, time: NDArray[np.int64]) -> NDArray[np.intp]:
        return np.searchsorted(self.time, time)


def score(task: Task) -> Result:
    """Metrics of validation and test, and product `forecast`.

    params: target, split, scale, and the components whose fits it needs. `forecast` holds, for `val/` and
    `test/`: `time` (n,) int64, the microseconds since 1970 of each first target, `forecast` and `truth`
    (n, horizon) float32 in the target's units, and the components' as `test/IMF0/forecast`. Raises
    Diverged if a forecast is not finite, StepError if the components do not add up to the target.
    """
    series, fitted = _series(task), _fitted(task)
    arrays: dict[str, NDArray[Any]] = {}
    metrics: list[Metric] = []
    omitted: dict[str, str] = {}
    for part in PARTS:
        found, left_out = _part(part, series, fitted, arrays)
        metrics += found
        omitted |= left_out
    path = task.out / "forecast.safetensors"
    write_arrays(path, arrays)
    summary = {"targets": len(arrays["test/time"]), "skill": _skill(metrics), "omitted": omitted}
    return Result(products={"forecast": path}, metrics=tuple(metrics), summary=summary)


def _series(task: Task) -> Series:
    params = task.params
    table = read_table(task.inputs["load"]["table"]).select([params["target"]])
    split = Split.of(params["split"], table.rows)
    values = table.columns[params["target"]]
    return Series(table.time, values, split, Scaler.fit(params["scale"], values[: split.train_stop]))


def _fitted(task: Task) -> dict[str, Fitted]:
    paths = {name: task.inputs[f"fit/{name}"]["weights"] for name in task.params["components"]}
    return {name: Fitted.read(Checkpoint.read(path), task.inputs) for name, path in paths.items()}


def _part(
    part: Part, series: Series, fitted: Mapping[str, Fitted], arrays: dict[str, NDArray[Any]]
) -> tuple[list[Metric], dict[str, str]]:
    """The metrics of one part, and those that have no value; its arrays are added to `arrays`."""
    own = {name: replace(series, values=net.target, scaler=net.scaler) for name, net in fitted.items()}
    forecasts = {name: _forecast(part, own[name], net) for name, net in fitted.items()}
    whole = recompose(forecasts)
    evaluation = series.evaluation(whole)
    refuse_gap(whole, evaluation.truth)
    arrays |= dict(_arrays(part, whole, forecasts))
    metrics, omitted = measure(part, evaluation)
    for name, forecast in forecasts.items():
        if name != WHOLE:
            metrics += measure_component(part, name, own[name].evaluation(forecast))
    return metrics, omitted


def _forecast(part: Part, series: Series, net: Fitted) -> Forecast:
    """What a net forecasts for one part, beside what came."""
    windows = net.windows(part, series.split)
    time, values = series.time[windows.rows], net.predict(windows)
    return Forecast(time, series.truth(time, values.shape[1]), values)


def _arrays(
    part: Part, whole: Forecast, components: Mapping[str, Forecast]
) -> Iterator[tuple[str, NDArray[Any]]]:
    yield f"{part}/time", whole.time
    named = {"": whole, **{f"{name}/": one for name, one in components.items() if name != WHOLE}}
    for prefix, one in named.items():
        yield f"{part}/{prefix}forecast", one.values.astype(np.float32)
        yield f"{part}/{prefix}truth", one.truth.astype(np.float32)


def _skill(metrics: list[Metric]) -> float | None:
    """The test part's skill over all steps, if it has one."""
    wanted = ("test", "skill", 0)
    return next((m.value for m in metrics if (m.split, m.name, m.horizon) == wanted), None)
