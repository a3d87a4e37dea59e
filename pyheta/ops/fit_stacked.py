"""Fits on a GPU: in stacks as large as its memory takes; nets that cannot be stacked, alone."""

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter

import torch

from pyheta.errors import StepError
from pyheta.meter import Meter, measured
from pyheta.nets.engines import stacked
from pyheta.nets.engines.device import torch_device
from pyheta.nets.gradient import GradientForecaster
from pyheta.nets.training.history import History
from pyheta.ops.fit import Fit, fit, memory_errors_as_step_errors
from pyheta.task import Outcomes, Task, outcome_of

Histories = Iterator[tuple[int, History | Exception]]

BUDGET = 4 << 30  # bytes of windows that are held in memory together


def fit_stacked(tasks: Sequence[Task]) -> Outcomes:
    """The outcome of each task with its index, as soon as it is known."""
    fits: dict[int, Fit] = {}
    meters = [Meter() for _ in tasks]
    for lane, task in enumerate(tasks):
        try:
            with memory_errors_as_step_errors(), measured(meters[lane]):
                ready = Fit.of(task)
        except Exception as error:  # noqa: BLE001 -- whatever it raises is the lane's outcome
            yield lane, error
            continue
        if not _stackable(ready):
            yield lane, outcome_of(partial(fit, task), meters[lane])
            continue
        fits[lane] = ready
        # In a stack all are as wide as the widest
        if len(fits) * max(map(_bytes, fits.values())) > BUDGET:
            yield from _trained(fits, meters)
            fits = {}
    yield from _trained(fits, meters)


def _stackable(ready: Fit) -> bool:
    """Whether the net is known to become the same in a stack."""
    net = ready.net
    if not isinstance(net, GradientForecaster) or not net.config.stackable:
        return False
    alone = net.config.reads_rows or ready.options.find_lr
    return not alone and stacked.stackable(net.module)


def _bytes(ready: Fit) -> int:
    return sum(part.inputs.nbytes + part.targets.nbytes for part in (ready.train, ready.val))


def _trained(fits: Mapping[int, Fit], meters: Sequence[Meter]) -> Outcomes:
    """The outcomes of fits in stacks; those that are trained once more have stacks of their own."""
    again: dict[int, tuple[History, Fit]] = {}
    for lane, history in _in_stacks(fits, meters):
        if isinstance(history, Exception):
            yield lane, history
            continue
        try:
            with memory_errors_as_step_errors(), measured(meters[lane]):
                final = fits[lane].final(history)
        except Exception as error:  # noqa: BLE001 -- whatever it raises is the lane's outcome
            yield lane, error
            continue
        if final:
            again[lane] = history, final
        else:
            yield lane, outcome_of(partial(fits[lane].result, history), meters[lane])
    for lane, second in _in_stacks({lane: final for lane, (_, final) in again.items()}, meters):
        if isinstance(second, Exception):
            yield lane, second
        else:
            yield lane, outcome_of(partial(fits[lane].result, *again[lane]), meters[lane])


def _in_stacks(fits: Mapping[int, Fit], meters: Sequence[Meter]) -> Histories:
    """One stack for all fits whose windows agree in shape and number."""
    shapes = sorted((_shape(ready), lane) for lane, ready in fits.items())
    for _, same in groupby(shapes, key=itemgetter(0)):
        yield from _stack({lane: fits[lane] for _, lane in same}, meters, torch_device())


def _shape(ready: Fit) -> tuple[int, ...]:
    """Equal for fits that can share a stack; the number of columns is 0 where it may differ."""
    windows, columns, lookback = ready.train.inputs.shape
    assert isinstance(ready.net, GradientForecaster)  # noqa: S101 -- others are not stackable
    fixed_columns = 0 if ready.net.config.paddable else columns
    return (fixed_columns, windows, lookback, *ready.train.targets.shape, len(ready.val))


def _stack(fits: Mapping[int, Fit], meters: Sequence[Meter], device: torch.device) -> Histories:
    """Train one stack; where memory runs out, start again with its halves."""
    left, shortage = dict(fits), ""
    try:
        for lane, history in _histories(fits, meters, device):
            del left[lane]
            yield lane, history
    except torch.OutOfMemoryError as error:
        shortage = str(error)  # not the error itself, whose traceback keeps the stack in memory
    if shortage and len(fits) == 1:
        cure = "lower train.batch_size or the net's width, or start the worker with --device cpu"
        failure = StepError(
            f"the net does not fit into the memory of the device: {shortage}", cure=cure
        )
        yield from ((lane, failure) for lane in left)
    elif shortage:
        _free(device)
        for half in _halves(list(left)):
            yield from _stack({lane: fits[lane] for lane in half}, meters, device)


def _histories(fits: Mapping[int, Fit], meters: Sequence[Meter], device: torch.device) -> Histories:
    """Until a lane ends, all that have not ended share the time."""
    lanes, left = list(fits), dict.fromkeys(fits)
    training = stacked.train([_stacked_net(ready) for ready in fits.values()], device)
    while left:
        with measured(*(meters[lane] for lane in left)):
            index, history = next(training)
        del left[lanes[index]]
        yield lanes[index], history


def _free(device: torch.device) -> None:
    """Give back the memory of a stack that did not fit."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _halves(lanes: Sequence[int]) -> Iterable[Sequence[int]]:
    middle = len(lanes) // 2
    return filter(None, (lanes[:middle], lanes[middle:]))


def _stacked_net(ready: Fit) -> stacked.StackedNet:
    net = ready.net
    assert isinstance(net, GradientForecaster)  # noqa: S101 -- others are not stackable
    return stacked.StackedNet(
        net.module,
        ready.train,
        ready.val,
        ready.options,
        net.seed,
        ready.task.progress,
        ready.earlier,
    )
