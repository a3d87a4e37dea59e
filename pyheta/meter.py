"""Measures what a step costs the process that computes it: each lane's own seconds, and memory."""

import os
import re
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyheta.steps import Cost, PeakOf

#: On how many threads a process may compute; a worker sets it for each child.
THREADS: Final = "OMP_NUM_THREADS"

#: Where and how the kernel is told to begin anew with the peak of memory (Linux, proc(5)).
_CLEAR_REFS: Final = Path("/proc/self/clear_refs")
_RESET_PEAK: Final = "5"
_PEAK: Final = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


@dataclass(slots=True)
class Meter:
    """What one lane has cost so far: the sum of all that was `measured` for it."""

    wall: float = 0.0  # seconds, like `cpu`
    cpu: float = 0.0
    shared: int = 1
    peak: int = 0  # bytes
    peak_of: PeakOf = "step"
    cold: bool = False

    def cost(self) -> Cost:
        """The cost of a lane that has ended."""
        return Cost(
            wall_seconds=self.wall,
            cpu_seconds=self.cpu,
            shared=self.shared,
            peak_memory=self.peak,
            peak_of=self.peak_of,
            threads=_threads(),
            cold=self.cold,
        )


@contextmanager
def measured(*meters: Meter) -> Iterator[None]:
    """Charge what happens inside to the lanes for which it happens, in equal shares.

    One at a time: a measurement inside another one takes the other's peak memory away.
    """
    peak_of: PeakOf = "step" if _reset_peak() else "process"
    modules = len(sys.modules)
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield
    finally:
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak, cold = _peak_memory(), len(sys.modules) > modules
        for meter in meters:
            meter.wall += wall / len(meters)
            meter.cpu += cpu / len(meters)
            meter.shared = max(meter.shared, len(meters))
            meter.peak, meter.peak_of = max(meter.peak, peak), peak_of
            meter.cold = meter.cold or cold


def _reset_peak() -> bool:
    """Whether the kernel measures the peak anew from now on: not every system lets it."""
    try:
        _CLEAR_REFS.write_text(_RESET_PEAK, encoding="ascii")
    except OSError:
        return False
    return True


def _peak_memory() -> int:
    """The highest resident memory of this process since the last reset, in bytes."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        status = ""
    if found := _PEAK.search(status):
        return int(found[1]) * 1024
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest if sys.platform == "darwin" else highest * 1024


def _threads() -> int:
    text = os.environ.get(THREADS, "")
    return int(text) if text.isdecimal() else os.cpu_count() or 1
