"""The `fit` step: train one net on one component, seeing training and validation rows only."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from pyheta.errors import StepError
from pyheta.nets.checkpoint import Checkpoint
from pyheta.nets.forecaster import Forecaster
from pyheta.nets.registry import build
from pyheta.nets.training.history import History
from pyheta.nets.training.options import Train
from pyheta.nets.training.resume import EarlierFit, can_resume
from pyheta.nets.training.trainer_state import State, TrainerState
from pyheta.ops.params import FitParams, needed
from pyheta.pipeline.channels import Channel, Source, read_channels
from pyheta.pipeline.scaling import OWN_UNITS, Method, Scaler
from pyheta.pipeline.seen import Seen
from pyheta.pipeline.splits import Part, Split
from pyheta.pipeline.stored import read_arrays, write_arrays
from pyheta.pipeline.transforms import transformed
from pyheta.pipeline.windows import Shape, Windows, cut
from pyheta.steps import EARLIER
from pyheta.task import Result, Task

#: The product that holds the trainer state: stores are full of it under this name.
TRAINER_STATE: Final = "standing"


def fit(task: Task) -> Result:
    """Train one net.

    Products: `weights` (a checkpoint); of a net trained by gradient also `curves`, and
    TRAINER_STATE if it is resumable.

    The input `earlier` may hold the products of a fit of the same
    course: its epochs are not computed again. Raises StepError if a part is too short for a window
    or memory runs out, Diverged if training fails.
    """
    with memory_errors_as_step_errors():
        ready = Fit.of(task)
        return ready.result(ready.trained())


#: How torch says that memory ran out, on a CPU and on a GPU.
OUT_OF_MEMORY = ("allocate memory", "out of memory")


@contextmanager
def memory_errors_as_step_errors() -> Iterator[None]:
    """Raises StepError where Python or torch runs out of memory."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not (isinstance(error, MemoryError) or any(w in str(error) for w in OUT_OF_MEMORY)):
            raise
        cure = "lower train.batch_size, the window or the net's width"
        raise StepError(f"the net does not fit into memory: {error}", cure=cure) from error


@dataclass(frozen=True, slots=True)
class Fit:
    """A net that is not trained yet, with all that it is trained on.

    `scalers` has one for each source; `earlier` is a fit that can be resumed.
    """

    task: Task
    params: FitParams
    net: Forecaster
    train: Windows
    val: Windows
    shape: Shape
    sources: Sequence[Source]
    scalers: Sequence[Scaler]
    earlier: EarlierFit | None

    @classmethod
    def of(cls, task: Task) -> "Fit":
        params = FitParams.of(task.params)
        window = params.window
        sources = [Source(**source) for source in params.sources]
        seen = read_channels(sources, Seen.of(params, task.inputs), window["input"])
        channels = transformed(seen, params.targets, params.transform or "none")
        split = params.learning
        scalers = [_scaler(params.scale, channel, split) for channel in channels]
        shape = Shape(len(sources), window["input"], window["horizon"], params.targets)
        net = build(params.net, shape, seed=params.seed or 0)
        train, val = _windows(channels, scalers, split, shape, net)
        return cls(task, params, net, train, val, shape, sources, scalers, _earlier(task, params))

    @property
    def options(self) -> Train:
        """The `train` section; its defaults for a net that is not trained by gradient."""
        return Train(**(self.params.train or {}))

    def trained(self) -> History | None:
        """Train the net."""
        return self.net.fit(self.train, self.val, self.options, self.task.progress, self.earlier)

    def result(self, history: History | None) -> Result:
        """Write the products of the trained net."""
        weights = self.task.out / "weights.safetensors"
        state = self.net.state()
        method = self.params.transform or "none"
        Checkpoint(self.params.net, self.shape, self.sources, self.scalers, state, method).save(
            weights
        )
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
        if history.trainer_state:
            files[TRAINER_STATE] = history.trainer_state.arrays()
        paths = {name: self.task.out / f"{name}.safetensors" for name in files}
        facts = {"lr": history.lr, "engine": history.engine}
        for name, path in paths.items():
            write_arrays(path, files[name], facts)
        return paths


def _earlier(task: Task, params: FitParams) -> EarlierFit | None:
    """A fit of the same course, if it can be resumed."""
    if not (products := task.inputs.get(EARLIER)):
        return None
    curves, facts = read_arrays(products["curves"])
    losses = list(zip(curves["train_loss"].tolist(), curves["val_loss"].tolist(), strict=True))
    state = products.get(TRAINER_STATE)
    earlier = EarlierFit(
        losses,
        **facts,
        kept=Checkpoint.read(products["weights"]).state,
        trainer_state=TrainerState.of(read_arrays(state)[0]) if state else None,
    )
    return earlier if can_resume(earlier, Train(**needed(params.train, "train"))) else None


def _scaler(method: Method | None, channel: Channel, split: Split) -> Scaler:
    if method is None:
        return OWN_UNITS
    return Scaler.fit(method, channel.known(split.train).astype(np.float64))


def _windows(
    channels: Sequence[Channel],
    scalers: Sequence[Scaler],
    split: Split,
    shape: Shape,
    net: Forecaster,
) -> tuple[Windows, Windows]:
    series = [
        channel.scaled(scaler, net.dtype) for channel, scaler in zip(channels, scalers, strict=True)
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
