"""EMD, EEMD and CEEMDAN of every window of a series, compiled.

Windows of one length share their noise, which is decomposed once, before the first. A growing
window has the noise of the one before it and a sample more, and decomposes it: the length of the
series changes nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.compiled import compiled
from pyheta.pipeline.decomposition.ceemdan import (
    MOST_MODES,
    NoiseModes,
    adaptive,
    all_modes,
    ceemdan,
    noise_modes,
    white_noise,
)
from pyheta.pipeline.decomposition.eemd import eemd, ensemble
from pyheta.pipeline.decomposition.emd import decompose_any, emd, set_residue
from pyheta.pipeline.decomposition.method import Options, Out, Tails
from pyheta.pipeline.decomposition.sifting import TREND, Scratch, locate_extrema, new_scratch
from pyheta.pipeline.parallel import in_order
from pyheta.task import Progress

REPORTS = 200
EMD, EEMD, CEEMDAN = 0, 1, 2  # the branches of `decompose_window`
Sized = tuple[float, NoiseModes]  # how strong a noise is, and the noise


class Plan(NamedTuple):
    """What is done to every window."""

    method: int
    window: int
    grow: bool
    max_imf: int
    size: float
    noises: NoiseModes  # (trials, 1, n) of white noise for EEMD and for windows that grow


@dataclass(frozen=True, slots=True)
class Modes:
    """EMD or an ensemble of it: a `Computation`.

    `decompose` gives the modes that a whole series has, and its residue: (modes + 1, n). `noise`
    gives that of all windows, by max_imf and the samples of the longest.
    """

    branch: int
    decompose: Callable[[Floats, Options, Progress], Floats]
    noise: Callable[[Options, int, int], Sized]

    def whole(self, values: Floats, options: Options, progress: Progress) -> Floats:
        modes = self.decompose(values, options, progress)
        rows = np.zeros((options["max_imf"] + 1, len(values)))
        rows[: len(modes) - 1] = modes[:-1]
        rows[-1] = modes[-1]
        return rows

    def roll(
        self, values: Floats, options: Options, first: int, out: Out, progress: Progress
    ) -> None:
        plan, count = self._plan(options, len(values)), len(values) - first

        def block(rows: tuple[int, int]) -> int:
            roll_block(values, rows, plan, *out)
            return int(rows[1] - first)

        for done in in_order(block, _blocks(first, len(values)), count * options["window"]):
            progress({"done": done, "of": count})

    def _plan(self, options: Options, rows: int) -> Plan:
        window, grow = options["window"], options["grow"]
        max_imf = min(options["max_imf"], MOST_MODES)
        size, noises = self.noise(options, max_imf, rows if grow else window)
        return Plan(self.branch, window, grow, max_imf, size, noises)


def _emd(values: Floats, options: Options, _progress: Progress) -> Floats:
    return emd(values, options["max_imf"])


def _ensemble_of(method: Callable[..., Floats]) -> Callable[[Floats, Options, Progress], Floats]:
    def decompose(values: Floats, options: Options, progress: Progress) -> Floats:
        names = ("max_imf", "trials", "noise", "seed")
        return method(values, progress=progress, **{name: options[name] for name in names})

    return decompose


def _no_noise(_options: Options, _max_imf: int, samples: int) -> Sized:
    return 0.0, NoiseModes(np.zeros((0, 0, samples)), np.zeros(0, np.int64))


def _noise_as_drawn(options: Options, _max_imf: int, samples: int) -> Sized:
    white = _white(options, samples)
    return float(options["noise"]), NoiseModes(white[:, np.newaxis], np.ones(len(white), np.int64))


def _noise_decomposed(options: Options, max_imf: int, samples: int) -> Sized:
    """Once for all windows, unless they grow: then each window's noise is another."""
    if options["grow"]:
        return _noise_as_drawn(options, max_imf, samples)
    return float(options["noise"]), noise_modes(_white(options, samples), max_imf)


def _white(options: Options, samples: int) -> Floats:
    """White noise, (trials, samples).

    For windows that grow it is drawn sample by sample, so that a longer series begins with the same
    noise.
    """
    seed, trials = options["seed"], options["trials"]
    if options["grow"]:
        return np.ascontiguousarray(white_noise(seed, samples, trials).T)
    return white_noise(seed, trials, samples)


EMD_MODES = Modes(EMD, _emd, _no_noise)
EEMD_MODES = Modes(EEMD, _ensemble_of(eemd), _noise_as_drawn)
CEEMDAN_MODES = Modes(CEEMDAN, _ensemble_of(ceemdan), _noise_decomposed)


def _blocks(start: int, stop: int) -> Iterator[tuple[int, int]]:
    size = max(1, (stop - start) // REPORTS)
    return ((first, min(first + size, stop)) for first in range(start, stop, size))


@compiled
def roll_block(
    values: Floats, block: tuple[int, int], plan: Plan, last: Floats, tails: Tails
) -> None:
    """Decompose the windows that end in the rows [block[0], block[1])."""
    scratch, rows = new_scratch(plan.window), np.empty((plan.max_imf + 1, plan.window))
    for t in range(block[0], block[1]):
        samples = t + 1 if plan.grow else plan.window
        if samples != rows.shape[1]:
            scratch, rows = new_scratch(samples), np.empty((plan.max_imf + 1, samples))
        signal = values[t + 1 - samples : t + 1]
        n_modes = decompose_window(signal, plan, rows, scratch)
        keep_ends(rows, n_modes, t, last, tails)


@compiled
def decompose_window(signal: Floats, plan: Plan, rows: Floats, scratch: Scratch) -> int:
    """Fill `rows` with modes and the residue; returns how many modes (a trend has none)."""
    if sum(locate_extrema(signal, scratch)) <= TREND:
        set_residue(signal, rows, 0)
        return 0
    if plan.method == EMD:
        return decompose_any(signal, rows, scratch)
    noise = plan.noises.rows[:, :, : signal.size]
    if plan.method == EEMD:
        return ensemble(signal, noise[:, 0], plan.size, rows, scratch)
    if plan.method == CEEMDAN:
        if plan.grow:
            modes = modes_of(noise[:, 0], plan.max_imf)
            return adaptive(signal, modes, plan.size, rows, scratch)
        return adaptive(signal, NoiseModes(noise, plan.noises.counts), plan.size, rows, scratch)
    raise ValueError("no such method")


@compiled
def modes_of(white: Floats, max_imf: int) -> NoiseModes:
    """Decompose the noise (trials, m) of one window, which stays as it is."""
    rows = np.zeros((white.shape[0], max_imf, white.shape[1]))
    counts = np.zeros(white.shape[0], np.int64)
    for trial in range(white.shape[0]):
        counts[trial] = all_modes(white[trial].copy(), rows[trial])
    return NoiseModes(rows, counts)


@compiled
def keep_ends(rows: Floats, n_modes: int, t: int, last: Floats, tails: Tails) -> None:
    """Keep the ends of the components (modes, zeros, residue) of the window that ends in row t."""
    keep, residue = tails.shape[2], last.shape[0] - 1
    last[:, t] = 0.0
    tails[:, t] = 0.0
    for source in range(n_modes + 1):
        k = residue if source == n_modes else source
        last[k, t] = rows[source, -1]
        for j in range(keep):
            tails[k, t, j] = rows[source, rows.shape[1] - keep + j] - rows[source, -1]
