"""The engine for graphics processors: many nets of one kind as one net with one more axis.

A small net keeps such a processor busy for less time than it takes to be told what to do. So the
weights of K nets are stacked, and each operation is done for all of them at once (torch.func.vmap).
Each keeps its own weights, data, batches, learning rate and end; one that is done, or whose loss is
not finite, leaves. Neighbours do not matter to it but in the last bits: a product's shape decides
in which order it is summed up.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, assert_never

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap

from pyheta.errors import Diverged
from pyheta.nets.engines.autograd import EVALUATED, loss_of, products_in
from pyheta.nets.engines.unrolled import unrolled
from pyheta.nets.training.history import History
from pyheta.nets.training.loop import TrainingRun
from pyheta.nets.training.losses import mean_loss
from pyheta.nets.training.options import Train
from pyheta.nets.training.resume import EarlierFit, Losses
from pyheta.nets.training.trainer_state import NO_RANDOM, State, TrainerState
from pyheta.pipeline.windows import Windows
from pyheta.task import Progress

Stack = dict[str, Tensor]  # (lanes, …) of each weight

# What torch's optimisers add to the root of the mean square, and how fast they forget.
EPSILON, BETA1, BETA2 = 1e-8, 0.9, 0.999


@dataclass
class StackedNet:
    """One net on its way: its module has the first weights, later those that are kept."""

    module: nn.Module
    train: Windows
    val: Windows
    options: Train
    seed: int
    progress: Progress
    earlier: EarlierFit | None = None
    run: TrainingRun = field(init=False)

    def __post_init__(self) -> None:
        self.run = TrainingRun(self.options, len(self.train), self.seed, self.earlier)

    def finish(self) -> History:
        self.module.load_state_dict({name: torch.tensor(a) for name, a in self.run.kept.items()})
        return self.run.history("stacked")


def stackable(module: nn.Module) -> bool:
    """Whether lanes would not hear of each other: no random numbers, no statistics over a batch."""
    random = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._BatchNorm)  # noqa: SLF001 (their bases)
    return not any(
        isinstance(part, random) and getattr(part, "p", 1.0) for part in module.modules()
    )


def train(
    lanes: Sequence[StackedNet], device: torch.device
) -> Iterator[tuple[int, History | Diverged]]:
    """Each lane's history, or what ended it, by its place, as soon as it is known.

    Lanes have modules of one kind, equally many windows, and options that differ in
    `options.PER_NET` alone. Where columns of zeros change nothing about a net
    (`NetConfig.paddable`), lanes may differ in their columns.
    """
    yield from ((place, lane.finish()) for place, lane in enumerate(lanes) if lane.run.done)
    if all(lane.run.done for lane in lanes):
        return
    stack = _Stack(lanes, device)
    while stack.living:
        losses = list(zip(stack.epoch(), stack.validate(), strict=True))
        ended = []
        for place, lane in enumerate(stack.living):
            outcome = _advance(lanes[lane], losses[place], stack, place)
            if outcome is not None:
                ended.append(place)
                yield lane, outcome
        stack.leave(ended)


def _advance(
    lane: StackedNet, losses: Losses, stack: "_Stack", place: int
) -> History | Diverged | None:
    """Take an epoch's losses; what the lane at a place has come to, if it is at its end."""
    run = lane.run
    try:
        kept = run.record(*losses)
    except Diverged as error:
        return error
    if kept:
        run.kept = stack.state(place)
    lane.progress(run.progress)
    if not run.done:
        return None
    if lane.options.resumable:
        run.trainer_state = stack.trainer_state(place)
    return lane.finish()


class _Stack:
    """The lanes that are still trained, `living` by their places, with weights and moments on the
    device.
    """

    def __init__(self, lanes: Sequence[StackedNet], device: torch.device) -> None:
        self.lanes = lanes
        self.device = device
        self.living = [number for number, lane in enumerate(lanes) if not lane.run.done]
        self.options = lanes[0].options
        self.widest = max(lanes, key=lambda lane: lane.train.inputs.shape[1])
        self.net = unrolled(self.widest.module).to(device)
        weights = _stacked([dict(lane.module.named_parameters()) for lane in lanes], device)
        self.weights = {name: tensor[self.living] for name, tensor in weights.items()}
        self.buffers = _stacked([dict(lane.module.named_buffers()) for lane in lanes], device)
        self.first, self.second = (
            {n: torch.zeros_like(t) for n, t in self.weights.items()} for _ in "mv"
        )
        self.steps = torch.zeros(len(self.living), dtype=torch.float64, device=device)
        for place, lane in enumerate(self.living):
            if state := lanes[lane].run.trainer_state:
                self._resume(place, state)
        self.examples = _Examples([lane.train for lane in lanes], device)
        self.validation = _Examples([lane.val for lane in lanes], device)
        self._loss = loss_of(self.options)
        self._step = vmap(grad_and_value(self._loss_of), randomness="error")
        self._forecast = vmap(self._call)

    def epoch(self) -> list[float]:
        """The mean losses of the living lanes."""
        runs = [self.lanes[lane].run for lane in self.living]
        orders = torch.from_numpy(np.stack([run.order() for run in runs])).to(self.device)
        rates = torch.from_numpy(np.stack([run.rates() for run in runs]).astype(np.float32))
        total = torch.zeros(len(runs), dtype=torch.float64, device=self.device)
        batches = torch.split(orders, self.options.batch_size, dim=1)
        for rows, rate in zip(batches, rates.to(self.device).T, strict=True):
            inputs, targets = self.examples.take(self.living, rows)
            with products_in(self.options.precision, self.device):
                gradients, losses = self._step(self.weights, self._buffers(), inputs, targets)
            self._update(gradients, rate)
            total += losses.double() * rows.shape[1]
        return (total / orders.shape[1]).tolist()

    def validate(self) -> list[float]:
        forecasts = np.concatenate(list(self._forecasts()), axis=1)
        lanes = [self.lanes[lane] for lane in self.living]
        return [
            mean_loss(forecast, lane.val.targets, lane.options)
            for lane, forecast in zip(lanes, forecasts, strict=True)
        ]

    def state(self, place: int) -> State:
        """A living lane's weights and buffers, as far as a module keeps them."""
        return self._taken(self.weights | self._buffers(), place)

    def trainer_state(self, place: int) -> TrainerState:
        first, second = (self._taken(moments, place) for moments in (self.first, self.second))
        return TrainerState(self.state(place), first, second, int(self.steps[place]), NO_RANDOM)

    def _taken(self, stack: Stack, place: int) -> State:
        """A copy of a living lane's own numbers, without those that stand for what it lacks."""
        own = self.lanes[self.living[place]].module.state_dict()
        return {
            name: tensor[place][_corner(own[name].shape)].cpu().numpy().copy()
            for name, tensor in stack.items()
            if name in own
        }

    def _resume(self, place: int, state: TrainerState) -> None:
        parts = {"weights": self.weights, "first": self.first, "second": self.second}
        for part, stack in parts.items():
            for name, own in getattr(state, part).items():
                stack[name][place][_corner(own.shape)] = torch.tensor(own)
        self.steps[place] = state.steps

    def leave(self, places: Sequence[int]) -> None:
        """The lanes at these places have ended."""
        if not places:
            return
        stay = [place for place in range(len(self.living)) if place not in places]
        self.living = [self.living[place] for place in stay]
        for tensors in (self.weights, self.first, self.second):
            for name, tensor in tensors.items():
                tensors[name] = tensor[stay]
        self.steps = self.steps[stay]

    def _buffers(self) -> Stack:
        return {name: tensor[self.living] for name, tensor in self.buffers.items()}

    def _call(self, weights: Stack, buffers: Stack, inputs: Tensor) -> Tensor:
        forecast: Tensor = functional_call(self.net, (weights, buffers), (inputs,))
        return forecast.float()

    def _loss_of(self, weights: Stack, buffers: Stack, inputs: Tensor, targets: Tensor) -> Tensor:
        return self._loss(self._call(weights, buffers, inputs), targets)

    @torch.no_grad()
    def _forecasts(self) -> Iterator[np.ndarray[Any, Any]]:
        """(lanes, windows, targets, horizon) in blocks of windows."""
        count = len(self.lanes[0].val)
        at_once = max(1, EVALUATED // self.widest.val.inputs[0].size)
        for start in range(0, count, at_once):
            rows = torch.arange(start, min(start + at_once, count), device=self.device)
            inputs, _ = self.validation.take(self.living, rows.expand(len(self.living), -1))
            yield self._forecast(self.weights, self._buffers(), inputs).cpu().numpy()

    def _each(self, option: str) -> Tensor:
        """An option of the living lanes."""
        values = [getattr(self.lanes[lane].options, option) or 0.0 for lane in self.living]
        return torch.tensor(values, dtype=torch.float32, device=self.device)

    @torch.no_grad()
    def _update(self, gradients: Mapping[str, Tensor], rate: Tensor) -> None:
        """One step of each lane's optimiser, with torch's formulas."""
        self.steps += 1
        shares = self._shares(gradients)
        decay = self._each("weight_decay")
        for name, weights in self.weights.items():
            over = partial(_over, like=weights)
            gradient = gradients[name] * over(shares)
            match self.options.optimizer:
                case "adam" | "sgd":
                    gradient = gradient + over(decay) * weights
                case "adamw":
                    weights.mul_(1 - over(rate * decay))
                case _:
                    assert_never(self.options.optimizer)
            weights.sub_(over(rate) * self._direction(name, gradient))

    def _direction(self, name: str, gradient: Tensor) -> Tensor:
        first, second = self.first[name], self.second[name]
        match self.options.optimizer:
            case "sgd":
                return first.mul_(self.options.momentum).add_(gradient)
            case "adam" | "adamw":
                first.lerp_(gradient, 1 - BETA1)
                second.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
                return self._normalised(first, second)
            case _:
                assert_never(self.options.optimizer)

    def _normalised(self, first: Tensor, second: Tensor) -> Tensor:
        """Adam's direction from its moments, freed of their bias towards zero."""
        grown = [_over((1 - beta**self.steps).float(), like=first) for beta in (BETA1, BETA2)]
        direction: Tensor = first / grown[0] / ((second / grown[1]).sqrt() + EPSILON)
        return direction

    def _shares(self, gradients: Mapping[str, Tensor]) -> Tensor:
        """What is left of each lane's gradient when it is clipped."""
        squares = sum(gradient.flatten(1).square().sum(dim=1) for gradient in gradients.values())
        limits = self._each("clip")
        shares = (limits / (torch.sqrt(torch.as_tensor(squares)) + 1e-6)).clamp(max=1.0)
        return torch.where(limits > 0, shares, torch.ones_like(shares))


def _stacked(nets: Sequence[Mapping[str, Tensor]], device: torch.device) -> Stack:
    """Each tensor of all nets as one."""
    return {name: _together([net[name].detach().to(device) for net in nets]) for name in nets[0]}


def _together(tensors: Sequence[Tensor]) -> Tensor:
    """One stack, in which zeros stand for what a tensor lacks beside a larger one."""
    shape = [max(sizes) for sizes in zip(*(tensor.shape for tensor in tensors), strict=True)]
    stack = tensors[0].new_zeros((len(tensors), *shape))
    for place, tensor in enumerate(tensors):
        stack[place][_corner(tensor.shape)] = tensor
    return stack


def _corner(shape: Sequence[int]) -> tuple[slice, ...]:
    """Where a tensor of this shape lies in a larger one."""
    return tuple(map(slice, shape))


def _over(values: Tensor, like: Tensor) -> Tensor:
    """One value a lane, shaped so that it meets all of the lane's numbers."""
    return values.reshape(-1, *[1] * (like.dim() - 1))


class _Examples:
    """The windows of all lanes on the device; lanes that read the same share them there too."""

    def __init__(self, windows: Sequence[Windows], device: torch.device) -> None:
        self.inputs = _Shared([one.inputs for one in windows], device)
        self.targets = _Shared([one.targets for one in windows], device)

    def take(self, lanes: Sequence[int], rows: Tensor) -> tuple[Tensor, Tensor]:
        """(lanes, batch, …): each lane's own windows."""
        return self.inputs.take(lanes, rows), self.targets.take(lanes, rows)


class _Shared:
    """Arrays, each distinct one once."""

    def __init__(self, arrays: Sequence[np.ndarray[Any, Any]], device: torch.device) -> None:
        keys = [hashlib.blake2b(np.ascontiguousarray(array).data).digest() for array in arrays]
        distinct = dict(zip(keys, arrays, strict=True))
        places = {key: place for place, key in enumerate(distinct)}
        self.place_of = [places[key] for key in keys]
        self.values = _together([torch.tensor(array, device=device) for array in distinct.values()])

    def take(self, lanes: Sequence[int], rows: Tensor) -> Tensor:
        places = torch.tensor([self.place_of[lane] for lane in lanes], device=rows.device)
        return self.values[places[:, None], rows]
