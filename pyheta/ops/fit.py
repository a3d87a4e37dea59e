"""The `fit` step: train one net on one component, seeing training and validation rows only."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyheta.errors import StepError
from pyheta.nets.checkpoint import Checkpoint, read_arrays, write_arrays
from pyheta.nets.forecaster import Forecaster
from pyheta.nets.registry import build
from pyheta.nets.training.earlier import Earlier
from pyheta.nets.training.history import History
from pyheta.nets.training.options import Options
from pyheta.nets.training.standing import Standing, State
from pyheta.ops.params import FitParams, needed
from pyheta.pipeline.channels import Channel, Source, read_channels
from pyheta.pipeline.scaling import Method, Scaler
from pyheta.pipeline.splits import Part, Split
from pyheta.pipeline.windows import Shape, Windows, cut
from pyheta.steps import EARLIER
from pyheta.task import Result, Task


def fit(task: Task) -> Result:
    """Products `weights` (a checkpoint), for nets trained by gradient `curves`, if resumable
    `standing`.

    The input `earlier` may hold the products of a fit of the same
    course: its epochs are not computed again. Raises StepError if a part is too short for a window
    or memory runs out, Diverged if training fails.
    """
    with shortage_blamed():
        one = Fit.of(task)
        return one.result(one.net.fit(one.train, one.val, one.options, task.progress, one.earlier))


#: How torch says that memory ran out, on a processor and on a graphics processor.
SHORTAGE = ("allocate memory", "out of memory")


@contextmanager
def shortage_blamed() -> Iterator[None]:
    """Memory that cannot be had as a StepError, whoever asked for it."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(
            words in str(error) for words in SHORTAGE
        ):
            raise
        cure = "lower train.batch_size, the window or the net's width"
        raise StepError(f"the net does not fit into memory: {error}", cure=cure) from error


@dataclass(frozen=True, slots=True)
class Fit:
    """A net that is not trained yet, with all that it is trained on. `scalers` has one for each
    source.

    `earlier` is a fit that this one can go on from.
    """

    task: Task
    params: FitParams
    net: Forecaster
    train: Windows
    val: Windows
    shape: Shape
    sources: Sequence[Source]
    scalers: Sequence[Scaler]
    earlier: Earlier | None

    @classmethod
    def of(cls, task: Task) -> "Fit":
        params = FitParams.of(task.params)
        window = params.window
        sources = [Source(**source) for source in params.sources]
        channels = read_channels(sources, task.inputs, window["input"])
        split = Split.of(params.split, len(channels[0].values))
        known = [
            channel.head(split.val_stop) for channel in channels
        ]  # from here on there are no test rows
        scalers = [_scaler(params.scale, channel, split) for channel in known]
        shape = Shape(len(sources), window["input"], window["horizon"], params.targets)
        net = build(params.net, shape, seed=params.seed or 0)
        train, val = _windows(known, scalers, split, shape, net)
        return cls(task, params, net, train, val, shape, sources, scalers, _earlier(task, params))

    @property
    def options(self) -> Mapping[str, Any]:
        """The `train` section."""
        return self.params.train or {}

    def result(self, history: History | None) -> Result:
        """What the step makes of the net, now that it is trained."""
        weights = self.task.out / "weights.safetensors"
        state = self.net.state()
        Checkpoint(self.params.net, self.shape, self.sources, self.scalers, state).save(weights)
        summary = {
            "windows": len(self.train),
            "parameters": sum(array.size for array in state.values()),
            "val_mse": float(np.square(self.net.predict(self.val) - self.val.targets).mean()),
        }
        if history is None:
            return Result(products={"weights": weights}, summary=summary)
        products = {"weights": weights} | self._written(history)
        return Result(products=products, summary=summary | _trained(history))

    def _written(self, history: History) -> dict[str, Path]:
        files: dict[str, State] = {
            "curves": {"train_loss": history.train_loss, "val_loss": history.val_loss}
        }
        if history.standing:
            files["standing"] = history.standing.arrays()
        paths = {name: self.task.out / f"{name}.safetensors" for name in files}
        facts = {"lr": history.lr, "engine": history.engine}
        for name, path in paths.items():
            write_arrays(path, files[name], facts)
        return paths


def _earlier(task: Task, params: FitParams) -> Earlier | None:
    """A fit of the same course from which this one can go on."""
    if not (products := task.inputs.get(EARLIER)):
        return None
    curves, facts = read_arrays(products["curves"])
    losses = list(zip(curves["train_loss"].tolist(), curves["val_loss"].tolist(), strict=True))
    standing = Standing.of(read_arrays(products["standing"])[0]) if "standing" in products else None
    earlier = Earlier(
        losses, **facts, kept=Checkpoint.read(products["weights"]).state, standing=standing
    )
    return earlier if earlier.serves(Options(**needed(params.train, "train"))) else None


def _scaler(method: Method, channel: Channel, split: Split) -> Scaler:
    start, stop = split.targets("train")
    return Scaler.fit(method, channel.values[max(start, channel.first) : stop].astype(np.float64))


def _windows(
    known: Sequence[Channel], scalers: Sequence[Scaler], split: Split, shape: Shape, net: Forecaster
) -> tuple[Windows, Windows]:
    series = [
        channel.scaled(scaler, net.dtype) for channel, scaler in zip(known, scalers, strict=True)
    ]
    parts: tuple[Part, Part] = ("train", "val")
    train, val = (cut(series, split.targets(part), shape) for part in parts)
    return train, val


def _trained(history: History) -> dict[str, Any]:
    return {
        "epochs": len(history.val_loss),
        "resumed": history.resumed,
        "kept_epoch": history.kept_epoch,
        "stopped": history.stopped,
        "engine": history.engine,
        "lr": history.lr,
    }
