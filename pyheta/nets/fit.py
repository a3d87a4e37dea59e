"""The `fit` step: train one net on one component, seeing training and validation rows only."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyheta.nets.checkpoint import Checkpoint, write_arrays
from pyheta.nets.forecaster import Forecaster, History
from pyheta.nets.registry import build
from pyheta.ops import Outcomes, Result, Task, one_by_one
from pyheta.pipeline.channels import Channel, Source, read_channels
from pyheta.pipeline.scaling import Method, Scaler
from pyheta.pipeline.splits import Part, Split
from pyheta.pipeline.windows import Shape, Windows, cut


def fit_lanes(tasks: Sequence[Task]) -> Outcomes:
    """Train the nets of several steps that have the same bundle."""
    return one_by_one(fit, tasks)


def fit(task: Task) -> Result:
    """Products `weights` (a checkpoint) and, for nets trained by gradient, `curves`.

    params: sources (the targets first), targets (how many), split, window, scale, net, and train and seed
    where they matter. Raises StepError if a part is too short for a window, Diverged if training fails.
    """
    params = task.params
    sources = [Source(**source) for source in params["sources"]]
    channels = read_channels(sources, task.inputs, params["window"]["input"])
    split = Split.of(params["split"], len(channels[0].values))
    known = [channel.head(split.val_stop) for channel in channels]  # from here on there are no test rows
    scalers = [_scaler(params["scale"], channel, split) for channel in known]
    window = params["window"]
    shape = Shape(len(sources), window["input"], window["horizon"], params["targets"])
    net = build(params["net"], shape, seed=params.get("seed", 0))
    train, val = _windows(known, scalers, split, shape, net)
    history = net.fit(train, val, params.get("train", {}), task.progress)
    checkpoint = Checkpoint(params["net"], shape, sources, scalers, net.state())
    return _result(task, checkpoint, history, _summary(net, train, val))


def _scaler(method: Method, channel: Channel, split: Split) -> Scaler:
    start, stop = split.targets("train")
    return Scaler.fit(method, channel.values[max(start, channel.first) : stop].astype(np.float64))


def _windows(
    known: Sequence[Channel], scalers: Sequence[Scaler], split: Split, shape: Shape, net: Forecaster
) -> tuple[Windows, Windows]:
    series = [channel.scaled(scaler, net.dtype) for channel, scaler in zip(known, scalers, strict=True)]
    parts: tuple[Part, Part] = ("train", "val")
    train, val = (cut(series, split.targets(part), shape) for part in parts)
    return train, val


def _summary(net: Forecaster, train: Windows, val: Windows) -> dict[str, Any]:
    return {
        "windows": len(train),
        "parameters": sum(array.size for array in net.state().values()),
        "val_loss": float(np.square(net.predict(val) - val.targets).mean()),
    }


def _result(
    task: Task, checkpoint: Checkpoint, history: History | None, summary: Mapping[str, Any]
) -> Result:
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
        "engine": history.engine,
    }
    return Result(products={"weights": weights, "curves": curves}, summary={**summary, **trained})
