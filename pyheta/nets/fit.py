"""The `fit` step: train one net on one component, seeing training and validation rows only."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyheta.nets.checkpoint import Checkpoint, write_arrays
from pyheta.nets.forecaster import Forecaster, History
from pyheta.nets.registry import build
from pyheta.ops import Result, Task
from pyheta.pipeline.scaling import Scaler, fit_scalers, scaled
from pyheta.pipeline.splits import Part, Split
from pyheta.pipeline.table import Table, read_table
from pyheta.pipeline.windows import Shape, Windows, cut


def fit(task: Task) -> Result:
    """Products `weights` (a checkpoint) and, for nets trained by gradient, `curves`.

    params: target, exog, split, window, scale, net, and train and seed where they matter.
    Raises StepError if a part is too short for a window, Diverged if training fails.
    """
    params = task.params
    table = read_table(task.inputs["load"]["table"])
    split = Split.of(params["split"], table.rows)
    columns = [params["target"], *params.get("exog", [])]
    known = table.select(columns).head(split.val_stop)  # from here on there are no test rows
    scalers = fit_scalers(params["scale"], known.columns, split.targets("train"))
    shape = Shape(len(columns), params["window"]["input"], params["window"]["horizon"])
    net = build(params["net"], shape, seed=params.get("seed", 0))
    train, val = _windows(known, scalers, split, shape, net)
    history = net.fit(train, val, params.get("train", {}), task.progress)
    checkpoint = Checkpoint(params["net"], shape, scalers, net.state())
    return _result(task, checkpoint, history, _summary(net, train, val))


def _windows(
    known: Table, scalers: Mapping[str, Scaler], split: Split, shape: Shape, net: Forecaster
) -> tuple[Windows, Windows]:
    series = scaled(known.columns, scalers, net.dtype)
    parts: tuple[Part, Part] = ("train", "val")
    train, val = (cut(series, split.targets(part), shape) for part in parts)
    return train, val


def _summary(net: Forecaster, train: Windows, val: Windows) -> dict[str, Any]:
    return {
        "windows": len(train),
        "parameters": sum(array.size for array in net.state().values()),
        "val_loss": float(np.square(net.predict(val.inputs) - val.targets).mean()),
    }


def _result(task: Task, checkpoint: Checkpoint, history: History | None, summary: dict[str, Any]) -> Result:
    weights = task.out / "weights.safetensors"
    checkpoint.save(weights)
    if history is None:
        return Result(products={"weights": weights}, summary=summary)
    curves = task.out / "curves.safetensors"
    write_arrays(curves, {"train_loss": history.train_loss, "val_loss": history.val_loss})
    trained = {
        "epochs": len(history.val_loss),
        "best_epoch": history.best_epoch,
        "stopped": history.stopped,
    }
    return Result(products={"weights": weights, "curves": curves}, summary=summary | trained)
