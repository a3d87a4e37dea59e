"""How much quicker are many nets as one stack on a GPU than one after the other on it?

LSTM-64 and MLP-64-64 on windows of 8 rows of 5 series of 4,000 rows, batches of 64, two epochs.
Nets alone are plain torch with autograd on the same device, some of them measured and the rest
counted alike.

Needs: a GPU for what it asks; runs without one too.
Run: python benchmarks/stacks.py [--device cuda] [--lanes 256] [--alone 8]
"""

import argparse
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from pyheta.nets.engines import stacked
from pyheta.nets.engines.autograd import AutogradLearner
from pyheta.nets.gradient import GradientForecaster
from pyheta.nets.registry import build
from pyheta.nets.training import loop
from pyheta.nets.training.history import History
from pyheta.nets.training.loop import TrainingRun
from pyheta.nets.training.options import Train
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.windows import Shape, Windows, cut

SHAPE = Shape(channels=5, lookback=8, horizon=1)
OPTIONS = Train(epochs=2, batch_size=64)
NETS = ({"name": "lstm", "hidden": 64}, {"name": "mlp", "hidden": [64, 64]})


def gradient_net(net: Mapping[str, Any], shape: Shape, *, seed: int = 0) -> GradientForecaster:
    forecaster = build(net, shape, seed=seed)
    assert isinstance(forecaster, GradientForecaster)
    return forecaster


def windows(rows: int, seed: int) -> Windows:
    series = np.random.default_rng(seed).normal(size=(SHAPE.channels, rows)).cumsum(axis=1) * 0.1
    return cut([Channel(one.astype(np.float32)) for one in series], (0, rows), SHAPE)


def together(
    net: Mapping[str, object], lanes: int, device: torch.device
) -> tuple[float, np.ndarray]:
    """Seconds, and the validation losses of the first net."""
    train, val = windows(4000, 0), windows(1000, 1)
    modules = [gradient_net(net, SHAPE, seed=seed).module for seed in range(lanes)]
    some = [
        stacked.StackedNet(module, train, val, OPTIONS, seed, lambda _: None)
        for seed, module in enumerate(modules)
    ]
    start = time.perf_counter()
    outcomes = dict(stacked.train(some, device))
    seconds, first = time.perf_counter() - start, outcomes[0]
    assert isinstance(first, History)
    return seconds, first.val_loss


def alone(net: Mapping[str, object], count: int, device: torch.device) -> tuple[float, np.ndarray]:
    """Seconds of one net, and the validation losses of the first."""
    train, val = windows(4000, 0), windows(1000, 1)
    losses = []
    start = time.perf_counter()
    for seed in range(count):
        module = gradient_net(net, SHAPE, seed=seed).module.to(device)
        learner = AutogradLearner(module, train, val, OPTIONS, seed=seed, reads_rows=False)
        run = TrainingRun(OPTIONS, len(train), seed)
        losses.append(loop.train(learner, run, lambda _: None).val_loss)
    return (time.perf_counter() - start) / count, losses[0]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--lanes", type=int, default=256)
    parser.add_argument("--alone", type=int, default=8)
    options = parser.parse_args()
    device = torch.device(options.device)
    name = torch.cuda.get_device_name() if device.type == "cuda" else "a CPU"
    print(f"{name}, {torch.get_num_threads()} threads")
    for net in NETS:
        together(net, 2, device)  # kernels are chosen at the first call
        stack, first = together(net, options.lanes, device)
        single, expected = alone(net, options.alone, device)
        ratio, difference = single * options.lanes / stack, np.abs(first - expected).max()
        seconds = f"{options.lanes} as a stack {stack:.2f} s, one {single:.3f} s"
        print(f"{net['name']}: {seconds}; losses {difference:.1e} apart")
        print(f"stack-{net['name']}-{options.lanes} ratio={ratio:.2f}")


if __name__ == "__main__":
    main()
