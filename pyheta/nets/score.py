"""The `score` step: the only one that reads the test part. It forecasts, de-scales and measures."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyheta.nets.checkpoint import Checkpoint, write_arrays
from pyheta.ops import Result, Task
from pyheta.pipeline.metrics import Evaluation, measure
from pyheta.pipeline.scaling import scaled
from pyheta.pipeline.splits import Part, Split
from pyheta.pipeline.table import Table, read_table
from pyheta.pipeline.windows import Windows, cut
from pyheta.steps import Metric

PARTS: tuple[Part, ...] = ("val", "test")


def score(task: Task) -> Result:
    """Metrics of validation and test, and product `forecast`.

    params: target and split. `forecast` holds, for `val/` and `test/`: `time` (n,) int64, the
    microseconds since 1970 of each first target, `forecast` and `truth` (n, horizon) float32 in the
    target's units. Raises Diverged if a forecast is not finite.
    """
    target = task.params["target"]
    table = read_table(task.inputs["load"]["table"])
    split = Split.of(task.params["split"], table.rows)
    checkpoint = Checkpoint.read(task.inputs["fit/target"]["weights"])
    arrays: dict[str, NDArray[Any]] = {}
    metrics: list[Metric] = []
    omitted: dict[str, str] = {}
    for part in PARTS:
        windows, evaluation = _evaluate(checkpoint, table, target, split, part)
        measured, left_out = measure(part, evaluation)
        metrics += measured
        omitted |= left_out
        arrays |= _arrays(part, table.time[windows.rows], evaluation)
    path = task.out / "forecast.safetensors"
    write_arrays(path, arrays)
    summary = {"targets": len(arrays["test/time"]), "skill": _skill(metrics), "omitted": omitted}
    return Result(products={"forecast": path}, metrics=tuple(metrics), summary=summary)


def _evaluate(
    checkpoint: Checkpoint, table: Table, target: str, split: Split, part: Part
) -> tuple[Windows, Evaluation]:
    """One part's forecasts beside the truth, which is taken from the table and never re-scaled."""
    net = checkpoint.forecaster()
    columns = table.select(list(checkpoint.scalers)).columns
    series = scaled(columns, checkpoint.scalers, net.dtype)
    windows = cut(series, split.targets(part), checkpoint.shape)
    scaler = checkpoint.scalers[target]
    truth = table.columns[target]
    steps = np.arange(checkpoint.shape.horizon)
    return windows, Evaluation(
        truth=truth[windows.rows[:, None] + steps],
        forecast=scaler.invert(net.predict(windows.inputs)),
        last=truth[windows.rows[:, None] - 1],
        unit=scaler.unit,
        naive_mae=float(np.abs(np.diff(truth[: split.train_stop])).mean()),
    )


def _arrays(part: Part, time: NDArray[np.int64], evaluation: Evaluation) -> dict[str, NDArray[Any]]:
    return {
        f"{part}/time": time,
        f"{part}/forecast": evaluation.forecast.astype(np.float32),
        f"{part}/truth": evaluation.truth.astype(np.float32),
    }


def _skill(metrics: list[Metric]) -> float | None:
    """The test part's skill over all steps, if it has one."""
    wanted = ("test", "skill", 0)
    return next((m.value for m in metrics if (m.split, m.name, m.horizon) == wanted), None)
