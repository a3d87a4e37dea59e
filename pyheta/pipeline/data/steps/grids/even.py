"""Steps that are constant, but for how times were rounded."""

import numpy as np

from pyheta.pipeline.data.steps import cadence
from pyheta.pipeline.data.steps.grids.grid import SECOND, Grid, Numbers, Times, usual

EQUAL = 1e-3  # steps that differ by less, and do not drift, are equal


def even(times: Times) -> Grid | None:
    """Equal steps, or such as are equal but for how they were rounded, and do not drift."""
    steps = np.diff(times)
    step = usual(steps)
    if not (steps % step).any():
        return _grid(times, float(step), (times - times[0]) // step)
    middle = float(np.median(steps))
    single = steps[steps < 1.5 * middle]  # rows that are missing make longer steps
    mean = float(single.mean())
    numbers = np.concatenate([[0], np.rint(steps / mean).astype(np.int64).cumsum()])
    if (np.diff(numbers) < 1).any():
        return None
    mean = float(times[-1] - times[0]) / float(numbers[-1])
    tolerance = _tolerance(steps, mean)
    best = _roundest(mean, times, numbers, tolerance)
    return _grid(times, best, numbers) if _fits(times, numbers, best, tolerance) else None


def _tolerance(steps: Times, mean: float) -> float:
    """How much times may be off the grid: by their last digit, if that is a fine one."""
    digit = int(np.gcd.reduce(steps))
    rounding = digit if digit <= min(SECOND, mean / 10) else 0
    return max(float(rounding), EQUAL * mean)


def _fits(times: Times, numbers: Numbers, step: float, tolerance: float) -> bool:
    off = (times - times[0]) - numbers * step
    return bool(off.max() - off.min() <= tolerance)


def _roundest(mean: float, times: Times, numbers: Numbers, tolerance: float) -> float:
    """A whole number a second, or of seconds, where that fits as well."""
    rate = SECOND / mean
    nice = SECOND / round(rate) if rate >= 1 else SECOND * float(round(mean / SECOND))
    return nice if _fits(times, numbers, nice, tolerance) else mean


def _grid(times: Times, step: float, numbers: Numbers) -> Grid:
    def at(wanted: Numbers) -> Times:
        """As the file has it where it has it, in between where it has not."""
        since = np.rint(np.interp(wanted, numbers, times - times[0]))
        return np.asarray(since.astype(np.int64) + times[0])

    return Grid(cadence.constant(step / SECOND), numbers, at)
