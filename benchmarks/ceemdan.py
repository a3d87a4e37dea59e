"""How fast are CEEMDAN and its causal form, beside EMD-signal's CEEMDAN on one thread with the same
noise?

Needs: the extra `bench` (EMD-signal); ETTh1.csv in PYHETA_DATA, else a random walk serves.
Run: PYHETA_DATA=folder-of-ETTh1.csv python benchmarks/ceemdan.py [--short]
"""

import argparse
import csv
import os
import resource
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from PyEMD import CEEMDAN

from pyheta.pipeline.decomposition.ceemdan import ceemdan
from pyheta.pipeline.decomposition.compute import causal

Floats = NDArray[np.float64]
MODES = 4
NOISE = 0.005
CASES = {"ceemdan-1k": (1_000, 5), "ceemdan-17k": (17_420, 2)}  # rows, pairs of turns


def quiet(_: Mapping[str, Any]) -> None:
    pass


def series() -> tuple[str, Floats]:
    path = Path(os.environ.get("PYHETA_DATA", "")) / "ETTh1.csv"
    if not path.is_file():
        return "a random walk", np.random.default_rng(0).normal(size=17_420).cumsum()
    with path.open() as lines:
        return "OT of ETTh1", np.array([float(row["OT"]) for row in csv.DictReader(lines)])


def ours(
    values: Floats, trials: int = 5, progress: Callable[[Mapping[str, Any]], None] = quiet
) -> Floats:
    return ceemdan(values, max_imf=MODES, trials=trials, noise=NOISE, seed=0, progress=progress)


def theirs(values: Floats) -> Floats:
    peer = CEEMDAN(trials=5, epsilon=NOISE, seed=0, parallel=False)
    return np.asarray(peer.ceemdan(values, max_imf=MODES))


def cpu_seconds(run: Callable[[Floats], Floats], values: Floats) -> float:
    """At least 0.2 s of runs, so that the clock's grain does not show."""
    runs, start = 0, time.process_time()
    while runs == 0 or time.process_time() - start < 0.2:
        run(values)
        runs += 1
    return (time.process_time() - start) / runs


def compare(values: Floats, pairs: int) -> float:
    """Take turns on one thread, so that a busy moment of the machine hits both alike."""
    difference = np.abs(ours(values) - theirs(values)).max()
    taken: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(pairs):
        taken["ours"].append(cpu_seconds(ours, values))
        taken["theirs"].append(cpu_seconds(theirs, values))
    mine, peer = median(taken["ours"]), median(taken["theirs"])
    print(f"{len(values):>8}{peer:>12.4f}{mine:>12.4f}{peer / mine:>8.1f}{difference:>14.1e}")
    return peer / mine


def long_series(values: Floats, rows: int = 70_000) -> Floats:
    """Forth and back and forth again, with a little noise so that no stretch occurs twice."""
    there_and_back = np.concatenate([values, values[::-1]])
    tiled = np.tile(there_and_back, rows // len(there_and_back) + 1)[:rows]
    noisy: Floats = tiled + 0.01 * values.std() * np.random.default_rng(1).normal(size=rows)
    return noisy


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def show_long(values: Floats) -> None:
    """70,000 rows and 50 trials: time, progress and memory."""
    steps: list[Mapping[str, Any]] = []
    before, start, cpu = peak_mib(), time.perf_counter(), time.process_time()
    ours(long_series(values), trials=50, progress=steps.append)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(
        f"70,000 rows, 50 trials, {numba.get_num_threads()} threads: {wall:.1f} s wall, "
        f"{cpu:.1f} s CPU"
    )
    print(f"  progress: {len(steps)} reports, the last {dict(steps[-1])}")
    print(f"  peak memory {peak_mib():.0f} MiB, {before:.0f} MiB before")


def show_causal(values: Floats) -> None:
    """Every window of the last rows, as a `decompose` step of a test part would see them."""
    options = {"method": "ceemdan", "max_imf": MODES, "trials": 5, "noise": NOISE, "seed": 0}
    options |= {"window": 1_000, "grow": False}
    start, cpu = time.perf_counter(), time.process_time()
    causal(values[-5_226 - 999 :], options, keep=1, progress=quiet)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    threads = numba.get_num_threads()
    print(f"5,226 windows of 1,000 rows, {threads} threads: {wall:.1f} s wall, {cpu:.1f} s CPU")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="without the two long cases")
    measure(short=parser.parse_args().short)


def measure(*, short: bool) -> None:
    name, values = series()
    threads = numba.get_num_threads()
    print(f"{name}; 5 trials, {MODES} modes, CPU seconds on one thread")
    print(f"{'rows':>8}{'EMD-signal':>12}{'PyHeta':>12}{'ratio':>8}{'largest diff':>14}")
    numba.set_num_threads(1)
    ratios = {case: compare(values[:rows], pairs) for case, (rows, pairs) in CASES.items()}
    numba.set_num_threads(threads)
    if not short:
        show_long(values)
        show_causal(values)
    for case, ratio in ratios.items():
        print(f"{case} ratio={ratio:.1f}")


if __name__ == "__main__":
    main()
