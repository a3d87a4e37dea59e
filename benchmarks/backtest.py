"""How long does a rolling backtest take on one core, beside Darts, neuralforecast and a plain loop?

Eight folds of 720 test rows, each with all rows before its validation as training (expanding) and
its own fit (refit every fold), windows of 96 rows, 24 rows ahead, from each row of the test parts:

    ridge      least squares of all steps ahead
        loop            numpy.linalg.lstsq on windows
        darts           LinearRegressionModel, one call of historical_forecasts(retrain=720); it has
                        no validation, so it trains on those 1,440 rows too
        darts-by-fold   by hand: a fit for each fold, then historical_forecasts(retrain=False),
                        which computes all forecasts of a fold at once
    nlinear    with equal epochs, batches, loss, optimizer and validations
        loop            a DataLoader that stacks windows cut one by one, and Adam
        neuralforecast  by hand too: cross_validation(refit=False) for each fold; with refit it
                        predicts every origin by itself, which takes minutes. It draws the windows
                        of each step anew, where an epoch of the others has each window once.

PyHeta computes its own operations `fit`, `forecast` and `score`, with all that they read and write,
and forecasts training and validation as well; the others forecast the test part alone, compute one
metric and store nothing. Errors of all least squares are compared. Imports and the first call of
each are not counted. Rounds alternate; medians.

Needs: the extra `bench` for Darts and neuralforecast, which are left out without it; ETTh1.csv in
PYHETA_DATA, else a random walk with a daily wave serves.
Run: PYHETA_DATA=folder-of-ETTh1.csv python benchmarks/backtest.py [--rounds 3] [--epochs 2]
"""

import os

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from training import BATCH, ROWS, Loader, gradient_net, timed

from pyheta.nets.engines.kernels import readiness
from pyheta.nets.training.options import Train
from pyheta.ops.fit import fit
from pyheta.ops.forecast import forecast
from pyheta.ops.score import score
from pyheta.pipeline.channels import Channel, Source
from pyheta.pipeline.splits import Split
from pyheta.pipeline.windows import Shape, cut
from pyheta.task import Task

FOLDS, TEST, VALIDATION = 8, 720, 1440
LOOKBACK, HORIZON = 96, 24
SHAPE = Shape(1, LOOKBACK, HORIZON)
RIDGE: Mapping[str, Any] = {"name": "ridge", "alpha": 0.0}
NLINEAR: Mapping[str, Any] = {"name": "nlinear"}

Floats = NDArray[np.float64]


def series() -> Floats:
    path = Path(os.environ.get("PYHETA_DATA", ".")) / "ETTh1.csv"
    if path.exists():
        return pl.read_csv(path)["OT"].to_numpy()
    print("no ETTh1.csv in PYHETA_DATA: a random walk of the same size")
    walk = np.random.default_rng(0).normal(size=ROWS).cumsum() / 10
    return np.asarray(walk + np.sin(np.arange(ROWS) * 2 * np.pi / 24))


def splits() -> Iterator[Split]:
    """The folds; the last one ends with the data."""
    for fold in range(FOLDS):
        stop = ROWS - (FOLDS - 1 - fold) * TEST
        first, middle = stop - TEST - VALIDATION, stop - TEST
        yield Split((0, first), (first, middle), (middle, stop))


def backtest(net: Mapping[str, Any], train: Mapping[str, Any] | None, values: Floats) -> float:
    """The mean absolute error of all folds together, by PyHeta's operations."""
    with tempfile.TemporaryDirectory(prefix="pyheta-backtest-") as folder:
        table = Path(folder) / "table.parquet"
        times = pl.datetime_range(
            datetime(2016, 7, 1),  # noqa: DTZ001 (data sets have no zone)
            datetime(2016, 7, 1) + timedelta(hours=ROWS - 1),  # noqa: DTZ001
            "1h",
            eager=True,
        )
        pl.DataFrame({"time": times, "OT": values}).write_parquet(table)
        return float(np.mean([_fold(split, net, train, table) for split in splits()]))


def _fold(
    split: Split, net: Mapping[str, Any], train: Mapping[str, Any] | None, table: Path
) -> float:
    out = table.parent / str(split.stop)
    out.mkdir()
    data = {"load": {"table": table}}
    params = {
        "component": "target",
        "sources": [Source("OT").as_params()],
        "targets": 1,
        "split": split.learning.as_params(),
        "window": {"input": LOOKBACK, "horizon": HORIZON},
        "net": net,
        "scale": "standard",
        **({"train": train, "seed": 0} if train else {}),
    }
    fitted = fit(Task(params, data, out))
    asked = {"targets": ["OT"], "components": ["target"]}
    nets = {"fit/target": dict(fitted.products)}
    made = forecast(Task({**asked, "split": split.as_params()}, {**data, **nets}, out))
    judged = {**asked, "folds": [split.as_params()], "scale": "standard"}
    inputs = {**data, "0/forecast": dict(made.products)}
    metrics = score(Task(judged, inputs, out)).metrics
    return next(it.value for it in metrics if (it.split, it.name, it.horizon) == ("test", "mae", 0))


Forecasts = Callable[[Floats, Split], Floats]  # of the scaled series: (windows, HORIZON)


def loop(forecasts: Forecasts, values: Floats) -> float:
    """The same by a plain loop: scale, fit, forecast, measure."""
    errors: list[float] = []
    for split in splits():
        known = values[slice(*split.train)]
        unit = float(known.std())
        scaled = (values - known.mean()) / unit
        truth = rows_of(scaled, split.targets("test"))[1]
        errors.append(float(np.abs(forecasts(scaled, split) - truth).mean() * unit))
    return float(np.mean(errors))


def rows_of(scaled: Floats, part: tuple[int, int]) -> tuple[Floats, Floats]:
    """Windows, and what is to be forecast of them."""
    first, last = max(part[0], LOOKBACK), part[1] - HORIZON
    windows = sliding_window_view(scaled, LOOKBACK)[first - LOOKBACK : last + 1 - LOOKBACK]
    return windows, sliding_window_view(scaled, HORIZON)[first : last + 1]


def least_squares(scaled: Floats, split: Split) -> Floats:
    windows, targets = rows_of(scaled, split.train)
    padded = np.column_stack([windows, np.ones(len(windows))])
    weights, *_ = np.linalg.lstsq(padded, targets, rcond=None)
    last, _ = rows_of(scaled, split.targets("test"))
    found: Floats = np.column_stack([last, np.ones(len(last))]) @ weights
    return found


def loader(epochs: int, scaled: Floats, split: Split) -> Floats:
    channels = [Channel(scaled.astype(np.float32))]
    parts = cut(channels, split.train, SHAPE), cut(channels, split.targets("test"), SHAPE)
    module = gradient_net(NLINEAR, SHAPE).module
    trained = Loader(module, parts, BATCH)
    for _ in range(epochs):
        trained.epoch()
    module.eval()
    with torch.no_grad():
        found = module(torch.from_numpy(np.array(parts[1].inputs))).numpy()
    return np.asarray(found[:, 0].astype(np.float64))


def darts(values: Floats) -> float:
    """By one call, from each row on; forecasts that reach into the next fold do not count."""
    import peer_darts

    first, every = ROWS - FOLDS * TEST, HORIZON - 1
    made = peer_darts.all_folds(values, first, TEST, LOOKBACK, HORIZON)
    inside = np.arange(len(made)) % TEST < TEST - every
    truth = sliding_window_view(values, HORIZON)[first:]
    return float(np.abs(made - truth)[inside].mean())


def darts_fold(scaled: Floats, split: Split) -> Floats:
    import peer_darts

    return peer_darts.fold(scaled, split, LOOKBACK, HORIZON)


def neuralforecast_fold(epochs: int, scaled: Floats, split: Split) -> Floats:
    import peer_neuralforecast

    return peer_neuralforecast.fold(scaled, split, LOOKBACK, HORIZON, batch=BATCH, epochs=epochs)


Ways = Mapping[str, Callable[[], float]]


def cases(values: Floats, epochs: int) -> Mapping[str, Ways]:
    """Of each net the ways to its error; PyHeta's is the first."""
    options = Train(batch_size=BATCH, epochs=epochs, weights="last", shuffle=False)
    train = options.model_dump(mode="json")
    ridge = {
        "pyheta": partial(backtest, RIDGE, None, values),
        "loop": partial(loop, least_squares, values),
        "darts": partial(darts, values),
        "darts-by-fold": partial(loop, darts_fold, values),
    }
    nlinear = {
        "pyheta": partial(backtest, NLINEAR, train, values),
        "loop": partial(loop, partial(loader, epochs), values),
        "neuralforecast": partial(loop, partial(neuralforecast_fold, epochs), values),
    }
    return {"ridge": _installed(ridge), "nlinear": _installed(nlinear)}


def _installed(ways: Ways) -> Ways:
    missing = [peer for peer in ("darts", "neuralforecast") if find_spec(peer) is None]
    return {name: way for name, way in ways.items() if name.split("-")[0] not in missing}


def measure(rounds: int, epochs: int) -> Sequence[str]:
    lines = []
    print(f"{f'{FOLDS} folds':26}{'s':>10}{'ratio':>10}{'mae':>12}")
    for net, ways in cases(series(), epochs).items():
        errors = {name: way() for name, way in ways.items()}  # nothing is imported later
        for name, error in errors.items():
            exact = net == "ridge" and name != "darts"
            np.testing.assert_allclose(error, errors["pyheta"], rtol=1e-6 if exact else 0.1)
        seconds = timed(ways, rounds)
        for name in ways:
            ratio = seconds[name] / seconds["pyheta"]
            print(f"{net:8}{name:18}{seconds[name]:10.2f}{ratio:9.1f}x{errors[name]:12.4f}")
            if name != "pyheta":
                lines.append(f"backtest-{net}-vs-{name} ratio={ratio:.2f}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    readiness.load("linear")
    print(*measure(arguments.rounds, arguments.epochs), sep="\n")


if __name__ == "__main__":
    main()
