"""How long does the ablation study take for each core, beside the usual way of writing such a
study?

The usual way: EMD-signal's CEEMDAN of every column of every run, a DataLoader that stacks windows
cut one by one, forecasts one window at a time, every run on its own. PyHeta: its own operations
with all that they read and write, each distinct step once. Storing results is not counted on the
usual side.

One run is MEASURED both ways, with the same epochs: CEEMDAN of the whole series of five columns,
five nets on its components. The study is EXTRAPOLATED from what a column's decomposition and a net
cost in that run, and from how many of them `experiments/etth1-ablation-leaky.yaml` asks for and how
many are distinct.

Needs: the extra `bench` (EMD-signal) and ETTh1.csv.
Run: PYHETA_DATA=folder-of-ETTh1.csv python benchmarks/study.py [--epochs 10] [--rounds 2]
"""

import os

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl
import torch
from PyEMD import CEEMDAN
from training import Loader, gradient_net

from pyheta.nets.engines.kernels import readiness
from pyheta.ops.registry import compute
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.windows import Shape, cut
from pyheta.plan.prepare import CheckedSweep, prepare
from pyheta.steps import Key, Step
from pyheta.sweep import Run
from pyheta.task import Result, Task

SWEEP = Path(__file__).parents[1] / "experiments" / "etth1-ablation-leaky.yaml"
EXOGENOUS = 4  # columns of the run that is measured


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds: of all decompositions, all nets and all the rest of one run."""

    decompose: float
    nets: float
    rest: float

    @property
    def all(self) -> float:
        return self.decompose + self.nets + self.rest


def the_run(study: CheckedSweep) -> Run:
    """The decomposed, unshaped run that sees all columns."""

    def wanted(run: Run) -> bool:
        config = run.config
        treated = (config.decompose.method, config.shaping.method) == ("ceemdan", "none")
        return treated and len(config.exog) == EXOGENOUS and run.role == "net"

    return next(run for run in study.runs if wanted(run))


def steps_of(study: CheckedSweep, run: Run) -> list[Step]:
    """All that a run needs, each step after those that it needs itself."""
    needed = {study.plan.scores[study.runs.index(run)]}
    for key, step in reversed(list(study.plan.steps.items())):
        if key in needed:
            needed |= set(step.needs.values())
    return [step for key, step in study.plan.steps.items() if key in needed]


def ours(study: CheckedSweep, steps: list[Step], folder: Path) -> Costs:
    """The run's steps, one after the other in this process."""
    done: dict[Key, Result] = {}
    seconds: defaultdict[str, float] = defaultdict(float)
    for number, step in enumerate(steps):
        out = folder / str(number)
        out.mkdir()
        inputs = {role: done[key].products for role, key in step.needs.items()}
        inputs |= {role: {role: study.files[sha256]} for role, sha256 in step.files.items()}
        start = time.perf_counter()
        done[step.key] = compute(step.op, Task(step.params, inputs, out))
        seconds[step.op] += time.perf_counter() - start
    return Costs(seconds["decompose"], seconds["fit"], seconds["load"] + seconds["score"])


def usual(columns: Mapping[str, np.ndarray], fits: list[Step], epochs: int) -> Costs:
    """The same run as it is usually written."""
    start = time.perf_counter()
    parts = {column: components(values) for column, values in columns.items()}
    decomposed = time.perf_counter()
    for fit in fits:
        loader = loader_of(fit, parts)
        for _ in range(epochs):
            loader.epoch()
        loader.predict()
    return Costs(decomposed - start, time.perf_counter() - decomposed, 0.0)


def components(values: np.ndarray) -> dict[str, np.ndarray]:
    found = CEEMDAN(trials=5, epsilon=0.005, seed=0, parallel=False).ceemdan(values, max_imf=4)
    names = [*(f"IMF{number}" for number in range(len(found) - 1)), "Residue"]
    return dict(zip(names, found, strict=True))


def loader_of(fit: Step, parts: Mapping[str, Mapping[str, np.ndarray]]) -> Loader:
    params = fit.params
    chosen = [parts[source["column"]][source["component"]] for source in params["sources"]]
    train = tuple(params["split"]["train"])
    known = [values[slice(*train)] for values in chosen]
    scaled = [(v - k.mean()) / (k.std() or 1.0) for v, k in zip(chosen, known, strict=True)]
    channels = [Channel(values.astype(np.float32)) for values in scaled]
    shape = Shape(len(channels), params["window"]["input"], params["window"]["horizon"])
    windows = cut(channels, train, shape), cut(channels, (0, len(chosen[0])), shape)
    return Loader(
        gradient_net(params["net"], shape).module, windows, batch=params["train"]["batch_size"]
    )


def columns_of(study: CheckedSweep, run: Run) -> dict[str, np.ndarray]:
    (path,) = study.files.values()
    frame = pl.read_csv(path)
    return {column: frame[column].to_numpy() for column in (*run.config.target, *run.config.exog)}


def show(name: str, costs: Costs) -> None:
    print(
        f"{name:10}{costs.decompose:12.2f}{costs.nets:12.2f}{costs.rest:12.2f}{costs.all:12.2f}",
        flush=True,
    )


def middle(all_costs: list[Costs]) -> Costs:
    return sorted(all_costs, key=lambda costs: costs.all)[len(all_costs) // 2]


def study_ratio(study: CheckedSweep, steps: list[Step], mine: Costs, theirs: Costs) -> float:
    """Extrapolated: decompositions and nets that are asked for, beside those that are distinct."""
    here = {op: sum(step.op == op for step in steps) for op in ("decompose", "fit")}
    asked, distinct = study.plan.asked, study.plan.distinct
    both = ((theirs, asked), (mine, distinct))
    costs = [
        counts["decompose"] * cost.decompose / here["decompose"]
        + counts["fit"] * cost.nets / here["fit"]
        for cost, counts in both
    ]
    costs[1] += distinct["score"] * mine.rest
    for op in here:
        print(f"{op}: {asked[op]} asked for, {distinct[op]} distinct")
    print(f"EXTRAPOLATED: {costs[0] / 60:.0f} and {costs[1] / 60:.1f} minutes of one core")
    return costs[0] / costs[1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for kernel in readiness.KERNELS:
        readiness.load(kernel)
    epochs = [f"train.epochs={options.epochs}", f"train.patience={options.epochs}"]
    study = prepare(SWEEP, epochs, Path(os.environ["PYHETA_DATA"]))
    run = the_run(study)
    steps = steps_of(study, run)
    fits = [step for step in steps if step.op == "fit"]
    columns = columns_of(study, run)
    print(f"{'seconds':10}{'decompose':>12}{'nets':>12}{'rest':>12}{'all':>12}")
    found: dict[str, list[Costs]] = {"usual": [], "pyheta": []}
    for _ in range(options.rounds):
        found["usual"].append(usual(columns, fits, options.epochs))
        show("usual", found["usual"][-1])
        with tempfile.TemporaryDirectory() as folder:
            found["pyheta"].append(ours(study, steps, Path(folder)))
        show("pyheta", found["pyheta"][-1])
    run_ratio = median(c.all for c in found["usual"]) / median(c.all for c in found["pyheta"])
    ratio = study_ratio(study, steps, middle(found["pyheta"]), middle(found["usual"]))
    print(f"study-run ratio={run_ratio:.2f}")
    print(f"study-all ratio={ratio:.2f} (extrapolated)")


if __name__ == "__main__":
    main()
