"""The `fit` step: train one net on one component, seeing training and validation rows only."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
from pyheta.pipeline.splits import Rows
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
    TRAINER_STATE if it is resumable; `final` (a checkpoint) of one that is trained once more, on
    training and validation rows.

    The input `earlier` may hold the products of a fit of the same
    course: its epochs are not computed again. Raises StepError if a part is too short for a window
    or memory runs out, Diverged if training fails.
    """
    with memory_errors_as_step_errors():
        ready = Fit.of(task)
        history = ready.trained()
        final = ready.final(history)
        if final:
            final.trained()
        return ready.result(history, final)


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

    `scalers` has one for each source. `options` are those of `train`, its defaults for a net that
    is not trained by gradient. `earlier` is a fit that can be resumed.
    """

    task: Task
    params: FitParams
    net: Forecaster
    train: Windows
    val: Windows
    shape: Shape
    sources: Sequence[Source]
    scalers: Sequence[Scaler]
    options: Train
    earlier: EarlierFit | None

    @classmethod
    def of(cls, task: Task) -> "Fit":
        params = FitParams.of(task.params)
        options = Train(**(params.train or {}))
        return cls._begun(task, params, params.learning.train, options, _earlier(task, params))

    @classmethod
    def _begun(
        cls, task: Task, params: FitParams, rows: Rows, options: Train, earlier: EarlierFit | None
    ) -> "Fit":
        """A net with its first weights that is to learn from these rows."""
        window = params.window
        sources = [Source(**source) for source in params.sources]
        seen = read_channels(sources, Seen.of(params, task.inputs), window["input"])
        channels = transformed(seen, params.targets, params.transform or "none")
        scalers = [_scaler(params.scale, channel, rows) for channel in channels]
        shape = Shape(len(sources), window["input"], window["horizon"], params.targets)
        net = build(params.net, shape, seed=params.seed or 0)
        series = [
            channel.scaled(scaler, net.dtype)
            for channel, scaler in zip(channels, scalers, strict=True)
        ]
        train, val = (cut(series, part, shape) for part in (rows, params.learning.val))
        return cls(task, params, net, train, val, shape, sources, scalers, options, earlier)

    def trained(self) -> History | None:
        """Train the net."""
        return self.net.fit(self.train, self.val, self.options, self.task.progress, self.earlier)

    def final(self, history: History | None) -> "Fit | None":
        """The same net with its first weights again, to learn from training and validation as one.

        None if that is not asked for. What validation has decided in the training that this history
        tells of stays decided: the number of epochs, the learning rate, the penalty. Scalers see
        all of these rows too. The losses on validation, which it sees, decide nothing.
        """
        if not self.params.final:
            return None
        rows = (self.params.learning.train[0], self.params.learning.val[1])
        params = replace(self.params, net={**self.params.net, **self.net.decided()})
        options = history.decided(self.options) if history else self.options
        return self._begun(self.task, params, rows, options, earlier=None)

    def result(self, history: History | None, final: "Fit | None" = None) -> Result:
        """Write the products of the trained net, and of the one that was trained once more."""
        products = {"weights": self._saved("weights")}
        summary = {
            "windows": len(self.train),
            "parameters": sum(array.size for array in self.net.state().values()),
            "val_mse": float(np.square(self.net.predict(self.val) - self.val.targets).mean()),
        }
        if final:
            products["final"] = final._saved("final")  # noqa: SLF001 (another of this class)
        if history:
            products |= self._written(history)
            summary |= _trained(history)
        if history and final:
            summary["final_epochs"] = final.options.epochs
        return Result(products=products, summary=summary)

    def _saved(self, name: str) -> Path:
        path = self.task.out / f"{name}.safetensors"
        params, state = self.params, self.net.state()
        transform = params.transform or "none"
        Checkpoint(params.net, self.shape, self.sources, self.scalers, state, transform).save(path)
        return path

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


def _scaler(method: Method | None, channel: Channel, rows: Rows) -> Scaler:
    if method is None:
        return OWN_UNITS
    return Scaler.fit(method, channel.known(rows).astype(np.float64))


def _trained(history: History) -> dict[str, Any]:
    return {
        "epochs": len(history.val_loss),
        "resumed": history.resumed,
        "kept_epoch": history.kept_epoch,
        "stopped": history.stopped,
        "engine": history.engine,
        "lr": history.lr,
    }
