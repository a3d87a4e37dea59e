"""Sifting: from a signal to its fastest intrinsic mode function (Huang et al. 1998, §5), compiled.

The mean of the upper and the lower envelope is taken off again and again, until what is left looks
like a mode. Thresholds and the order of tests are EMD-signal's defaults, so that results can be
compared. Some of them are absolute, so whoever calls this standardises (see `emd.standardised`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.compiled import compiled, compiled_sum
from pyheta.pipeline.decomposition.envelopes import (
    FIRST,
    MIRRORED,
    Envelope,
    Extrema,
    Knots,
    Places,
    attach_left,
    attach_right,
    choose_mirrored,
    fit_splines,
    new_envelope,
    sample_extrema,
)
from pyheta.pipeline.decomposition.method import LEAST_EXTREMA

MOST_SIFTS = 999
TREND = LEAST_EXTREMA - 1  # extrema, at most, of something that has no mode
SCALED_VARIANCE = 0.001
STANDARD_DEVIATION = 0.2
ENERGY_RATIO = 0.2
LEAST_POWER = 1e-10
NEARLY_ZERO = 1e-8

ONE = np.uint8(1)


class Scratch(NamedTuple):
    """Memory for sifting signals of one length; nothing in it outlives a call of `sift`."""

    upper: Envelope
    lower: Envelope
    mean: Floats  # (samples,): the mean of both envelopes, taken off last
    marks: NDArray[np.uint8]  # (samples,): 1 for a maximum, 2 for a minimum
    chosen: Places  # (2, MIRRORED)


@compiled
def new_scratch(samples: int) -> Scratch:
    return Scratch(
        new_envelope(samples),
        new_envelope(samples),
        np.empty(samples),
        np.empty(samples, np.uint8),
        np.empty((2, MIRRORED), np.int64),
    )


@compiled
def plateau_stop(signal: Floats, start: int) -> int:
    """The last sample of the plateau that begins at `start`."""
    while start < signal.size - 1 and signal[start + 1] == signal[start]:
        start += 1
    return start


@compiled
def find_extrema(signal: Floats, maxima: Places, minima: Places) -> tuple[int, int]:
    """How many maxima and minima a signal has, their positions from index FIRST on.

    A plateau between a rise and a fall counts as one, in its middle. As in EMD-signal, the first
    plateau counts not if it begins at sample 1, and one that begins at sample 0 follows the
    signal's last step.
    """
    last = signal.size - 1
    max_count = min_count = 0
    at, first_plateau = 0, True
    while at < last:
        stop = plateau_stop(signal, at)
        if stop == at:
            stop = at + 1
            place, before = stop, signal[stop] - signal[at]
            counts = stop < last and signal[stop + 1] != signal[stop]
        else:
            place = int(np.rint(0.5 * (at + stop)))
            before = signal[at] - signal[at - 1] if at > 0 else signal[last] - signal[last - 1]
            counts = stop < last and not (first_plateau and at == 1)
            first_plateau = False
        if counts:
            after = signal[stop + 1] - signal[stop]
            if before > 0.0 and after < 0.0:
                maxima[FIRST + max_count] = place
                max_count += 1
            elif before < 0.0 and after > 0.0:
                minima[FIRST + min_count] = place
                min_count += 1
        at = stop
    return max_count, min_count


@compiled
def count_crossings(signal: Floats) -> int:
    """How often a signal changes its sign; a run of zeros counts once."""
    count = int(signal[0] == 0.0)
    for j in range(1, signal.size):
        count += signal[j] * signal[j - 1] < 0.0
        count += signal[j] == 0.0 and signal[j - 1] != 0.0
    return count


@compiled
def fit_envelopes(signal: Floats, scratch: Scratch, max_count: int, min_count: int) -> bool:
    """Fit both envelopes; returns whether all knots of each lie on their side of zero."""
    upper, lower, chosen = scratch.upper, scratch.lower, scratch.chosen
    maxima, minima = Extrema(upper.places, max_count), Extrema(lower.places, min_count)
    sample_extrema(signal, upper, max_count)
    sample_extrema(signal, lower, min_count)
    axis = choose_mirrored(signal, maxima, minima, False, chosen)  # noqa: FBT003
    first, begin = (
        attach_left(signal, upper, axis, chosen[0]),
        attach_left(signal, lower, axis, chosen[1]),
    )
    axis = choose_mirrored(signal, maxima, minima, True, chosen)  # noqa: FBT003
    stop = attach_right(signal, upper, FIRST + max_count, axis, chosen[0])
    end = attach_right(signal, lower, FIRST + min_count, axis, chosen[1])
    fit_splines(upper, Knots(first, stop), lower, Knots(begin, end), signal.size)
    return is_centred(upper.heights[first:stop], lower.heights[begin:end])


@compiled
def is_centred(maxima: Floats, minima: Floats) -> bool:
    for height in maxima:
        if height < 0.0:
            return False
    for height in minima:  # noqa: SIM110 - compiled, and faster as a loop
        if height > 0.0:
            return False
    return True


@compiled
def take_off_mean(signal: Floats, scratch: Scratch) -> tuple[int, int]:
    """Subtract the mean envelope in place; returns how many maxima and minima the signal then has.

    Their positions are written over the old ones. Every pass is one that several samples at a time
    go through without a branch, which is faster than doing all in one.
    """
    mean, high, low = scratch.mean, scratch.upper.curve, scratch.lower.curve
    for j in range(signal.size):
        mean[j] = high[j] + low[j]
        signal[j] -= mean[j]
    return locate_extrema(signal, scratch)


@compiled
def locate_extrema(signal: Floats, scratch: Scratch) -> tuple[int, int]:
    """The same as `find_extrema`, faster where there are no plateaus."""
    if mark_extrema(signal, scratch.marks):
        return gather_extrema(scratch.marks, scratch.upper.places, scratch.lower.places)
    return find_extrema(signal, scratch.upper.places, scratch.lower.places)


@compiled
def mark_extrema(signal: Floats, marks: NDArray[np.uint8]) -> bool:
    """Mark maxima and minima; False if there is a plateau, where this is not enough."""
    plateau = np.uint8(0)
    last = signal.size - 1
    for j in range(1, last):
        before, value, after = signal[j - 1], signal[j], signal[j + 1]
        is_max, is_min = (value > before) & (value > after), (value < before) & (value < after)
        marks[j] = np.uint8(is_max) | (np.uint8(is_min) << ONE)
        plateau |= np.uint8(value == before)
    marks[0] = marks[last] = 0
    return bool(plateau == 0) and bool(signal[last] != signal[last - 1])


@compiled
def gather_extrema(marks: NDArray[np.uint8], maxima: Places, minima: Places) -> tuple[int, int]:
    """The positions of marked samples, and how many they are."""
    # Unsigned: an index that cannot be negative need not be checked for it.
    a = b = np.uint64(FIRST)
    for j in range(marks.size):
        maxima[a] = minima[b] = j
        a += np.uint64(marks[j] & ONE)
        b += np.uint64(marks[j] >> ONE)
    return int(a) - FIRST, int(b) - FIRST


@compiled_sum
def has_settled(mode: Floats, mean: Floats) -> bool:
    """Whether taking off the mean changed little: by any of three measures, if there is a mode."""
    power = change = before = 0.0
    low = high = mode[0] + mean[0]
    for j in range(mode.size):
        old = mode[j] + mean[j]
        power += mode[j] * mode[j]
        change += mean[j] * mean[j]
        before += old * old
        low, high = min(low, old), max(high, old)
    if power < LEAST_POWER:
        return False
    if change < SCALED_VARIANCE * (high - low) or change < ENERGY_RATIO * before:
        return True
    return relative_change_is_small(mode, mean)


@compiled
def relative_change_is_small(mode: Floats, mean: Floats) -> bool:
    total = 0.0
    for j in range(mode.size):
        share = mean[j] / mode[j]
        total += share * share
        if not total < STANDARD_DEVIATION:
            return False
    return True


@compiled
def sift(mode: Floats, scratch: Scratch) -> tuple[bool, int]:
    """Sift a signal (samples,) in place; returns whether it is a trend, and how many extrema."""
    max_count, min_count = locate_extrema(mode, scratch)
    for _ in range(MOST_SIFTS):
        if max_count + min_count <= TREND or min(max_count, min_count) == 0:
            return True, min(max_count + min_count, TREND)
        centred = fit_envelopes(mode, scratch, max_count, min_count)
        max_count, min_count = take_off_mean(mode, scratch)
        # Few signals are centred, so the other tests are seldom needed.
        if (
            centred
            and has_as_many_crossings(mode, max_count + min_count)
            and has_settled(mode, scratch.mean)
        ):
            break
    return False, max_count + min_count


@compiled
def has_as_many_crossings(signal: Floats, extrema: int) -> bool:
    """Does the signal cross zero between its extrema, give or take one?"""
    return abs(extrema - count_crossings(signal)) <= 1


@compiled
def first_mode(signal: Floats, mode: Floats, scratch: Scratch) -> bool:
    """Sift the fastest mode out of a signal; False, and the signal itself, if it has none."""
    mode[:] = signal
    _, extrema = sift(mode, scratch)
    if extrema <= TREND:
        mode[:] = signal
    return extrema > TREND


@compiled
def is_nearly_zero(signal: Floats) -> bool:
    for value in signal:  # noqa: SIM110 - compiled, and faster as a loop
        if abs(value) > NEARLY_ZERO:
            return False
    return True


@compiled
def range_and_power(signal: Floats) -> tuple[float, float]:
    """Highest minus lowest value, and the sum of absolute values."""
    low = high = signal[0]
    total = 0.0
    for value in signal:
        low, high = min(low, value), max(high, value)
        total += abs(value)
    return high - low, total


@compiled
def deviation(signal: Floats) -> float:
    """The population standard deviation."""
    return float(np.sqrt(np.mean((signal - np.mean(signal)) ** 2)))
