"""Fits on a graphics processor: in stacks as large as its memory takes, and alone what cannot be stacked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

import torch

from pyheta.errors import StepError
from pyheta.nets import stacked
from pyheta.nets.device import device
from pyheta.nets.fit import Fit, fit
from pyheta.nets.forecaster import History
from pyheta.nets.gradient import GradientForecaster
from pyheta.nets.options import Options
from pyheta.ops import Outcomes, Result, Task

Histories = Iterator[tuple[int, History | Exception]]


def fit_stacked(tasks: Sequence[Task]) -> Outcomes:
    """The outcomes of fits by their places, as soon as each is known."""
    place = device()
    fits: dict[int, Fit] = {}
    for lane, task in enumerate(tasks):
        try:
            fits[lane] = Fit.of(task)
        except Exception as error:  # noqa: BLE001 -- whatever it raises is the lane's outcome
            yield lane, error
    together = {lane: one for lane, one in fits.items() if _stackable(one)}
    for lane, history in _by_shape(together, place):
        yield lane, _outcome(fits[lane], history)
    for lane in fits.keys() - together.keys():
        yield lane, _alone(tasks[lane])


def _stackable(one: Fit) -> bool:
    net = one.net
    if not isinstance(net, GradientForecaster) or net.config.reads_rows or one.options.get("find_lr"):
        return False
    return stacked.stackable(net.module)


def _alone(task: Task) -> Result | Exception:
    try:
        return fit(task)
    except Exception as error:  # noqa: BLE001 -- whatever it raises is the lane's outcome
        return error


def _outcome(one: Fit, history: History | Exception) -> Result | Exception:
    return history if isinstance(history, Exception) else one.result(history)


def _by_shape(fits: Mapping[int, Fit], place: torch.device) -> Histories:
    """A stack for each shape of windows and number of them."""
    shaped = sorted((_shape(one), lane) for lane, one in fits.items())
    for _, alike in groupby(shaped, key=lambda one: one[0]):
        yield from _stack({lane: fits[lane] for _, lane in alike}, place)


def _shape(one: Fit) -> tuple[int, ...]:
    return (*one.train.inputs.shape, *one.train.targets.shape, len(one.val))


def _stack(fits: Mapping[int, Fit], place: torch.device) -> Histories:
    """One stack; where the memory does not take it, its halves, begun anew."""
    numbers, ended = list(fits), set()
    try:
        for number, history in stacked.train([_lane(one) for one in fits.values()], place):
            ended.add(numbers[number])
            yield numbers[number], history
    except torch.OutOfMemoryError as error:
        short = error
    else:
        return
    left = [number for number in numbers if number not in ended]
    if len(fits) == 1:
        cure = "lower train.batch_size or the net's width, or start the worker with --device cpu"
        failure = StepError(f"the net does not fit into the memory of the device: {short}", cure=cure)
        yield left[0], failure
        return
    for half in _halves(left):
        yield from _stack({number: fits[number] for number in half}, place)


def _halves(numbers: Sequence[int]) -> Iterable[Sequence[int]]:
    middle = len(numbers) // 2
    return filter(None, (numbers[:middle], numbers[middle:]))


def _lane(one: Fit) -> stacked.Lane:
    net = one.net
    assert isinstance(net, GradientForecaster)  # noqa: S101 -- others are not stackable
    return stacked.Lane(net.module, one.train, one.val, Options(**one.options), net.seed, one.task.progress)
