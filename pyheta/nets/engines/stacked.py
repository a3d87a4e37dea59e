"""The engine for GPUs: many nets of one kind as one net with one more axis.

On a small net a GPU computes for less time than it takes to launch the kernels. So the weights of K
nets are stacked, and each operation is done for all of them at once (torch.func.vmap). Each net is
a lane: it keeps its own weights, data, batches, learning rate and end. A lane that is done, or
whose loss is not finite, leaves the stack. Its neighbours change its results in the last bits only:
the shape of a product decides in which order torch sums it up.
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

# Adam's, as torch's defaults: added to the root of the second moment; decay of both moments.
EPSILON, BETA1, BETA2 = 1e-8, 0.9, 0.999


@dataclass
class StackedNet:
    """One net of a stack. Its module has the first weights, after training those that are kept."""

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
    """Whether lanes are independent: no random numbers, no statistics over a batch."""
    shared = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._BatchNorm)  # noqa: SLF001 (their bases)
    return not any(
        isinstance(part, shared) and getattr(part, "p", 1.0) for part in module.modules()
    )


def train(
    nets: Sequence[StackedNet], device: torch.device
) -> Iterator[tuple[int, History | Diverged]]:
    """The history of each net, or the error that ended it, with its index, as soon as it is known.

    The modules are of one kind, the windows equally many, and the options differ in
    `options.PER_NET` alone. Where columns of zeros change nothing about a net
    (`NetConfig.paddable`), the nets may differ in their columns.
    """
    yield from ((index, net.finish()) for index, net in enumerate(nets) if net.run.done)
    if all(net.run.done for net in nets):
        return
    stack = _Stack(nets, device)
    while stack.active:
        losses = list(zip(stack.epoch(), stack.validate(), strict=True))
        ended = []
        for lane, index in enumerate(stack.active):
            outcome = _after_epoch(nets[index], losses[lane], stack, lane)
            if outcome is not None:
                ended.append(lane)
                yield index, outcome
        stack.remove(ended)


def _after_epoch(
    net: StackedNet, losses: Losses, stack: "_Stack", lane: int
) -> History | Diverged | None:
    """Record an epoch's losses; the outcome, if the net's training has ended."""
    run = net.run
    try:
        kept = run.record(*losses)
    except Diverged as error:
        return error
    if kept:
        run.kept = stack.state(lane)
    net.progress(run.progress)
    if not run.done:
        return None
    if net.options.resumable:
        run.trainer_state = stack.trainer_state(lane)
    return net.finish()


class _Stack:
    """Weights and moments on the device, a lane for each net that still trains.

    `active` has the index of each lane's net. Weights, moments and steps have one entry a lane;
    buffers and windows have one for every net.
    """

    def __init__(self, nets: Sequence[StackedNet], device: torch.device) -> None:
        self.nets = nets
        self.device = device
        self.active = [index for index, net in enumerate(nets) if not net.run.done]
        self.options = nets[0].options
        self.widest = max(nets, key=lambda net: net.train.inputs.shape[1])
        self.module = unrolled(self.widest.module).to(device)
        weights = _stacked([dict(net.module.named_parameters()) for net in nets], device)
        self.weights = {name: tensor[self.active] for name, tensor in weights.items()}
        self.buffers = _stacked([dict(net.module.named_buffers()) for net in nets], device)
        self.first, self.second = (
            {n: torch.zeros_like(t) for n, t in self.weights.items()} for _ in "mv"
        )
        self.steps = torch.zeros(len(self.active), dtype=torch.float64, device=device)
        for lane, index in enumerate(self.active):
            if state := nets[index].run.trainer_state:
                self._resume(lane, state)
        self.examples = _Examples([net.train for net in nets], device)
        self.validation = _Examples([net.val for net in nets], device)
        self._loss = loss_of(self.options)
        self._step = vmap(grad_and_value(self._loss_of), randomness="error")
        self._forecast = vmap(self._call)

    def epoch(self) -> list[float]:
        """The mean loss of each lane."""
        runs = [net.run for net in self._active_nets()]
        orders = torch.from_numpy(np.stack([run.order() for run in runs])).to(self.device)
        rates = torch.from_numpy(np.stack([run.rates() for run in runs]).astype(np.float32))
        total = torch.zeros(len(runs), dtype=torch.float64, device=self.device)
        batches = torch.split(orders, self.options.batch_size, dim=1)
        for rows, rate in zip(batches, rates.to(self.device).T, strict=True):
            inputs, targets = self.examples.take(self.active, rows)
            with products_in(self.options.precision, self.device):
                gradients, losses = self._step(self.weights, self._buffers(), inputs, targets)
            self._update(gradients, rate)
            total += losses.double() * rows.shape[1]
        return (total / orders.shape[1]).tolist()

    def validate(self) -> list[float]:
        forecasts = np.concatenate(list(self._forecasts()), axis=1)
        return [
            mean_loss(forecast, net.val.targets, net.options)
            for net, forecast in zip(self._active_nets(), forecasts, strict=True)
        ]

    def state(self, lane: int) -> State:
        """A lane's weights and buffers, as far as the state of its module has them."""
        return self._copied(self.weights | self._buffers(), lane)

    def trainer_state(self, lane: int) -> TrainerState:
        first, second = (self._copied(moments, lane) for moments in (self.first, self.second))
        return TrainerState(self.state(lane), first, second, int(self.steps[lane]), NO_RANDOM)

    def _copied(self, stack: Stack, lane: int) -> State:
        """A lane's own numbers, without the zeros that pad it to the widest net."""
        own = self.nets[self.active[lane]].module.state_dict()
        return {
            name: tensor[lane][_corner(own[name].shape)].cpu().numpy().copy()
            for name, tensor in stack.items()
            if name in own
        }

    def _resume(self, lane: int, state: TrainerState) -> None:
        parts = {"weights": self.weights, "first": self.first, "second": self.second}
        for part, stack in parts.items():
            for name, own in getattr(state, part).items():
                stack[name][lane][_corner(own.shape)] = torch.tensor(own)
        self.steps[lane] = state.steps

    def remove(self, ended: Sequence[int]) -> None:
        """Go on without these lanes."""
        if not ended:
            return
        stay = [lane for lane in range(len(self.active)) if lane not in ended]
        self.active = [self.active[lane] for lane in stay]
        for tensors in (self.weights, self.first, self.second):
            for name, tensor in tensors.items():
                tensors[name] = tensor[stay]
        self.steps = self.steps[stay]

    def _active_nets(self) -> list[StackedNet]:
        return [self.nets[index] for index in self.active]

    def _buffers(self) -> Stack:
        return {name: tensor[self.active] for name, tensor in self.buffers.items()}

    def _call(self, weights: Stack, buffers: Stack, inputs: Tensor) -> Tensor:
        forecast: Tensor = functional_call(self.module, (weights, buffers), (inputs,))
        return forecast.float()

    def _loss_of(self, weights: Stack, buffers: Stack, inputs: Tensor, targets: Tensor) -> Tensor:
        return self._loss(self._call(weights, buffers, inputs), targets)

    @torch.no_grad()
    def _forecasts(self) -> Iterator[np.ndarray[Any, Any]]:
        """(lanes, windows, targets, horizon) in blocks of windows."""
        count = len(self.nets[0].val)
        at_once = max(1, EVALUATED // self.widest.val.inputs[0].size)
        for start in range(0, count, at_once):
            rows = torch.arange(start, min(start + at_once, count), device=self.device)
            inputs, _ = self.validation.take(self.active, rows.expand(len(self.active), -1))
            yield self._forecast(self.weights, self._buffers(), inputs).cpu().numpy()

    def _each(self, option: str) -> Tensor:
        """An option of each lane; 0 where it is None."""
        values = [getattr(net.options, option) or 0.0 for net in self._active_nets()]
        return torch.tensor(values, dtype=torch.float32, device=self.device)

    @torch.no_grad()
    def _update(self, gradients: Mapping[str, Tensor], rate: Tensor) -> None:
        """One step of each lane's optimizer, with torch's formulas."""
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
        """The factor by which each lane's gradient is clipped."""
        squares = sum(gradient.flatten(1).square().sum(dim=1) for gradient in gradients.values())
        limits = self._each("clip")
        shares = (limits / (torch.sqrt(torch.as_tensor(squares)) + 1e-6)).clamp(max=1.0)
        return torch.where(limits > 0, shares, torch.ones_like(shares))


def _stacked(nets: Sequence[Mapping[str, Tensor]], device: torch.device) -> Stack:
    """Each tensor of all nets as one stack."""
    return {name: _padded([net[name].detach().to(device) for net in nets]) for name in nets[0]}


def _padded(tensors: Sequence[Tensor]) -> Tensor:
    """One stack; smaller tensors are padded with zeros."""
    shape = [max(sizes) for sizes in zip(*(tensor.shape for tensor in tensors), strict=True)]
    stack = tensors[0].new_zeros((len(tensors), *shape))
    for index, tensor in enumerate(tensors):
        stack[index][_corner(tensor.shape)] = tensor
    return stack


def _corner(shape: Sequence[int]) -> tuple[slice, ...]:
    """The slices at which a tensor of this shape lies in a larger one."""
    return tuple(map(slice, shape))


def _over(values: Tensor, like: Tensor) -> Tensor:
    """One value a lane, shaped to be broadcast over all of the lane's numbers."""
    return values.reshape(-1, *[1] * (like.dim() - 1))


class _Examples:
    """The windows of all nets on the device; nets that read the same windows share one copy."""

    def __init__(self, windows: Sequence[Windows], device: torch.device) -> None:
        self.inputs = _Shared([own.inputs for own in windows], device)
        self.targets = _Shared([own.targets for own in windows], device)

    def take(self, nets: Sequence[int], rows: Tensor) -> tuple[Tensor, Tensor]:
        """(nets, batch, …): the windows `rows` (nets, batch) of these nets."""
        return self.inputs.take(nets, rows), self.targets.take(nets, rows)


class _Shared:
    """Arrays on the device, each distinct one once."""

    def __init__(self, arrays: Sequence[np.ndarray[Any, Any]], device: torch.device) -> None:
        keys = [hashlib.blake2b(np.ascontiguousarray(array).data).digest() for array in arrays]
        distinct = dict(zip(keys, arrays, strict=True))
        places = {key: place for place, key in enumerate(distinct)}
        self.place_of = [places[key] for key in keys]
        self.values = _padded([torch.tensor(array, device=device) for array in distinct.values()])

    def take(self, nets: Sequence[int], rows: Tensor) -> Tensor:
        places = torch.tensor([self.place_of[index] for index in nets], device=rows.device)
        return self.values[places[:, None], rows]
