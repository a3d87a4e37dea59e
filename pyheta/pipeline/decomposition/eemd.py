"""Ensemble EMD (Wu and Huang 2009, Adv. Adapt. Data Anal. 1, "Ensemble empirical mode
decomposition").

Mode k is the mean, over many trials, of mode k of values + white noise (§3), whose standard
deviation is `noise` times the range of the values. A trial with fewer modes counts with its
residue, as in EMD-signal: were the values not standardised (see `emd`), their level would come into
a mode that way.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.compiled import compiled
from pyheta.pipeline.decomposition.emd import (
    decompose,
    restore,
    standardised,
    with_modes,
)
from pyheta.pipeline.decomposition.sifting import (
    Scratch,
    is_nearly_zero,
    new_scratch,
    range_and_power,
)
from pyheta.pipeline.parallel import in_order
from pyheta.task import Progress

Counts = NDArray[np.int64]


def eemd(
    values: Floats, *, max_imf: int, trials: int, noise: float, seed: int, progress: Progress
) -> Floats:
    """Up to `max_imf` modes, the fastest first, and the residue, (k + 1, n); they add up.

    Raises StepError for values that are not finite or have fewer than three extrema. The number of
    threads changes nothing in the result. Held are (max_imf + 1) rows for the sums and for each of
    at most two trials per thread.
    """
    values = with_modes(values)
    signal, unit = standardised(values)
    size = noise * range_and_power(signal)[0]
    rows, counts, n_modes = np.zeros((max_imf + 1, len(values))), np.zeros(max_imf, np.int64), 0

    def trial(white: Floats) -> tuple[Floats, int]:
        return noisy_modes(signal, white, size, max_imf)

    each = in_order(trial, _draws(seed, trials, len(values)), trials * len(values))
    for done, (modes, count) in enumerate(each, start=1):
        add_trial(modes, count, rows, counts)
        n_modes = max(n_modes, count)
        progress({"done": done, "of": trials})
    take_means(rows, counts, n_modes)
    restore(values, unit, rows, n_modes)
    return rows[: n_modes + 1]


def _draws(seed: int, trials: int, samples: int) -> Iterator[Floats]:
    random = np.random.RandomState(seed)  # as EMD-signal, whose noise this is to be
    return (random.normal(size=samples) for _ in range(trials))


@compiled
def noisy_modes(signal: Floats, white: Floats, size: float, max_imf: int) -> tuple[Floats, int]:
    rows = np.empty((max_imf + 1, signal.size))
    return rows, decompose(signal + size * white, rows, new_scratch(signal.size))


@compiled
def add_trial(modes: Floats, n_modes: int, rows: Floats, counts: Counts) -> None:
    """Add a trial's modes, and its residue if there is room and it is one, to the sums."""
    stop = min(n_modes + (not is_nearly_zero(modes[n_modes])), counts.size)
    for k in range(stop):
        rows[k] += modes[k]
        counts[k] += 1


@compiled
def take_means(rows: Floats, counts: Counts, n_modes: int) -> None:
    """Turn the sums of so many modes into means."""
    for k in range(n_modes):
        rows[k] /= counts[k]


@compiled
def ensemble(values: Floats, white: Floats, noise: float, rows: Floats, scratch: Scratch) -> int:
    """All trials one after the other, with the noise in white (trials, n): as `eemd`, in `rows`."""
    rows[:] = 0.0
    counts, n_modes = np.zeros(rows.shape[0] - 1, np.int64), 0
    modes = np.empty(rows.shape)
    signal, unit = standardised(values)
    size = noise * range_and_power(signal)[0]
    for trial in range(white.shape[0]):
        count = decompose(signal + size * white[trial], modes, scratch)
        add_trial(modes, count, rows, counts)
        n_modes = max(n_modes, count)
    take_means(rows, counts, n_modes)
    restore(values, unit, rows, n_modes)
    return n_modes
