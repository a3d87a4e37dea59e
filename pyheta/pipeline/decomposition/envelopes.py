"""Envelopes of a signal, compiled: cubic splines through its maxima and through its minima.

Positions are sample numbers, so every knot lies on a sample. A list of extrema (or knots) is an
int64 buffer whose first extremum stands at index FIRST; the two places before it and the places
after the last one take the extrema that are mirrored at the ends of the signal (Rilling, Flandrin,
Goncalves 2003, §3.1). The choice of mirrored extrema and of the spline is EMD-signal's, so that
results can be compared.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.compiled import compiled

Places = NDArray[np.int64]
Cubic = tuple[float, float, float, float]

MIRRORED = 2  # extrema of each kind that are mirrored at each end
FIRST = MIRRORED
ABSENT = -1
FEW = 4  # knots that a spline of the general kind needs
STRIDE = 4  # samples of a short piece that are evaluated at a time
LONG = 12  # samples of a piece that is not short
NEXT = np.uint64(1)


class Extrema(NamedTuple):
    """Extrema of one kind: places[FIRST : FIRST + total]."""

    places: Places
    total: int


class Knots(NamedTuple):
    """The knots of a spline: places[first:stop]."""

    first: int
    stop: int


class Envelope(NamedTuple):
    """Half a cubic spline, so that the mean of two envelopes is a plain sum."""

    places: Places  # (room,): the knots from index FIRST - 2 at the earliest
    heights: Floats  # (room,): half the signal at the knots
    steps: Floats  # (room,): samples to the next knot
    inverse: Floats  # (room,): of the steps
    chords: Floats  # (room,): rise to the next knot, per sample
    slopes: Floats  # (room,): of the half spline at the knots, per sample
    ratios: Floats  # (room,): during elimination, how a slope depends on the next one inwards
    curve: Floats  # (samples + STRIDE,): the half spline at every sample


@compiled
def new_envelope(samples: int) -> Envelope:
    """Room for the envelope of a signal: at most every second sample is a maximum."""
    room = samples // 2 + 2 * MIRRORED + 8
    return Envelope(
        np.empty(room, np.int64),
        np.empty(room),
        np.empty(room),
        np.empty(room),
        np.empty(room),
        np.empty(room),
        np.empty(room),
        np.empty(samples + STRIDE),
    )


@compiled
def nth(extrema: Extrema, number: int, right: bool) -> int:  # noqa: FBT001
    """The position of an extremum, counted from 0 at either end; ABSENT if there are fewer."""
    if number >= extrema.total:
        return ABSENT
    index = FIRST + extrema.total - 1 - number if right else FIRST + number
    return int(extrema.places[index])


@compiled
def choose_mirrored(
    signal: Floats,
    maxima: Extrema,
    minima: Extrema,
    right: bool,  # noqa: FBT001
    chosen: Places,
) -> int:
    """Which samples are mirrored at one end, and at which sample (returned).

    chosen: (2, MIRRORED), filled with positions of maxima and minima from the inside out. The
    signal is mirrored at its outermost extremum if its end does not stick out beyond the next
    extremum of the other kind; else at its end, which then counts as an extremum of that kind.
    """
    edge = signal.size - 1 if right else 0
    last_max, last_min = nth(maxima, 0, right), nth(minima, 0, right)
    if abs(last_max - edge) < abs(last_min - edge):
        inside = signal[edge] > signal[last_min]
        return choose(edge, inside, (maxima, minima), right, (chosen[0], chosen[1]))
    inside = signal[edge] < signal[last_max]
    return choose(edge, inside, (minima, maxima), right, (chosen[1], chosen[0]))


@compiled
def choose(
    edge: int,
    inside: bool,  # noqa: FBT001
    extrema: tuple[Extrema, Extrema],
    right: bool,  # noqa: FBT001
    chosen: tuple[Places, Places],
) -> int:
    """The same for the outermost kind of extrema and the other one, in this order."""
    outer, inner = extrema
    chosen[0][0], chosen[0][1] = nth(outer, 0, right), nth(outer, 1, right)
    if not inside:
        chosen[1][0], chosen[1][1] = edge, nth(inner, 0, right)
        return edge
    chosen[1][0], chosen[1][1] = nth(inner, 0, right), nth(inner, 1, right)
    axis = nth(outer, 0, right)
    reach = min(
        abs(nth(outer, min(outer.total - 1, MIRRORED), right) - axis),
        abs(nth(inner, min(inner.total, MIRRORED) - 1, right) - axis),
    )
    # Mirrored at the extremum, both kinds have to reach the end of the signal.
    if reach < abs(axis - edge):
        return edge
    chosen[0][0] = axis if outer.total == 1 else nth(outer, 1, right)
    chosen[0][1] = nth(outer, MIRRORED, right)
    return axis


@compiled
def attach_left(signal: Floats, envelope: Envelope, axis: int, chosen: Places) -> int:
    """Put mirrored knots before the first extremum; returns the index of the first knot."""
    first = FIRST
    for source in chosen:
        place = 2 * axis - source
        # Of two knots in one place the inner one stays.
        if source != ABSENT and place != envelope.places[first]:
            first -= 1
            envelope.places[first] = place
            envelope.heights[first] = 0.5 * signal[source]
    return first


@compiled
def attach_right(signal: Floats, envelope: Envelope, stop: int, axis: int, chosen: Places) -> int:
    """Put mirrored knots after the last extremum; returns the index behind the last knot."""
    for source in chosen:
        if source != ABSENT:
            place = 2 * axis - source
            # Of two knots in one place the outer one stays.
            stop -= place == envelope.places[stop - 1]
            envelope.places[stop] = place
            envelope.heights[stop] = 0.5 * signal[source]
            stop += 1
    return stop


@compiled
def sample_extrema(signal: Floats, envelope: Envelope, count: int) -> None:
    """Fill in the heights of a signal's extrema."""
    places, heights = envelope.places, envelope.heights
    for k in range(FIRST, FIRST + count):
        heights[k] = 0.5 * signal[places[k]]


@compiled
def measure(envelope: Envelope, knots: Knots) -> None:
    """Steps and chords between the knots."""
    first, stop = knots
    places, heights, chords = envelope.places, envelope.heights, envelope.chords
    steps, inverse = envelope.steps, envelope.inverse
    for k in range(first, stop - 1):
        steps[k] = float(places[k + 1] - places[k])
        inverse[k] = 1.0 / steps[k]
        chords[k] = (heights[k + 1] - heights[k]) * inverse[k]


@compiled
def begin(step: float, chord: float, after: float, next_chord: float) -> tuple[float, float]:
    """Slope and ratio at an outermost knot; two pieces there are the same cubic ("not a knot")."""
    both = step + after
    right = ((step + 2.0 * both) * after * chord + step * step * next_chord) / both
    return right / after, both / after


@compiled
def inwards(
    outer: float, outer_chord: float, inner: float, inner_chord: float, before: tuple[float, float]
) -> tuple[float, float]:
    """Slope and ratio at a knot, from those at the knot outside it and the pieces on both sides."""
    slope, ratio = before
    each = 1.0 / (2.0 * (outer + inner) - inner * ratio)
    right = 3.0 * (inner * outer_chord + outer * inner_chord)
    return (right - inner * slope) * each, outer * each


@compiled
def begin_both(envelope: Envelope, knots: Knots) -> None:
    first, stop = knots
    steps, chords, slopes, ratios = (
        envelope.steps,
        envelope.chords,
        envelope.slopes,
        envelope.ratios,
    )
    slopes[first], ratios[first] = begin(
        steps[first], chords[first], steps[first + 1], chords[first + 1]
    )
    k = stop - 1
    slopes[k], ratios[k] = begin(steps[k - 1], chords[k - 1], steps[k - 2], chords[k - 2])


@compiled
def eliminate_rest(envelope: Envelope, knots: Knots, done: int) -> None:
    """Go on from both ends to the middle; `done` knots at each end have their slope and ratio."""
    first, stop = knots
    h, c, slopes, ratios = envelope.steps, envelope.chords, envelope.slopes, envelope.ratios
    middle = (first + stop) // 2
    for k in range(first + done, middle):
        slopes[k], ratios[k] = inwards(
            h[k - 1], c[k - 1], h[k], c[k], (slopes[k - 1], ratios[k - 1])
        )
    for k in range(stop - 1 - done, middle - 1, -1):
        slopes[k], ratios[k] = inwards(
            h[k], c[k], h[k - 1], c[k - 1], (slopes[k + 1], ratios[k + 1])
        )


@compiled
def eliminate_together(one: Envelope, knots: Knots, two: Envelope, others: Knots) -> int:
    """Eliminate in two splines from both ends; returns how many knots at each end are done.

    Every knot has to wait for a division in the one before it. Four chains at a time hide most of
    that.
    """
    (first, stop), (begins, ends) = knots, others
    h, c, slopes, ratios = one.steps, one.chords, one.slopes, one.ratios
    hh, cc, slopes2, ratios2 = two.steps, two.chords, two.slopes, two.ratios
    count = min(stop - first, ends - begins) // 2
    s, r, t, q = slopes[first], ratios[first], slopes[stop - 1], ratios[stop - 1]
    ss, rr, tt, qq = slopes2[begins], ratios2[begins], slopes2[ends - 1], ratios2[ends - 1]
    for i in range(1, count):
        k = first + i
        s, r = inwards(h[k - 1], c[k - 1], h[k], c[k], (s, r))
        slopes[k], ratios[k] = s, r
        k = stop - 1 - i
        t, q = inwards(h[k], c[k], h[k - 1], c[k - 1], (t, q))
        slopes[k], ratios[k] = t, q
        k = begins + i
        ss, rr = inwards(hh[k - 1], cc[k - 1], hh[k], cc[k], (ss, rr))
        slopes2[k], ratios2[k] = ss, rr
        k = ends - 1 - i
        tt, qq = inwards(hh[k], cc[k], hh[k - 1], cc[k - 1], (tt, qq))
        slopes2[k], ratios2[k] = tt, qq
    return count


@compiled
def substitute(envelope: Envelope, knots: Knots) -> None:
    """From the middle outwards: every slope from its neighbour's."""
    first, stop = knots
    slopes, ratios = envelope.slopes, envelope.ratios
    right = (first + stop) // 2
    left = right - 1
    a = (slopes[left] - ratios[left] * slopes[right]) / (1.0 - ratios[left] * ratios[right])
    b = slopes[right] - ratios[right] * a
    slopes[left], slopes[right] = a, b
    for i in range(1, left - first + 1):
        a = slopes[left - i] - ratios[left - i] * a
        slopes[left - i] = a
        b = slopes[right + i] - ratios[right + i] * b
        slopes[right + i] = b
    if (stop - first) % 2:
        slopes[stop - 1] -= ratios[stop - 1] * b


@compiled
def few_slopes(envelope: Envelope, knots: Knots) -> None:
    """Slopes of the natural spline (no bend at the ends) through two or three knots."""
    first, stop = knots
    steps, chords, slopes = envelope.steps, envelope.chords, envelope.slopes
    chord = chords[first]
    if stop - first < 3:  # noqa: PLR2004
        slopes[first] = slopes[first + 1] = chord
        return
    step, after, next_chord = steps[first], steps[first + 1], chords[first + 1]
    middle = (after * chord + step * next_chord) / (step + after)
    slopes[first] = 1.5 * chord - 0.5 * middle
    slopes[first + 1] = middle
    slopes[first + 2] = 1.5 * next_chord - 0.5 * middle


@compiled
def find_slopes(one: Envelope, knots: Knots, two: Envelope, others: Knots) -> None:
    """Slopes at the knots of two splines.

    The slopes s of a spline with steps h and chords c solve h[k] s[k-1] + 2 (h[k-1] + h[k]) s[k] +
    h[k-1] s[k+1] = 3 (h[k] c[k-1] + h[k-1] c[k]) (de Boor 1978, A Practical Guide to Splines, ch.
    IV).
    """
    done = 1
    if knots.stop - knots.first >= FEW:
        begin_both(one, knots)
    if others.stop - others.first >= FEW:
        begin_both(two, others)
    if min(knots.stop - knots.first, others.stop - others.first) >= FEW:
        done = eliminate_together(one, knots, two, others)
    finish_slopes(one, knots, done)
    finish_slopes(two, others, done)


@compiled
def finish_slopes(envelope: Envelope, knots: Knots, done: int) -> None:
    if knots.stop - knots.first < FEW:
        few_slopes(envelope, knots)
    else:
        eliminate_rest(envelope, knots, done)
        substitute(envelope, knots)


@compiled
def evaluate(envelope: Envelope, first: int, samples: int) -> None:
    """Fill in the curve at samples 0 … samples - 1, all between the first and the last knot."""
    places, slopes, curve = envelope.places, envelope.slopes, envelope.curve
    heights, chords, inverse = envelope.heights, envelope.chords, envelope.inverse
    while places[first + 1] <= 0:
        first += 1
    # Unsigned: an index that cannot be negative need not be checked for it.
    k, start = np.uint64(first), places[first]
    while start < samples - 1:
        end = places[k + NEXT]
        a, b, last = heights[k], slopes[k], slopes[k + NEXT]
        d = (b + last - 2.0 * chords[k]) * inverse[k]
        c = (chords[k] - b) * inverse[k] - d
        d *= inverse[k]
        # The last sample, where a knot may lie, belongs to the piece before it.
        begin, stop = max(start, 0), samples if end >= samples - 1 else end
        if stop - begin > LONG:
            fill(curve[begin:stop], float(begin - start), (a, b, c, d))
        else:
            fill_in_strides(
                curve, np.uint64(begin), np.uint64(stop), float(begin - start), (a, b, c, d)
            )
        k, start = k + NEXT, end


@compiled
def fill(curve: Floats, z: float, cubic: Cubic) -> None:
    """The values of the cubic a + b z + c z² + d z³ from z on."""
    a, b, c, d = cubic
    for i in range(curve.size):
        x = z + i
        curve[i] = ((d * x + c) * x + b) * x + a


@compiled
def fill_in_strides(curve: Floats, at: np.uint64, stop: np.uint64, z: float, cubic: Cubic) -> None:
    """The same from sample `at` to `stop` or a little beyond, where the next piece writes over it.

    Pieces are short and their lengths random, so a loop for each sample would mostly end
    unforeseen.
    """
    a, b, c, d = cubic
    while at < stop:
        for i in range(STRIDE):
            x = z + i
            curve[at + np.uint64(i)] = ((d * x + c) * x + b) * x + a
        at += np.uint64(STRIDE)
        z += STRIDE


@compiled
def fit_splines(one: Envelope, knots: Knots, two: Envelope, others: Knots, samples: int) -> None:
    """The curves of two envelopes."""
    measure(one, knots)
    measure(two, others)
    find_slopes(one, knots, two, others)
    evaluate(one, knots.first, samples)
    evaluate(two, others.first, samples)
