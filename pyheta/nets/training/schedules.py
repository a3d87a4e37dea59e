"""Learning rate schedules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, pi
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pyheta.nets.training.options import ScheduleName, Train
from pyheta.pipeline.arrays import Floats

# One cycle (Smith & Topin 2018) with torch's defaults: during 0.3 of all batches the rate rises
# from lr / 25 to lr, then it falls to lr / 25 / 10,000.
RISE, START, END = 0.3, 1 / 25, 1 / 25 / 1e4


def rates(options: Train, epoch: int, batches: int) -> Floats:
    """(batches,): the learning rate of each batch of an epoch. The first epoch is 0."""
    return options.lr * SCHEDULES[options.schedule].shares(options, epoch, batches)


def _constant(_: Train, __: int, batches: int) -> Floats:
    return np.ones(batches)


def _cosine(options: Train, epoch: int, batches: int) -> Floats:
    """From the full rate towards 0 (Loshchilov & Hutter 2017, without restarts)."""
    return np.full(batches, (1 + cos(pi * epoch / options.epochs)) / 2)


def _step(options: Train, epoch: int, batches: int) -> Floats:
    return np.full(batches, options.step_factor ** (epoch // options.step_epochs))


def _one_cycle(options: Train, epoch: int, batches: int) -> Floats:
    total = options.epochs * batches
    top, last = RISE * total - 1, total - 1
    at = np.arange(epoch * batches, (epoch + 1) * batches)
    rise = _between(START, 1.0, at / top) if top > 0 else np.ones(batches)
    fall = _between(1.0, END, (at - top) / (last - top)) if last > top else np.ones(batches)
    return np.where(at <= top, rise, fall)


def _between(start: float, stop: float, share: NDArray[np.floating[Any]]) -> Floats:
    """Along half a cosine."""
    return np.asarray(stop + (start - stop) * (1 + np.cos(pi * share)) / 2)


@dataclass(frozen=True, slots=True)
class Schedule:
    """`shares(options, epoch, batches)` is each batch's learning rate as a share of `options.lr`.

    Where the shares depend on `options.epochs`, a fit cannot be resumed with more epochs.
    """

    shares: Callable[[Train, int, int], Floats]
    depends_on_epochs: bool


SCHEDULES: Final[Mapping[ScheduleName, Schedule]] = {
    "constant": Schedule(_constant, depends_on_epochs=False),
    "cosine": Schedule(_cosine, depends_on_epochs=True),
    "step": Schedule(_step, depends_on_epochs=False),
    "one_cycle": Schedule(_one_cycle, depends_on_epochs=True),
}
