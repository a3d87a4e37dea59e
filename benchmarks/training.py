"""How fast do small nets train, one core each, beside a DataLoader and beside plain torch?

An epoch of ETTh1 (5 columns, 12,194 rows, batches of 64, 191 steps): LSTM-64 with windows of 2, 3,
4 and 8 rows, MLP-64-64, DLinear with windows of 8 rows and, for a horizon of 96, of 336; the
forecasts of training and test; the same weights and batches everywhere.

    loader     a Dataset that slices one window, a DataLoader that stacks 64 of them, Adam as torch
               has it by default; forecasts one window at a time
    torch      batches indexed in one tensor of views, fused Adam; forecasts 4,096 windows at a time
    compiled   what PyHeta does on a CPU

`share` is the time that the compiled epoch's products would take at the rate of a 1,024 x 1,024
product. Rounds alternate between the three; medians.

Needs: ETTh1.csv in PYHETA_DATA, else random walks serve.
Run: PYHETA_DATA=folder-of-ETTh1.csv python benchmarks/training.py [--rounds 5]
"""

import os

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from pyheta.nets.engines import compiled
from pyheta.nets.engines.autograd import AutogradLearner, predict
from pyheta.nets.engines.compiled import CompiledLearner
from pyheta.nets.engines.kernels import readiness
from pyheta.nets.engines.programs import Program
from pyheta.nets.gradient import GradientForecaster
from pyheta.nets.registry import build
from pyheta.nets.training.options import Train
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.windows import Shape, Windows, cut

COLUMNS = ["OT", "HUFL", "HULL", "LUFL", "LULL"]
ROWS, TRAINING, BATCH, HIDDEN = 17_420, 12_194, 64, 64
NETS: Mapping[str, Mapping[str, object]] = {
    "lstm": {"name": "lstm", "hidden": HIDDEN},
    "mlp": {"name": "mlp", "hidden": [HIDDEN, HIDDEN]},
    "dlinear": {"name": "dlinear"},
}
CASES = [
    *(("lstm", rows) for rows in (2, 3, 4, 8)),
    ("mlp", 6),
    ("mlp", 8),
    ("dlinear", 8),
    ("dlinear", 336),
]
HORIZONS = {336: 96}  # of windows for which it is not 1
LANES = 16  # for the comparison of threads
RATES = np.full(-(-TRAINING // BATCH), 1e-3)
PRODUCT = 1024

Parts = tuple[Windows, Windows]
Ways = Mapping[str, Callable[[], object]]


def program_of(net: GradientForecaster) -> Program:
    assert net.program is not None
    return net.program


def gradient_net(net: Mapping[str, Any], shape: Shape, *, seed: int = 0) -> GradientForecaster:
    forecaster = build(net, shape, seed=seed)
    assert isinstance(forecaster, GradientForecaster)
    return forecaster


class Slices(Dataset[tuple[Tensor, Tensor]]):
    """One window at a time, cut out of the series when it is asked for."""

    def __init__(self, windows: Windows) -> None:
        self.windows = windows

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        window, target = self.windows.inputs[index], self.windows.targets[index]
        return torch.from_numpy(window).contiguous(), torch.from_numpy(target)


class Loader:
    """Training and forecasting by a DataLoader."""

    def __init__(self, module: nn.Module, parts: Parts, batch: int = BATCH) -> None:
        self.module = module
        self.train, self.everything = (Slices(part) for part in parts)
        self.batch = batch
        self.optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)

    def epoch(self) -> None:
        self.module.train()
        for inputs, targets in DataLoader(self.train, batch_size=self.batch):
            loss = nn.functional.mse_loss(self.module(inputs), targets)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # torch's backward has no types
            self.optimizer.step()

    def predict(self) -> None:
        self.module.eval()
        with torch.no_grad():
            for inputs, _ in DataLoader(self.everything, batch_size=1):
                self.module(inputs).numpy()


def series() -> list[Channel]:
    path = Path(os.environ.get("PYHETA_DATA", ".")) / "ETTh1.csv"
    if path.exists():
        values = pl.read_csv(path).select(COLUMNS).to_numpy().T
    else:
        print("no ETTh1.csv in PYHETA_DATA: random walks of the same size")
        values = np.random.default_rng(0).normal(size=(len(COLUMNS), ROWS)).cumsum(axis=1)
    known = values[:, :TRAINING]
    scaled = (values - known.mean(axis=1, keepdims=True)) / known.std(axis=1, keepdims=True)
    return [Channel(channel) for channel in scaled.astype(np.float32)]


def ways(net: Mapping[str, object], lookback: int) -> tuple[Ways, Ways]:
    """An epoch, and the forecasts of all windows, by each of the three."""
    shape = Shape(len(COLUMNS), lookback, HORIZONS.get(lookback, 1))
    channels = series()
    parts = cut(channels, (0, TRAINING), shape), cut(channels, (0, ROWS), shape)
    options, order = Train(batch_size=BATCH), np.arange(len(parts[0]))
    rates = RATES[: -(-len(order) // BATCH)]
    loader = Loader(gradient_net(net, shape).module, parts)
    plain, quick = gradient_net(net, shape), gradient_net(net, shape)
    torchs = AutogradLearner(plain.module, *parts, options, seed=0, reads_rows=False)
    program = program_of(quick)
    ours = CompiledLearner(program, quick.state(), *parts, options)
    epochs = {
        "loader": loader.epoch,
        "torch": lambda: torchs.epoch(order, rates),
        "compiled": lambda: ours.epoch(order, rates),
    }
    forecasts = {
        "loader": loader.predict,
        "torch": lambda: predict(plain.module, parts[1], reads_rows=False),
        "compiled": lambda: compiled.forecast(program, quick.state(), parts[1]),
    }
    return epochs, forecasts


def timed(works: Ways, rounds: int) -> dict[str, float]:
    """Seconds of each, in turns."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            found[name].append(time.perf_counter() - start)
    return {name: median(seconds) for name, seconds in found.items()}


def product_rate(rounds: int = 7) -> float:
    """Float32 operations a second in a large product, the best of some."""
    one, other = (
        np.random.default_rng(0).normal(size=(PRODUCT, PRODUCT)).astype(np.float32) for _ in "ab"
    )
    best = min(timed({"product": lambda: one @ other}, 1)["product"] for _ in range(rounds))
    return 2 * PRODUCT**3 / best


def lstm_work(lookback: int) -> int:
    """Operations of the products of one step; the first row of a window has no state before it."""
    gates = 2 * BATCH * 4 * HIDDEN
    return (
        2 * lookback * gates * len(COLUMNS)
        + 3 * (lookback - 1) * gates * HIDDEN
        + 6 * BATCH * HIDDEN
    )


def mlp_work(lookback: int) -> int:
    first, second = len(COLUMNS) * lookback * HIDDEN, HIDDEN * HIDDEN
    return 2 * BATCH * (2 * first + 3 * second + 3 * HIDDEN)


def dlinear_work(lookback: int) -> int:
    """Both layers are one; torch multiplies by each."""
    return 4 * BATCH * lookback * HORIZONS.get(lookback, 1)


WORK = {"lstm": lstm_work, "mlp": mlp_work, "dlinear": dlinear_work}


def threads_ratio(lookback: int, rounds: int) -> float:
    """Lanes one after the other, and two at a time."""
    shape = Shape(len(COLUMNS), lookback, 1)
    train = cut(series(), (0, TRAINING), shape)
    options, order = Train(batch_size=BATCH), np.arange(len(train))
    learners = []
    for seed in range(LANES):
        net = gradient_net({"name": "lstm", "hidden": HIDDEN}, shape, seed=seed)
        learners.append(CompiledLearner(program_of(net), net.state(), train, train, options))

    def lanes(threads: int) -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(
                pool.map(
                    lambda learner: learner.epoch(order, RATES[: -(-len(order) // BATCH)]), learners
                )
            )

    seconds = timed({"one": lambda: lanes(1), "two": lambda: lanes(2)}, rounds)
    return seconds["one"] / seconds["two"]


def row(name: str, seconds: Mapping[str, float], share: str = "") -> str:
    cells = "".join(f"{seconds[way] * 1e3:12.2f}" for way in ("loader", "torch", "compiled"))
    ratios = "".join(f"{seconds[way] / seconds['compiled']:10.1f}x" for way in ("loader", "torch"))
    return f"{name:16}{cells}{ratios}{share:>8}"


def measure(cases: Sequence[tuple[str, int]], rounds: int) -> list[str]:
    rate, lines = product_rate(), []
    print(f"product rate {rate / 1e9:.0f} GFLOP/s on one thread")
    head = ("loader ms", "torch ms", "compiled ms")
    heads = "".join(f"{name:>12}" for name in head)
    print(f"{'an epoch':16}{heads}{'/loader':>11}{'/torch':>11}{'share':>8}")
    for kind, lookback in cases:
        epochs, forecasts = ways(NETS[kind], lookback)
        seconds = timed(epochs, rounds)
        share = WORK[kind](lookback) * len(RATES) / rate / seconds["compiled"]
        print(row(f"{kind} w{lookback}", seconds, f"{share:.0%}"), flush=True)
        lines += [
            f"{kind}-w{lookback}-vs-{way} ratio={seconds[way] / seconds['compiled']:.2f}"
            for way in ("loader", "torch")
        ]
        if (kind, lookback) == ("lstm", 8):
            seconds = timed(forecasts, max(2, rounds // 2))
            print(row(f"forecasts w{lookback}", seconds), flush=True)
            lines.append(f"predict-vs-loader ratio={seconds['loader'] / seconds['compiled']:.2f}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    for kernel in readiness.KERNELS:
        readiness.load(kernel)
    lines = measure(CASES, rounds)
    lines += [
        f"threads-w{lookback} ratio={threads_ratio(lookback, rounds):.2f}" for lookback in (2, 8)
    ]
    print(*lines, sep="\n")


if __name__ == "__main__":
    main()
