"""Complete ensemble EMD with adaptive noise, on several threads.

Torres et al. 2011, ICASSP, pp. 4144-4147. With E_k(.) for the k-th mode of a signal, w_i for white
noise and r_0 for the values:

    IMF_1 = mean_i E_1(r_0 + e w_i)
    IMF_k = mean_i E_1(r_{k-1} + b E_{k-1}(w_i)),    r_k = r_{k-1} - IMF_k

(there eq. 1-7). EMD-signal takes three liberties that are kept: values are divided by their
standard deviation; the noise of stage k is E_k(w_i) divided by the deviation of E_1(w_i), and b is
e times the deviation of r_{k-1}; and r_k is the mean of the trials' local means (Colominas et al.
2014). It leaves the level in, where its limits see it; here the values are standardised (see
`emd`), and EMD-signal gives the same for such.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.compiled import compiled
from pyheta.pipeline.decomposition.emd import LEAST_POWER as EMD_POWER
from pyheta.pipeline.decomposition.emd import LEAST_RANGE as EMD_RANGE
from pyheta.pipeline.decomposition.emd import restore, standardised, with_modes
from pyheta.pipeline.decomposition.sifting import (
    TREND,
    Scratch,
    deviation,
    first_mode,
    fit_envelopes,
    is_nearly_zero,
    locate_extrema,
    new_scratch,
    range_and_power,
    sift,
    take_off_mean,
)
from pyheta.pipeline.parallel import in_order
from pyheta.task import Progress

MOST_MODES = 101
LEAST_RANGE = 0.01
LEAST_POWER = 0.05
# Sifting brings out riding waves. What has so many extrema will not lose all but two of them, and
# what has a moving mean as well will not turn out to be a mode: there is no need to sift it to the
# end to know.
PLENTY = 32

# What a noise has left to give: modes, its residue, nothing.
MODES, RESIDUE, NOTHING = 0, 1, 2


class Noise(NamedTuple):
    """The noises of all trials, brought up to date from stage to stage."""

    left: Floats  # (trials, n): what the modes taken out so far have left
    units: Floats  # (trials,): the deviation of the first mode
    states: NDArray[np.int64]  # (trials,)


class NoiseModes(NamedTuple):
    """Modes of all trials' noises, in units of the deviation of the first."""

    rows: Floats  # (trials, max_imf, n)
    counts: NDArray[np.int64]  # (trials,): the modes that a noise has; the other rows are zero


def ceemdan(
    values: Floats, *, max_imf: int, trials: int, noise: float, seed: int, progress: Progress
) -> Floats:
    """Up to `max_imf` modes, the fastest first, and the residue, (k + 1, n); they add up.

    Raises StepError for values that are not finite or have fewer than three extrema. The number of
    threads changes nothing in the result. Held are one row per trial (what its noise has left), the
    modes, and a few rows for each of at most two trials per thread.
    """
    values = with_modes(values)
    max_imf = min(max_imf, MOST_MODES)
    white = Noise(white_noise(seed, trials, len(values)), np.empty(trials), np.full(trials, MODES))
    report = _counter(progress, trials * max_imf)
    modes = np.empty((max_imf + 1, len(values)))
    signal, unit = standardised(values)
    rest, n_modes = signal, 0
    while n_modes < max_imf and not (n_modes and is_exhausted(signal, modes, n_modes)):
        beta = noise * deviation(rest) if n_modes else float(noise)

        def trial(i: int, rest: Floats = rest, beta: float = beta, stage: int = n_modes) -> Floats:
            return noisy_stage(rest, beta, stage, white, i)

        mean = np.zeros(len(values))
        for row in in_order(trial, range(trials), trials * len(values)):
            add_share(mean, row, trials)
            report()
        rest = next_mode(rest, mean, n_modes, modes[n_modes])
        n_modes += 1
    restore(values, unit, modes, n_modes)
    return modes[: n_modes + 1]


def white_noise(seed: int, trials: int, samples: int) -> Floats:
    """(trials, samples), as EMD-signal draws it."""
    return np.random.RandomState(seed).normal(size=(trials, samples))


def noise_modes(white: Floats, max_imf: int) -> NoiseModes:
    """Decompose noise (trials, n), which is overwritten."""
    rows = np.zeros((len(white), max_imf, white.shape[1]))
    counts = np.zeros(len(white), np.int64)

    def trial(i: int) -> None:
        counts[i] = all_modes(white[i], rows[i])

    for _ in in_order(trial, range(len(white)), white.size):
        pass
    return NoiseModes(rows, counts)


def _counter(progress: Progress, of: int) -> Callable[[], None]:
    done = 0

    def report() -> None:
        nonlocal done
        done += 1
        progress({"done": done, "of": of})

    return report


@compiled
def next_noise(left: Floats, row: Floats, state: int, scratch: Scratch) -> int:
    """Move the next mode of a noise from `left` into `row`; returns the next state.

    The last row of a noise is its residue, unless that is nothing. In state NOTHING there is no
    row.
    """
    if state == RESIDUE:
        row[:] = left
        return NOTHING
    row[:] = left
    is_trend, extrema = sift(row, scratch)
    spread, power = range_and_power(left - row)
    is_last = is_trend or spread < EMD_RANGE or power < EMD_POWER
    if is_last and extrema <= TREND:
        row[:] = left
        return NOTHING
    left -= row
    if not is_last:
        return MODES
    return NOTHING if is_nearly_zero(left) else RESIDUE


@compiled
def all_modes(left: Floats, rows: Floats) -> int:
    """Fill rows (max_imf, n) with as many modes as a noise has; returns how many."""
    scratch = new_scratch(left.size)
    state = MODES
    for k in range(rows.shape[0]):
        if state == NOTHING:
            return k
        state = next_noise(left, rows[k], state, scratch)
        if k == 0:
            unit = deviation(rows[0])
        rows[k] /= unit
    return len(rows)


@compiled
def noisy_stage(rest: Floats, beta: float, stage: int, noise: Noise, trial: int) -> Floats:
    """One trial of one stage, as `stage_row`; makes the noise's next mode on the way."""
    scratch = new_scratch(rest.size)
    mode, row = np.empty(rest.size), np.empty(rest.size)
    if noise.states[trial] == NOTHING:
        stage_row(rest, row, stage, scratch)
        return row
    noise.states[trial] = next_noise(noise.left[trial], mode, noise.states[trial], scratch)
    if stage == 0:
        noise.units[trial] = deviation(mode)
    mode /= noise.units[trial]
    stage_row(rest + beta * mode, row, stage, scratch)
    return row


@compiled
def stage_row(signal: Floats, row: Floats, stage: int, scratch: Scratch) -> None:
    """The first mode of a signal at stage 0; at later stages the rest of it (the local mean)."""
    has_mode = first_mode(signal, row, scratch)
    if stage == 0 or not has_mode:
        return
    mean = signal - row
    if not is_nearly_zero(mean):
        row[:] = mean


@compiled
def add_share(mean: Floats, row: Floats, trials: int) -> None:
    mean += row / trials


@compiled
def next_mode(rest: Floats, mean: Floats, stage: int, mode: Floats) -> Floats:
    """Fill in the mode of a stage from the mean over its trials; returns what it leaves over."""
    if stage == 0:
        mode[:] = mean
        return rest - mean
    mode[:] = rest - mean
    return mean


@compiled
def is_exhausted(signal: Floats, modes: Floats, n_modes: int) -> bool:
    """Is what the modes leave of the signal a mode itself, a trend, or next to nothing?"""
    rest = signal.copy()
    for k in range(n_modes):
        rest -= modes[k]
    spread, power = range_and_power(rest)
    if spread < LEAST_RANGE or power < LEAST_POWER:
        return True
    scratch, mode = new_scratch(rest.size), rest.copy()
    max_count, min_count = locate_extrema(rest, scratch)
    if max_count + min_count > PLENTY:
        fit_envelopes(mode, scratch, max_count, min_count)
        take_off_mean(mode, scratch)
        if range_and_power(scratch.mean)[0] > LEAST_RANGE:
            return False
    return not first_mode(rest, mode, scratch) or is_nearly_zero(rest - mode)


@compiled
def adaptive(
    values: Floats, noises: NoiseModes, noise: float, modes: Floats, scratch: Scratch
) -> int:
    """All trials one after the other, with noise decomposed before: as `ceemdan`, in `modes`."""
    trials, limit = len(noises.counts), modes.shape[0] - 1
    signal, unit = standardised(values)
    rest, row, n_modes = signal, np.empty(values.size), 0
    while n_modes < limit and not (n_modes and is_exhausted(signal, modes, n_modes)):
        beta = noise * deviation(rest) if n_modes else noise
        mean = np.zeros(values.size)
        for i in range(trials):
            noisy = rest + beta * noises.rows[i, n_modes] if noises.counts[i] > n_modes else rest
            stage_row(noisy, row, n_modes, scratch)
            add_share(mean, row, trials)
        rest = next_mode(rest, mean, n_modes, modes[n_modes])
        n_modes += 1
    restore(values, unit, modes, n_modes)
    return n_modes
