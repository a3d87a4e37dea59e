"""Ways to shape a column, each declared once: local relevance, factors made of it, and of what.

Sweeps read this file, so what computes is imported where it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy takes longer to import than most commands that only look
    from pyheta.pipeline.arrays import Floats
    from pyheta.pipeline.relevance.farm import Scalers
    from pyheta.pipeline.scaling import Scaler


@dataclass(frozen=True, slots=True)
class LocalRelevance:
    """A kind of local relevance: from target and column (rows,) and a window to (rows,), 0 … 1."""

    name: str
    what: str  # it is, for those who write sweeps
    of: Callable[[Floats, Floats, int, Scalers], Floats]
    causal: bool = True  # no row after the one that is shaped has a say


def _trailing(target: Floats, column: Floats, window: int, scalers: Scalers) -> Floats:
    from pyheta.pipeline.relevance.farm import local_relevance

    return local_relevance(target, column, window=window, trailing=True, scalers=scalers)


def _end_spot(target: Floats, column: Floats, window: int, scalers: Scalers) -> Floats:
    from pyheta.pipeline.relevance.farm import end_spot_relevance

    return end_spot_relevance(target, column, window=window, scalers=scalers)


def _centred(target: Floats, column: Floats, window: int, _scalers: Scalers) -> Floats:
    """Standardised anew: alignment changes a column's mean, and this may see all of it."""
    from pyheta.pipeline.relevance.farm import local_relevance

    return local_relevance(target, column, window=window)


RELEVANCES: Mapping[str, LocalRelevance] = {
    relevance.name: relevance
    for relevance in (
        LocalRelevance("trailing", "from the last `window` rows", _trailing),
        LocalRelevance("end_spot", "the same, the newest rows weighing most", _end_spot),
        LocalRelevance(
            "centred",
            "as published, from rows on both sides, which needs `leakage: allow`",
            _centred,
            causal=False,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Factor:
    """What a column is multiplied by: from relevance (rows,) and threshold to (rows,), 0 … 1."""

    name: str
    what: str  # it is, for those who write sweeps
    of: Callable[[Floats, float], Floats]
    uses_threshold: bool = True


def _continuous(relevance: Floats, _threshold: float) -> Floats:
    return relevance


def _binary(relevance: Floats, threshold: float) -> Floats:
    return (relevance >= threshold).astype(float)


def _soft(relevance: Floats, threshold: float) -> Floats:
    import numpy as np

    return np.where(relevance >= threshold, relevance, 0.0)


FACTORS: Mapping[str, Factor] = {
    factor.name: factor
    for factor in (
        Factor("continuous", "the relevance", _continuous, uses_threshold=False),
        Factor("binary", "1 from the threshold on, else 0", _binary),
        Factor("soft", "the relevance from the threshold on, else 0", _soft),
    )
}


@dataclass(frozen=True, slots=True)
class Values:
    """What is multiplied: from a column and factors (rows,) and the column's scaler to (rows,)."""

    name: str
    what: str  # it is, for those who write sweeps
    of: Callable[[Floats, Floats, Scaler], Floats]


def _standardised(column: Floats, factor: Floats, scaler: Scaler) -> Floats:
    return scaler.offset + (column - scaler.offset) * factor


def _raw(column: Floats, factor: Floats, _scaler: Scaler) -> Floats:
    return column * factor


VALUES: Mapping[str, Values] = {
    values.name: values
    for values in (
        Values(
            "standardised",
            "the column's distance from its mean in training, so its unit does not matter",
            _standardised,
        ),
        Values(
            "raw",
            "the column as it is, as published, so the place of its unit's zero matters: a "
            "temperature in °C is shaped otherwise than in K",
            _raw,
        ),
    )
}
