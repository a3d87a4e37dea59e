"""Measures of relevance, each beside its level of chance.

None of them is near its ideal value for unrelated series: autocorrelated ones agree by accident, a
largest value over lags is larger still, and FARM reaches about 0.5. So each is computed again, with
the same choice of a lag, for the column shifted around a circle by random numbers of rows, which
keeps all of the column but its relation to the target (time-shifted surrogates: Lancaster et al.
2018, Physics Reports 748). A shift by whole seasons keeps a shared season, so seasonal columns have
a high level of chance, as they should.

Of unrelated columns about 5 % still beat chance, or 1 / (draws + 1) where that is more: use 19
draws or more. That holds for series that keep their level. Two unrelated random walks beat it about
one time in four by correlation or DTW (1,000 rows, 19 draws), so difference such series before a
choice rests on this.
"""

import math
from collections.abc import Sequence

import numpy as np

from pyheta.errors import StepError, nearest
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.relevance.chance import shifts as shifts_of
from pyheta.pipeline.relevance.measures import MEASURES, Measure, MeasureOptions

#: The share of draws that a column has to beat.
LEVEL = 0.95


def measure(
    names: Sequence[str],
    target: Floats,
    column: Floats,
    *,
    max_lag: int,
    draws: int,
    seed: int,
    farm_window: int = 5,
    band: float = 0.1,
) -> dict[str, dict[str, float | int]]:
    """For every name its value and its level of chance, all finite.

    target, column: (rows,), finite, the rows that may be seen. max_lag: by how many rows the column
    may lead at most. draws: shifted copies, chosen by `seed`; DTW uses 19 of them at most.
    farm_window: odd rows; band: DTW's, 0 … 1 of the rows. Each entry has

        value, lag     as measured, and the lead that gave it (0 for farm and dtw, which have none)
        chance         mean over the draws; of absolute values for the correlations
        chance_high    their 95 % quantile (for dtw the 5 % quantile), or the extreme of few draws
        beats_chance   whether the value, in size, is beyond chance_high

    Raises StepError for unknown names, a constant series, unequal lengths, values that are not
    finite, or too few rows for the lags and draws.
    """
    _check(names, target, column, band)
    offsets = shifts_of(len(target), max_lag, draws, seed)
    options = MeasureOptions(max_lag, farm_window, band)
    measured = {}
    for name in names:
        shifts = _thinned(offsets, MEASURES[name].most_draws)
        measured[name] = _beside_chance(MEASURES[name], target, column, options, shifts)
        if not all(map(math.isfinite, measured[name].values())):
            raise StepError(f"{name} is not finite", cure="scale the series to a usual range")
    return measured


def _check(names: Sequence[str], target: Floats, column: Floats, band: float) -> None:
    for name in names:
        if name not in MEASURES:
            raise StepError(f"there is no measure '{name}'", cure=nearest(name, list(MEASURES)))
    if not 0 <= band <= 1:
        raise StepError(f"a band of {band:g} of the rows", cure="use 0 to 1")
    if len(target) != len(column):
        raise StepError(f"the target has {len(target)} rows and the column {len(column)}")
    for name, values in (("target", target), ("column", column)):
        if not len(values) or not np.isfinite(values).all():
            raise StepError(
                "a value is missing or not finite", where=name, cure="fill or drop such rows before"
            )
        if np.ptp(values) == 0:
            raise StepError(
                "a constant series is related to nothing", where=name, cure="leave it out"
            )


def _beside_chance(
    kind: Measure, target: Floats, column: Floats, options: MeasureOptions, shifts: Sequence[int]
) -> dict[str, float | int]:
    value, lag = kind.score(target, column, options)
    by_chance = np.array(
        [kind.size(kind.score(target, np.roll(column, shift), options)[0]) for shift in shifts]
    )
    # Weibull's plotting positions: unrelated columns then exceed the level of n draws with
    # probability max(1 - LEVEL, 1 / (n + 1)); numpy's default would let 10 % of them through for 19
    # draws.
    level = 1 - LEVEL if kind.less_is_more else LEVEL
    high = float(np.quantile(by_chance, level, method="weibull"))
    size = kind.size(value)
    return {
        "value": value,
        "lag": lag,
        "chance": float(by_chance.mean()),
        "chance_high": high,
        "beats_chance": size < high if kind.less_is_more else size > high,
    }


def _thinned(offsets: Sequence[int], most: int | None) -> Sequence[int]:
    """At most so many of them, evenly spread around the circle."""
    if most is None or len(offsets) <= most:
        return offsets
    return [offsets[(2 * i + 1) * len(offsets) // (2 * most)] for i in range(most)]
