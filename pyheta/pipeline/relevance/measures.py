"""The measures of how relevant an exogenous column is to the target, each declared once.

    farm                 global relevance of centred, smoothed local relevance, unaligned; 0 … 1
    pearson, spearman    the correlation that is largest in size over the lags; -1 … 1
    mutual_information   the largest over the lags; nats, at least 0
    dtw                  warping distance of the standardised series within a band, divided by the
                         sum of both lengths: mean deviations per row, at least 0. LESS is more
                         relevant.

Sweeps read this file, so what computes is imported where it is needed. `measuring` sets each of
them beside its level of chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy takes longer to import than most commands that only look
    from pyheta.pipeline.arrays import Floats

Scored = tuple[float, int]  # value, lag

#: DTW costs the square of the rows, so it gets no more draws than a level of 5 % takes.
DTW_DRAWS = 19


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """What measures read beside the two series."""

    max_lag: int  # rows by which the column may lead at most
    farm_window: int  # rows, odd
    band: float  # DTW's, 0 … 1 of the rows


@dataclass(frozen=True, slots=True)
class Measure:
    """Everything that is particular to one measure."""

    name: str
    score: Callable[[Floats, Floats, MeasureOptions], Scored]  # of target and column, (rows,) each
    size: Callable[[float], float] = float  # from a value to what is compared and averaged
    less_is_more: bool = False  # relevant
    most_draws: int | None = None  # draws of chance that it is given, None for all


def _farm(target: Floats, column: Floats, options: MeasureOptions) -> Scored:
    from pyheta.pipeline.relevance import farm

    local = farm.local_relevance(target, column, window=options.farm_window)
    return farm.global_relevance(farm.fuzzified(local)), 0


def _pearson(target: Floats, column: Floats, options: MeasureOptions) -> Scored:
    from pyheta.pipeline.relevance.correlation import pearson

    return _at_best_lag(pearson(target, column, max_lag=options.max_lag))


def _spearman(target: Floats, column: Floats, options: MeasureOptions) -> Scored:
    from pyheta.pipeline.relevance.correlation import spearman

    return _at_best_lag(spearman(target, column, max_lag=options.max_lag))


def _mutual_information(target: Floats, column: Floats, options: MeasureOptions) -> Scored:
    from pyheta.pipeline.relevance.mutual_information import mutual_information

    return _at_best_lag(mutual_information(target, column, max_lag=options.max_lag))


def _at_best_lag(values: Floats) -> Scored:
    from pyheta.pipeline.relevance.correlation import best_lag

    lag = best_lag(values)
    return float(values[lag]), lag


def _dtw(target: Floats, column: Floats, options: MeasureOptions) -> Scored:
    from pyheta.pipeline.relevance.dtw import dtw_distance
    from pyheta.pipeline.scaling import Scaler

    first, second = (Scaler.fit("standard", values).apply(values) for values in (target, column))
    rows = len(target)
    return dtw_distance(first, second, band=math.ceil(options.band * rows)) / (2 * rows), 0


#: Every measure by its name. Whoever adds one adds it here.
MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("farm", _farm),
        Measure("pearson", _pearson, size=abs),
        Measure("spearman", _spearman, size=abs),
        Measure("mutual_information", _mutual_information),
        Measure("dtw", _dtw, less_is_more=True, most_draws=DTW_DRAWS),
    )
}
