"""Shaping: an exogenous column times its local relevance to the target, row by row.

Where the two move alike the column passes, elsewhere it is damped. This is the use that FARM's
authors make of their local relevance (see `farm` for the source). They damp towards 0 (`raw`), so
what comes out depends on where the column's unit has its zero. `standardised` damps towards the
column's mean: then a column in °C is shaped as the same one in K is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from pyheta.errors import StepError, nearest
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.relevance import farm
from pyheta.pipeline.relevance.shaping_methods import FACTORS, RELEVANCES, VALUES
from pyheta.pipeline.scaling import Scaler


@dataclass(frozen=True, slots=True)
class Shaper:
    """How to shape.

    Steps name no `values` where these are raw, as when there was nothing else.
    """

    relevance: str = "trailing"
    window: int = 5  # rows, odd, at least 3
    factor: str = "continuous"
    #: 0 … 1; the least relevance that passes, where the factor is not continuous
    threshold: float = 0.5
    fuzzy: bool = True  # smooth the relevance over neighbouring rows
    align: bool = False  # delay a leading column onto the target first
    values: str = "raw"  # what is multiplied

    def __post_init__(self) -> None:
        _refuse_unknown("relevance", self.relevance, RELEVANCES)
        _refuse_unknown("factor", self.factor, FACTORS)
        _refuse_unknown("kind of values", self.values, VALUES)
        if not 0 <= self.threshold <= 1:
            raise StepError(f"a threshold of {self.threshold:g}", cure="use 0 to 1")
        if self.align and self.causal:
            what = f"alignment looks ahead, which {self.relevance} relevance must not"
            raise StepError(what, cure="use relevance: centred, or align: false")

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Names that are no options of shaping are left alone."""
        return cls(
            **{field.name: options[field.name] for field in fields(cls) if field.name in options}
        )

    @property
    def causal(self) -> bool:
        """Whether no row after the one that is shaped has a say."""
        return RELEVANCES[self.relevance].causal

    def apply(self, target: Floats, column: Floats, scalers: farm.Scalers) -> Floats:
        """Shape finite series of (rows,); means and deviations are those of the scalers."""
        if self.align:
            path = farm.forward_path(scalers[0].apply(target), scalers[1].apply(column))
            column = farm.align(column, path)
        relevance = RELEVANCES[self.relevance].of(target, column, self.window, scalers)
        if self.fuzzy:
            relevance = farm.fuzzified(relevance, trailing=self.causal)
        factor = FACTORS[self.factor].of(relevance, self.threshold)
        return VALUES[self.values].of(column, factor, scalers[1])


def _refuse_unknown(option: str, name: str, declared: Mapping[str, object]) -> None:
    if name not in declared:
        raise StepError(f"there is no {option} '{name}'", cure=nearest(name, list(declared)))


def shaped(
    target: Floats, column: Floats, options: Mapping[str, Any], *, training: tuple[int, int]
) -> Floats:
    """The shaped column: (rows,), in the column's own unit.

    target, column: (rows,); both may begin with NaN (a causal decomposition has no value before its
    first window), and the result is NaN until both are known. options: those of `Shaper` by name.
    training: the training rows [first, stop); causal relevance standardises by them, so row t
    depends on rows up to t and on the training rows' mean and deviation; centred relevance
    standardises by all rows. The same goes for values that are standardised.

    Raises StepError for options that do not fit together, for a value that is not finite among
    known ones, and for fewer training rows (all rows, where centred) than the window has.
    """
    shaper = Shaper.of(options)
    known = _first_known(target, column)
    start, stop = training if shaper.causal else (0, len(target))
    first = max(known, start)
    if stop - first < max(shaper.window, farm.LEAST_WINDOW):
        what = f"{max(0, stop - first)} known rows are too few for a window of {shaper.window}"
        raise StepError(what, cure="use a shorter window")
    scalers = Scaler.fit("standard", target[first:stop]), Scaler.fit("standard", column[first:stop])
    values = np.full(len(target), np.nan)
    values[known:] = shaper.apply(target[known:], column[known:], scalers)
    return values


def _first_known(target: Floats, column: Floats) -> int:
    if len(target) != len(column):
        raise StepError(f"the target has {len(target)} rows and the column {len(column)}")
    known = np.isfinite(target) & np.isfinite(column)
    if not known.any():
        raise StepError("no row has both a target and a column value")
    first = int(known.argmax())
    if not known[first:].all():
        row = first + int(known[first:].argmin())
        raise StepError(
            "a value is missing after the first known one", where=f"row {row}", cure="fill it"
        )
    return first
