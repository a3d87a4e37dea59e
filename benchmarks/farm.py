"""How fast are FARM and DTW compiled, beside plain numpy, a Python loop and dtw-python, on 17,420
rows?

ETTh1 has as many rows. The series are two random walks, one of which follows the other. DTW's
memory is by how much it raises the peak of a fresh process, which importing numba has set.

Needs: the extra `bench` (dtw-python).
Run: python benchmarks/farm.py
"""

import argparse
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pyheta.pipeline.relevance.dtw import dtw_distance
from pyheta.pipeline.relevance.farm import forward_path, local_relevance

Floats = NDArray[np.float64]

ROWS, WINDOW, BAND = 17_420, 5, 1_742
SMALL = 2_000  # dtw-python keeps the whole table
REPEATS = 7


def walks(rows: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(0)
    walk = rng.normal(size=rows + 3).cumsum()
    target, column = walk[:rows], walk[3:] + rng.normal(size=rows)
    return (target - target.mean()) / target.std(), (column - column.mean()) / column.std()


def numpy_relevance(target: Floats, column: Floats) -> Floats:
    windows = [sliding_window_view(np.pad(v, WINDOW // 2), WINDOW) for v in (target, column)]
    one, other = (w - w.mean(axis=1, keepdims=True) for w in windows)
    size = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    flat = np.any([w.max(axis=1) == w.min(axis=1) for w in windows], axis=0)
    rho = (one * other).sum(axis=1) / np.where(flat, 1.0, size)
    return np.where(flat, 0.0, 1 - np.sqrt((1 - np.clip(rho, -1, 1)) / 2))


def python_path(target: Floats, column: Floats) -> list[tuple[int, int]]:
    one, other = (np.arctan(np.diff(v)).tolist() for v in (target, column))

    def distance(row: int, place: int) -> float:
        phi = abs(one[row] - other[place])
        return math.sin(phi) if phi <= math.pi / 2 else 1.0

    y = x = 0
    path = [(0, 0)]
    while y + 1 < len(one) and x + 1 < len(other):
        steps = [(distance(y + 1, x + 1), 1, 1)]
        if x + 2 < len(other) and y != x:
            steps.append((distance(y + 1, x + 2), 1, 2))
        if y + 2 < len(one):
            steps.append((distance(y + 2, x + 1), 2, 1))
        _, down, right = min(steps, key=lambda step: step[0])
        if down + right > 2:
            path.append((y + down - 1, x + right - 1))
        y, x = y + down, x + right
        path.append((y, x))
    while y + 1 < len(one) or x + 1 < len(other):
        y, x = min(y + 1, len(one) - 1), min(x + 1, len(other) - 1)
        path.append((y, x))
    return path


def library_distance(first: Floats, second: Floats) -> float:
    from dtw import dtw

    return float(dtw(first, second, dist_method="cityblock", distance_only=True).distance)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def taking_turns(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """Medians, so that a busy moment of the machine hits both alike; the first call compiles."""
    one(), other()
    times = [(seconds(one), seconds(other)) for _ in range(REPEATS)]
    return median(t for t, _ in times), median(t for _, t in times)


def row(what: str, ours: float, theirs: float | None = None, beside: str = "") -> None:
    other = "" if theirs is None else f"{1000 * theirs:>12.2f}{theirs / ours:>8.1f}x  {beside}"
    print(f"{what:<44}{1000 * ours:>10.2f}{other}")


def peak_growth() -> None:
    """In a process of its own: MiB by which one full-size DTW raises the peak."""
    first, second = walks(ROWS)
    dtw_distance(first[:50], second[:50], band=5)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    dtw_distance(first, second, band=BAND)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--peak", action="store_true", help="only what DTW adds to the peak memory")
    if parser.parse_args().peak:
        peak_growth()
    else:
        measure()


def measure() -> None:
    target, column = walks(ROWS)
    short = target[:SMALL], column[:SMALL]
    path = forward_path(target, column)
    assert list(zip(path.target, path.column, strict=True)) == python_path(target, column)
    np.testing.assert_allclose(
        local_relevance(target, column), numpy_relevance(target, column), atol=1e-6
    )
    assert math.isclose(dtw_distance(*short), library_distance(*short))

    local = taking_turns(
        lambda: local_relevance(target, column), lambda: numpy_relevance(target, column)
    )
    align = taking_turns(lambda: forward_path(target, column), lambda: python_path(target, column))
    small = taking_turns(lambda: dtw_distance(*short), lambda: library_distance(*short))
    banded, free = taking_turns(
        lambda: dtw_distance(target, column, band=BAND), lambda: dtw_distance(target, column)
    )
    command = [sys.executable, __file__, "--peak"]
    grown = float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    print(f"{'':<44}{'ms':>10}{'other ms':>12}   ({REPEATS} each, median)")
    row(f"local relevance, {ROWS} rows, window {WINDOW}", *local, "numpy, sliding windows")
    row(f"forward path, {ROWS} rows", *align, "Python loop")
    row(f"DTW, {SMALL} x {SMALL}", *small, "dtw-python")
    row(f"DTW, {ROWS} x {ROWS}, band {BAND}", banded)
    row(f"DTW, {ROWS} x {ROWS}, no band", free)
    print(
        f"banded DTW raised the peak memory by {grown:.1f} MiB; a table of {ROWS}² takes 2,315 MiB"
    )
    print(f"farm-local ratio={local[1] / local[0]:.2f}")
    print(f"farm-align ratio={align[1] / align[0]:.2f}")
    print(f"dtw ratio={small[1] / small[0]:.2f}")


if __name__ == "__main__":
    main()
