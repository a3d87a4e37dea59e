"""How relevant an exogenous column is to the target: measures, each beside its level of chance.

    farm                 global relevance of centred, smoothed local relevance, unaligned; 0 … 1
    pearson, spearman    the correlation that is largest in size over the lags; -1 … 1
    mutual_information   the largest over the lags; nats, at least 0
    dtw                  warping distance of the standardised series within a band, divided by the
                         sum of both lengths: mean deviations per row, at least 0. LESS is more
                         relevant.

None of these is near its ideal value for unrelated series: autocorrelated ones agree by accident, a
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pyheta.arrays import Floats
from pyheta.errors import StepError, nearest
from pyheta.pipeline.relevance import correlation, farm
from pyheta.pipeline.relevance.chance import shifts as shifts_of
from pyheta.pipeline.relevance.dtw import dtw_distance
from pyheta.pipeline.relevance.mutual_information import mutual_information
from pyheta.pipeline.scaling import Scaler

MEASURES = ("farm", "pearson", "spearman", "mutual_information", "dtw")

#: DTW costs the square of the rows, so it gets no more draws than a level of 5 % takes.
DTW_DRAWS = 19
#: The share of draws that a column has to beat.
LEVEL = 0.95
Scored = tuple[float, int]  # value, lag


@dataclass(frozen=True, slots=True)
class _Measure:
    score: Callable[[Floats, Floats], Scored]
    size: Callable[[float], float] = float  # what is compared and averaged
    sign: int = 1  # -1 where less is more relevant
    most_draws: int | None = None


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
    known = _measures(max_lag, farm_window, band)
    found = {}
    for name in names:
        shifts = _thinned(offsets, known[name].most_draws)
        found[name] = _beside_chance(known[name], target, column, shifts)
        if not all(map(math.isfinite, found[name].values())):
            raise StepError(f"{name} is not finite", cure="scale the series to a usual range")
    return found


def _measures(max_lag: int, window: int, band: float) -> dict[str, _Measure]:
    def farm_score(target: Floats, column: Floats) -> Scored:
        local = farm.local_relevance(target, column, window=window)
        return farm.global_relevance(farm.fuzzified(local)), 0

    def dtw_score(target: Floats, column: Floats) -> Scored:
        first, second = (
            Scaler.fit("standard", values).apply(values) for values in (target, column)
        )
        rows = len(target)
        return dtw_distance(first, second, band=math.ceil(band * rows)) / (2 * rows), 0

    def best_of(values: Callable[..., Floats]) -> Callable[[Floats, Floats], Scored]:
        def score(target: Floats, column: Floats) -> Scored:
            each = values(target, column, max_lag=max_lag)
            lag = correlation.best_lag(each)
            return float(each[lag]), lag

        return score

    return {
        "farm": _Measure(farm_score),
        "pearson": _Measure(best_of(correlation.pearson), size=abs),
        "spearman": _Measure(best_of(correlation.spearman), size=abs),
        "mutual_information": _Measure(best_of(mutual_information)),
        "dtw": _Measure(dtw_score, sign=-1, most_draws=DTW_DRAWS),
    }


def _check(names: Sequence[str], target: Floats, column: Floats, band: float) -> None:
    for name in names:
        if name not in MEASURES:
            raise StepError(f"there is no measure '{name}'", cure=nearest(name, MEASURES))
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
    kind: _Measure, target: Floats, column: Floats, shifts: Sequence[int]
) -> dict[str, float | int]:
    value, lag = kind.score(target, column)
    by_chance = np.array(
        [kind.size(kind.score(target, np.roll(column, shift))[0]) for shift in shifts]
    )
    # Weibull's plotting positions: unrelated columns then exceed the level of n draws with
    # probability max(1 - LEVEL, 1 / (n + 1)); numpy's default would let 10 % of them through for 19
    # draws.
    level = LEVEL if kind.sign > 0 else 1 - LEVEL
    high = float(np.quantile(by_chance, level, method="weibull"))
    return {
        "value": value,
        "lag": lag,
        "chance": float(by_chance.mean()),
        "chance_high": high,
        "beats_chance": kind.sign * kind.size(value) > kind.sign * high,
    }


def _thinned(offsets: Sequence[int], most: int | None) -> Sequence[int]:
    """At most so many of them, evenly spread around the circle."""
    if most is None or len(offsets) <= most:
        return offsets
    return [offsets[(2 * i + 1) * len(offsets) // (2 * most)] for i in range(most)]
