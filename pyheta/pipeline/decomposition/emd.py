"""Empirical mode decomposition: values = IMF 1 + … + IMF k + residue.

Each mode is sifted from what the ones before left (Huang et al. 1998, The empirical mode
decomposition and the Hilbert spectrum, Proc. R. Soc. A 454).

The limits at which it stops are EMD-signal's, which are absolute and see the level of what is
sifted. So that neither a unit nor the place of its zero decides, every series, and every window of
one, is standardised first: its mean is taken off, and limits are in standard deviations. Modes get
the series' unit back, the residue gets the level as well. EMD-signal gives the same for a series
that comes to it standardised.
"""

import numpy as np

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.compiled import compiled
from pyheta.pipeline.decomposition.method import LEAST_EXTREMA
from pyheta.pipeline.decomposition.sifting import (
    TREND,
    Scratch,
    deviation,
    find_extrema,
    new_scratch,
    range_and_power,
    sift,
)

# What is left ends the search if it moves less than this; in deviations of the series.
LEAST_RANGE = 0.001
LEAST_POWER = 0.005


def emd(values: Floats, max_imf: int) -> Floats:
    """Up to `max_imf` modes, the fastest first, and the residue, (k + 1, n); they add up.

    Raises StepError for values that are not finite or have fewer than three extrema.
    """
    values = with_modes(values)
    rows = np.empty((max_imf + 1, len(values)))
    n_modes = decompose_any(values, rows, new_scratch(len(values)))
    return rows[: n_modes + 1]


def usable(values: Floats) -> Floats:
    """The values, writeable and contiguous.

    Raises StepError unless they are finite and not all the same.
    """
    values = np.array(values, np.float64)
    finite = np.isfinite(values)
    if not finite.all():
        what = f"the value in row {int(np.argmin(finite))} is not a finite number"
        raise StepError(what, cure="fill missing values or drop their rows first")
    if len(values) == 0 or (values == values[0]).all():
        what = f"all {len(values)} rows are the same: there is nothing to decompose"
        raise StepError(what, cure="leave the column out, or set decompose.method to none")
    return values


def with_modes(values: Floats) -> Floats:
    """The same, for values that can have modes. Raises StepError if they have too few extrema."""
    values = usable(values)
    if count_extrema(values) < LEAST_EXTREMA:
        what = f"{len(values)} rows with fewer than three maxima and minima have no modes"
        raise StepError(what, cure="use more rows, or set decompose.method to none")
    return values


def count_extrema(values: Floats) -> int:
    room = len(values) + 2
    maxima, minima = np.empty(room, np.int64), np.empty(room, np.int64)
    return int(sum(find_extrema(values, maxima, minima)))


@compiled
def standardised(values: Floats) -> tuple[Floats, float]:
    """Values that are not constant without their mean and in standard deviations, and that unit.

    The first value comes off first, so that a high level costs the mean no digits, and a shift that
    rounds nothing changes no bit. Divided by their range, no squares overflow or vanish.
    """
    signal = values - values[0]
    signal -= np.mean(signal)
    spread, _ = range_and_power(signal)
    signal /= spread
    share = deviation(signal)
    signal /= share
    return signal, spread * share


@compiled
def restore(values: Floats, unit: float, rows: Floats, n_modes: int) -> None:
    """Give modes of the standardised values their unit, and the residue all that they leave."""
    rows[:n_modes] *= unit
    set_residue(values, rows, n_modes)


@compiled
def decompose_any(values: Floats, rows: Floats, scratch: Scratch) -> int:
    """As `decompose`, for values of any level and unit that are not constant."""
    signal, unit = standardised(values)
    n_modes = decompose(signal, rows, scratch)
    restore(values, unit, rows, n_modes)
    return n_modes


@compiled
def decompose(values: Floats, rows: Floats, scratch: Scratch) -> int:
    """Fill rows (max_imf + 1, samples) with modes, then the residue; returns how many modes.

    Values are standardised, or white noise is added to such.
    """
    total = np.zeros(values.size)
    n_modes, extrema = 0, 0
    for k in range(rows.shape[0] - 1):
        mode = rows[k]
        mode[:] = values - total
        is_trend, extrema = sift(mode, scratch)
        total += mode
        n_modes = k + 1
        spread, power = range_and_power(values - total)
        if is_trend or spread < LEAST_RANGE or power < LEAST_POWER:
            break
    # What ended with no more than two extrema belongs to the residue.
    n_modes -= extrema <= TREND
    set_residue(values, rows, n_modes)
    return n_modes


@compiled
def set_residue(values: Floats, rows: Floats, n_modes: int) -> None:
    """rows[found] becomes what the rows before it leave of the values."""
    rows[n_modes] = values
    for k in range(n_modes):
        rows[n_modes] -= rows[k]
