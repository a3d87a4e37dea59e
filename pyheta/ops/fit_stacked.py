"""Fits on a graphics processor: in stacks as large as its memory takes, and alone what cannot be
stacked.
"""

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

import torch

from pyheta.errors import StepError
from pyheta.nets.engines import stacked
from pyheta.nets.engines.device import device
from pyheta.nets.gradient import GradientForecaster
from pyheta.nets.training.history import History
from pyheta.nets.training.options import Options
from pyheta.ops.fit import Fit, fit, shortage_blamed
from pyheta.task import Outcomes, Result, Task

Histories = Iterator[tuple[int, History | Exception]]

BUDGET = 4 << 30  # bytes of windows that are made ready together


def fit_stacked(tasks: Sequence[Task]) -> Outcomes:
    """The outcomes of fits by their places, as soon as each is known."""
    fits: dict[int, Fit] = {}
    for lane, task in enumerate(tasks):
        try:
            with shortage_blamed():
                one = Fit.of(task)
        except Exception as error:  # noqa: BLE001 -- whatever it raises is the lane's outcome
            yield lane, error
            continue
        if not _stackable(one):
            yield lane, _alone(task)
            continue
        fits[lane] = one
        if (
            len(fits) * max(map(_bytes, fits.values())) > BUDGET
        ):  # in a stack all are as wide as the widest
            yield from _trained(fits)
            fits = {}
    yield from _trained(fits)


def _stackable(one: Fit) -> bool:
    """Whether it is known that the net is the same in a stack."""
    net = one.net
    if not isinstance(net, GradientForecaster) or not net.config.stackable:
        return False
    alone = net.config.reads_rows or one.options.get("find_lr")
    return not alone and stacked.stackable(net.module)


def _bytes(one: Fit) -> int:
    return (
        one.train.inputs.nbytes
        + one.train.targets.nbytes
        + one.val.inputs.nbytes
        + one.val.targets.nbytes
    )


def _trained(fits: Mapping[int, Fit]) -> Outcomes:
    """A stack for each shape of windows and number of them; the number of columns may differ in
    some.
    """
    shaped = sorted((_shape(one), lane) for lane, one in fits.items())
    for _, alike in groupby(shaped, key=lambda one: one[0]):
        for lane, history in _stack({lane: fits[lane] for _, lane in alike}, device()):
            yield lane, _outcome(fits[lane], history)


def _shape(one: Fit) -> tuple[int, ...]:
    windows, columns, lookback = one.train.inputs.shape
    assert isinstance(one.net, GradientForecaster)  # noqa: S101 -- others are not stackable
    told_apart = 0 if one.net.config.paddable else columns
    return (told_apart, windows, lookback, *one.train.targets.shape, len(one.val))


def _outcome(one: Fit, history: History | Exception) -> Result | Exception:
    """What cannot be written down, as when its folder has gone, is one lane's affair."""
    if isinstance(history, Exception):
        return history
    try:
        return one.result(history)
    except Exception as error:  # noqa: BLE001 -- whatever it raises is the lane's outcome
        return error


def _alone(task: Task) -> Result | Exception:
    try:
        return fit(task)
    except Exception as error:  # noqa: BLE001 -- whatever it raises is the lane's outcome
        return error


def _stack(fits: Mapping[int, Fit], place: torch.device) -> Histories:
    """One stack; where the memory does not take it, its halves, begun anew."""
    left, short = dict(fits), ""
    try:
        for lane, history in _histories(fits, place):
            del left[lane]
            yield lane, history
    except torch.OutOfMemoryError as error:
        short = str(error)  # and not the error itself, which would keep the stack where it is
    if short and len(fits) == 1:
        cure = "lower train.batch_size or the net's width, or start the worker with --device cpu"
        failure = StepError(
            f"the net does not fit into the memory of the device: {short}", cure=cure
        )
        yield from ((lane, failure) for lane in left)
    elif short:
        _free(place)
        for half in _halves(list(left)):
            yield from _stack({lane: fits[lane] for lane in half}, place)


def _histories(fits: Mapping[int, Fit], place: torch.device) -> Histories:
    lanes = list(fits)
    for number, history in stacked.train([_lane(one) for one in fits.values()], place):
        yield lanes[number], history


def _free(place: torch.device) -> None:
    """Give back what the stack that did not fit has held."""
    gc.collect()
    if place.type == "cuda":
        torch.cuda.empty_cache()


def _halves(lanes: Sequence[int]) -> Iterable[Sequence[int]]:
    middle = len(lanes) // 2
    return filter(None, (lanes[:middle], lanes[middle:]))


def _lane(one: Fit) -> stacked.Lane:
    net = one.net
    assert isinstance(net, GradientForecaster)  # noqa: S101 -- others are not stackable
    options = Options(**one.options)
    return stacked.Lane(
        net.module, one.train, one.val, options, net.seed, one.task.progress, one.earlier
    )
