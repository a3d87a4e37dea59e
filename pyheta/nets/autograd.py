"""The engine for every net: torch, one net at a time, its gradients by autograd."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from pyheta.nets.forecaster import State
from pyheta.nets.losses import mean_loss
from pyheta.nets.options import Options
from pyheta.pipeline.channels import Array
from pyheta.pipeline.windows import Windows

EVALUATED = 1 << 17  # numbers of the windows that are forecast at once: what comes of them has to fit too

Weights = Mapping[str, Tensor]

OPTIMIZERS: Mapping[str, Callable[[Iterable[Tensor], Options], torch.optim.Optimizer]] = {
    # Fused: one kernel for all weights, which is a fifth of a small net's time per batch.
    "adam": lambda weights, o: torch.optim.Adam(weights, o.lr, weight_decay=o.weight_decay, fused=True),
    "adamw": lambda weights, o: torch.optim.AdamW(weights, o.lr, weight_decay=o.weight_decay, fused=True),
    "sgd": lambda weights, o: torch.optim.SGD(weights, o.lr, o.momentum, weight_decay=o.weight_decay),
}


def _quantile_loss(forecast: Tensor, truth: Tensor, quantile: float) -> Tensor:
    short = truth - forecast
    return torch.maximum(quantile * short, (quantile - 1) * short).mean()


LOSSES: Mapping[str, Callable[[Options], Callable[[Tensor, Tensor], Tensor]]] = {
    "mse": lambda _: functional.mse_loss,
    "mae": lambda _: functional.l1_loss,
    "huber": lambda o: partial(functional.huber_loss, delta=o.huber_delta),
    "quantile": lambda o: partial(_quantile_loss, quantile=o.quantile),
}


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw torch's random numbers from this seed; afterwards its generator is as it was before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


class AutogradLearner:
    """A module, called with (inputs) or (inputs, rows), that is trained in place."""

    engine = "torch"

    def __init__(
        self,
        module: nn.Module,
        train: Windows,
        val: Windows,
        options: Options,
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
        self.optimizer = OPTIMIZERS[options.optimizer](module.parameters(), options)
        self.loss = LOSSES[options.loss](options)
        with seeded(seed):
            self._random = torch.get_rng_state()  # for dropout

    def epoch(self, order: NDArray[np.int64], rates: NDArray[np.float64]) -> float:
        self.module.train()
        with self._own_random_numbers():
            batches = torch.split(torch.from_numpy(order).to(self.device), self.options.batch_size)
            total = sum(self._step(rows, rate) for rows, rate in zip(batches, rates, strict=True))
        return float(total) / len(order)

    def _step(self, rows: Tensor, rate: float) -> Tensor:
        """The sum of the batch's losses before the step."""
        inputs, targets, times = (examples[rows] for examples in self.examples)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.options.precision == "bfloat16"):
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

    def weights(self) -> Weights:
        return {name: tensor.clone() for name, tensor in self.module.state_dict().items()}

    def restore(self, weights: Weights) -> None:
        self.module.load_state_dict(weights)

    def state(self) -> State:
        return {name: tensor.cpu().numpy() for name, tensor in self.module.state_dict().items()}

    @contextmanager
    def _own_random_numbers(self) -> Iterator[None]:
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self._random)
            yield
            self._random = torch.get_rng_state()


def place_of(module: nn.Module) -> torch.device:
    """The device that a net is on; one without weights is anywhere."""
    return next(module.parameters(), torch.empty(0)).device


def call(module: nn.Module, inputs: Tensor, rows: Tensor, *, reads_rows: bool) -> Tensor:
    forecast: Tensor = module(inputs, rows) if reads_rows else module(inputs)
    return forecast


def predict(module: nn.Module, windows: Windows, *, reads_rows: bool) -> Array:
    """Forecasts (n, targets, horizon) of a module at rest: no dropout, no gradient."""
    module.eval()
    out = np.empty(windows.targets.shape, np.float32)
    device = place_of(module)
    with torch.inference_mode():
        windows_at_once = max(1, EVALUATED // windows.inputs[0].size)
        for start in range(0, len(out), windows_at_once):
            block = slice(start, start + windows_at_once)
            inputs, rows = (torch.from_numpy(a[block]).to(device) for a in (windows.inputs, windows.rows))
            out[block] = call(module, inputs, rows, reads_rows=reads_rows).cpu().numpy()
    return out
