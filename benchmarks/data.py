"""How long does it take to read and check a data file, beside `polars.read_csv` alone?

A CSV file of 1,000,000 rows and 20 columns: ISO times of every minute and 19 columns of random
numbers with six digits. Three ways, in turns, and medians:

    polars     polars.read_csv of the bytes, with its defaults: numbers, and times left as texts
    parse      the bytes as a table of unchecked columns: encoding, separator, names, numbers
    read       all stations to the checked table: times, cells, order, step, missing values

Memory is the most that a fresh process needs for each, beside what it needs for the bytes alone.

Needs: Linux, for the memory.
Run: python benchmarks/data.py [--rows 1000000] [--columns 20] [--rounds 5]
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl

from pyheta.pipeline.data.files.rawfile import parse
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.read import read

WAYS: Mapping[str, Callable[[bytes], object]] = {
    "bytes": lambda raw: raw,
    "polars": pl.read_csv,
    "parse": lambda raw: parse(raw, "made.csv", DataOptions()),
    "read": lambda raw: read(raw, "made.csv", DataOptions()),
}


def made(rows: int, columns: int) -> bytes:
    """The bytes of the file."""
    generator = np.random.default_rng(0)
    start = datetime(2000, 1, 1)  # noqa: DTZ001
    stamps = pl.datetime_range(start, start + timedelta(minutes=rows - 1), "1m", eager=True)
    times = stamps.dt.strftime("%Y-%m-%d %H:%M:%S").alias("date")
    values = [np.round(100 * generator.normal(size=rows), 4) for _ in range(columns - 1)]
    series = [pl.Series(f"x{number}", column) for number, column in enumerate(values)]
    return pl.DataFrame([times, *series]).write_csv().encode()


def seconds(raw: bytes, rounds: int) -> dict[str, float]:
    """Of each way, in turns, so that a busy moment of the machine hits all alike."""
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, work in WAYS.items():
            start = time.perf_counter()
            work(raw)
            taken[way].append(time.perf_counter() - start)
    return {way: median(times) for way, times in taken.items()}


def peak_mib(way: str, path: Path) -> float:
    """Of a process that reads the bytes of a file, and does this alone with them."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak_of_this, (way, path))


def _peak_of_this(way: str, path: Path) -> float:
    WAYS[way](path.read_bytes())
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    measure(given.rows, given.columns, given.rounds)


def measure(rows: int, columns: int, rounds: int) -> None:
    raw = made(rows, columns)
    size = len(raw) / (1 << 20)
    print(f"{rows:,} rows, {columns} columns, {size:.0f} MiB of CSV")
    print(f"{'':10}{'s':>8}{'ratio':>8}{'MiB':>8}")
    taken = seconds(raw, rounds)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "made.csv")
        path.write_bytes(raw)
        peaks = {way: peak_mib(way, path) for way in WAYS}
    for way in ("polars", "parse", "read"):
        memory = peaks[way] - peaks["bytes"]
        print(f"{way:10}{taken[way]:8.3f}{taken[way] / taken['polars']:8.2f}{memory:8.0f}")
    for way in ("parse", "read"):
        print(f"{way}-vs-polars ratio={taken[way] / taken['polars']:.2f}")


if __name__ == "__main__":
    main()
