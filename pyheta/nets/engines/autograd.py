"""The engine for every net: torch, one net at a time, its gradients by autograd."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, assert_never, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from pyheta.nets.training.losses import mean_loss
from pyheta.nets.training.options import OptimizerName, Train
from pyheta.nets.training.trainer_state import State, TrainerState
from pyheta.pipeline.arrays import Array
from pyheta.pipeline.windows import Windows

#: Numbers in the windows that are forecast at once: memory has to hold what layers make of them.
EVALUATED = 1 << 17

#: The keys of the first and the second moment of a weight in the state of torch's optimizers.
MOMENTS: Final[Mapping[OptimizerName, tuple[str, str | None]]] = {
    "adam": ("exp_avg", "exp_avg_sq"),
    "adamw": ("exp_avg", "exp_avg_sq"),
    "sgd": ("momentum_buffer", None),
}


def optimizer_of(weights: Iterable[Tensor], options: Train) -> torch.optim.Optimizer:
    """Adam is fused: one kernel for all weights saves a fifth of a small net's time per batch."""
    lr, decay = options.lr, options.weight_decay
    match options.optimizer:
        case "adam":
            return torch.optim.Adam(weights, lr, weight_decay=decay, fused=True)
        case "adamw":
            return torch.optim.AdamW(weights, lr, weight_decay=decay, fused=True)
        case "sgd":
            return torch.optim.SGD(weights, lr, options.momentum, weight_decay=decay)
        case _:
            assert_never(options.optimizer)


def loss_of(options: Train) -> Callable[[Tensor, Tensor], Tensor]:
    """The mean loss of forecasts and their truth, as `training/losses.py` defines it."""
    match options.loss:
        case "mse":
            return functional.mse_loss
        case "mae":
            return functional.l1_loss
        case "huber":
            return partial(functional.huber_loss, delta=options.huber_delta)
        case "quantile":
            return partial(_quantile_loss, quantile=options.quantile)
        case _:
            assert_never(options.loss)


def _quantile_loss(forecast: Tensor, truth: Tensor, quantile: float) -> Tensor:
    short = truth - forecast
    return torch.maximum(quantile * short, (quantile - 1) * short).mean()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's generator, and restore its state afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


class AutogradLearner:
    """Trains a module in place. It is called with (inputs), or with (inputs, rows)."""

    engine = "torch"

    def __init__(
        self,
        module: nn.Module,
        train: Windows,
        val: Windows,
        options: Train,
        *,
        seed: int,
        reads_rows: bool,
    ) -> None:
        self.module = module
        self.val = val
        self.options = options
        self.reads_rows = reads_rows
        self.device = place_of(module)
        arrays = (train.inputs, train.targets, train.rows)
        self.examples = [torch.from_numpy(array).to(self.device) for array in arrays]
        self.optimizer = optimizer_of(module.parameters(), options)
        self.loss = loss_of(options)
        self.steps = 0
        with seeded(seed):
            self._random = self._generator_state()  # for dropout

    def epoch(self, order: NDArray[np.int64], rates: NDArray[np.float64]) -> float:
        self.module.train()
        with self._own_random_numbers():
            batches = torch.split(torch.from_numpy(order).to(self.device), self.options.batch_size)
            total = sum(self._step(rows, rate) for rows, rate in zip(batches, rates, strict=True))
        self.steps += len(rates)
        return float(total) / len(order)

    def _step(self, rows: Tensor, rate: float) -> Tensor:
        """The sum of the batch's losses before the step."""
        inputs, targets, times = (examples[rows] for examples in self.examples)
        with products_in(self.options.precision, self.device):
            forecast = call(self.module, inputs, times, reads_rows=self.reads_rows)
        loss = self.loss(forecast.float(), targets)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        if self.options.clip is not None:
            nn.utils.clip_grad_norm_(self.module.parameters(), self.options.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        return loss.detach() * len(rows)

    def validate(self) -> float:
        forecast = predict(self.module, self.val, reads_rows=self.reads_rows)
        return mean_loss(forecast, self.val.targets, self.options)

    def state(self) -> State:
        return {
            name: tensor.cpu().numpy().copy() for name, tensor in self.module.state_dict().items()
        }

    def load(self, state: State) -> None:
        self.module.load_state_dict({name: torch.tensor(array) for name, array in state.items()})

    def trainer_state(self) -> TrainerState:
        first, second = map(self._moment, MOMENTS[self.options.optimizer])
        return TrainerState(self.state(), first, second, self.steps, self._random.numpy())

    def _moment(self, key: str | None) -> State:
        """Zeros where the optimizer keeps no such moment: each begins with zeros."""
        memory = self.optimizer.state
        return {
            name: memory[weight].get(key, torch.zeros_like(weight)).cpu().numpy().copy()
            for name, weight in self.module.named_parameters()
        }

    def resume(self, state: TrainerState) -> None:
        self.load(state.weights)
        self.steps = state.steps
        for name, weight in self.module.named_parameters():
            self.optimizer.state[weight] = self._memory(state, name)
        # Otherwise another kind of device or engine drew the random numbers
        if state.random.size == self._random.numel():
            self._random = torch.tensor(state.random)

    def _memory(self, state: TrainerState, name: str) -> dict[str, Tensor]:
        first, second = MOMENTS[self.options.optimizer]
        memory = {first: torch.tensor(state.first[name], device=self.device)}
        if second is None:
            return memory
        steps = torch.tensor(float(state.steps), device=self.device)
        return memory | {
            second: torch.tensor(state.second[name], device=self.device),
            "step": steps,
        }

    @contextmanager
    def _own_random_numbers(self) -> Iterator[None]:
        on_cuda = self.device.type == "cuda"
        with torch.random.fork_rng(devices=[self.device] if on_cuda else []):
            if on_cuda:
                torch.cuda.set_rng_state(self._random, self.device)
            else:
                torch.set_rng_state(self._random)
            yield
            self._random = self._generator_state()

    def _generator_state(self) -> Tensor:
        """The state of the generator that dropout draws from: each device has its own."""
        on_cuda = self.device.type == "cuda"
        return torch.cuda.get_rng_state(self.device) if on_cuda else torch.get_rng_state()


@contextmanager
def products_in(precision: str, device: torch.device) -> Iterator[None]:
    """Compute the products of the forward pass in this precision.

    oneDNN has no bfloat16 LSTM for CPUs without AVX-512, and torch then fails instead of computing
    it itself: so oneDNN is switched off there.
    """
    mixed, onednn = precision == "bfloat16", cast(Any, torch.backends.mkldnn)
    before = onednn.enabled
    if mixed and device.type == "cpu" and onednn.is_available() and not _onednn_has_bfloat16():
        onednn.enabled = False
    try:
        with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
            yield
    finally:
        onednn.enabled = before


def _onednn_has_bfloat16() -> bool:
    """Whether oneDNN has bfloat16 products for this CPU."""
    supported: bool = torch.ops.mkldnn._is_mkldnn_bf16_supported()  # noqa: SLF001
    return supported


def place_of(module: nn.Module) -> torch.device:
    """The device of a module's weights; the CPU if it has none."""
    return next(module.parameters(), torch.empty(0)).device


def call(module: nn.Module, inputs: Tensor, rows: Tensor, *, reads_rows: bool) -> Tensor:
    forecast: Tensor = module(inputs, rows) if reads_rows else module(inputs)
    return forecast


def predict(module: nn.Module, windows: Windows, *, reads_rows: bool) -> Array:
    """Forecasts (n, targets, horizon) in evaluation mode: no dropout, no gradient."""
    module.eval()
    out = np.empty(windows.targets.shape, np.float32)
    device = place_of(module)
    with torch.inference_mode():
        windows_at_once = max(1, EVALUATED // windows.inputs[0].size)
        for start in range(0, len(out), windows_at_once):
            block = slice(start, start + windows_at_once)
            inputs, rows = (
                torch.from_numpy(a[block]).to(device) for a in (windows.inputs, windows.rows)
            )
            out[block] = call(module, inputs, rows, reads_rows=reads_rows).cpu().numpy()
    return out
