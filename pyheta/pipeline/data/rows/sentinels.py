"""Numbers that stand for "missing", such as -999: they are asked about, never taken for such.

A number is asked about where it lies far outside all others of its column, and is one that people
and programs write for missing, or stands there several times. Zero never is.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pyheta.errors import DataError
from pyheta.pipeline.data.draft import Draft
from pyheta.pipeline.data.files.rawfile import first
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.options.missing import Missing, short
from pyheta.pipeline.data.questions import Answer, Question, flow
from pyheta.pipeline.data.rows.answers import longest_gap, to_accept, to_keep

#: What is written for missing: nines (99 above zero is a number like others), the ends of whole
#: numbers of 16 and 32 bits, and what NetCDF, GRIB, GIS and float32 have.
_NINES = [9 * (10**n - 1) / 9 for n in range(3, 11)]
_WITH_TENTHS = [float(f"{'9' * n}.{'9' * m}") for n in range(3, 7) for m in (1, 2, 3)]
_NEGATIVE = [99.0, 99.9, 99.99, 9998.0, 8888.0, 888.0, 7777.0, 777.0, 6999.0, 1e5, 1e6]
_ENDS = [32767.0, 32768.0, 65535.0, 2147483647.0, 2147483648.0, 4294967295.0]
_LARGE = [9.96920996838687e36, 3.4028234663852886e38, 9.999e20, 9.99e33, 9.99e8, 9.999e9]
_POWERS = [10.0**n for n in range(15, 39)]
_EITHER_SIGN = [*_NINES, *_WITH_TENTHS, *_ENDS, *_LARGE, *_POWERS]
KNOWN = np.array([*_EITHER_SIGN, *(-x for x in _EITHER_SIGN), *(-x for x in _NEGATIVE)])

#: So many times as far from all others as they are apart: a known one that stands there once or
#: several times, and any number that stands there `OFTEN`.
FAR_ONCE, FAR_TWICE, FAR_UNKNOWN = 3.0, 1.0, 10.0
OFTEN = 3

#: Fewer other values say nothing; the others of an unknown one must be of so many kinds.
LEAST, KINDS = 5, 20

#: A column has no more of them.
MOST = 6


def ask_about_sentinels(draft: Draft, options: DataOptions) -> Draft:
    """The draft without columns in which a number may stand for missing; each error asks.

    A column whose own `values` are written is not asked about, nor is any after `values: []`.
    """
    missing = options.missing or Missing()
    if missing.values == ():
        return draft
    answered = {name for name, policy in missing.columns if policy.values is not None}
    asked = {
        name: _question(draft, name, numbers, missing)
        for name in draft.columns
        if name not in answered and (numbers := standing_out(draft.frame[name]))
    }
    return draft.without(asked)


def standing_out(column: pl.Series) -> list[float]:
    """The numbers of a column that may stand for missing."""
    values = column.drop_nulls().to_numpy()
    others = values
    known: list[float] = []
    while len(others) >= LEAST and len(known) < MOST and (found := _known_end(others)):
        known += found
        others = others[~np.isin(others, found)]
    if len(others) < max(LEAST, len(values) / 2):
        return []
    far = [number for number in known if _is_far(number, values, others)]
    return sorted({*far, *_unknown_lowest(others), *(-low for low in _unknown_lowest(-others))})


def _known_end(values: NDArray[np.float64]) -> list[float]:
    return [end for end in (float(values.min()), float(values.max())) if _is_known(end)]


def _is_known(number: float) -> bool:
    return bool(np.isclose(KNOWN, number, rtol=1e-7, atol=0).any())


def _is_far(number: float, values: NDArray[np.float64], others: NDArray[np.float64]) -> bool:
    once = np.count_nonzero(values == number) == 1
    low, high = others.min(), others.max()
    distance = max(low - number, number - high)
    return bool(distance > (FAR_ONCE if once else FAR_TWICE) * (high - low))


def _unknown_lowest(values: NDArray[np.float64]) -> list[float]:
    """The lowest number, if it stands there several times, very far from many kinds of others."""
    low = float(values.min())
    count = np.count_nonzero(values == low)
    if count < OFTEN or low == 0 or count > len(values) / 2:
        return []
    others = values[values != low]
    distance, width = others.min() - low, others.max() - others.min()
    far = distance > FAR_UNKNOWN * width and len(np.unique(others)) >= KINDS
    return [low] if far else []


def _question(draft: Draft, name: str, numbers: list[float], missing: Missing) -> DataError:
    column = draft.frame[name]
    places = column.is_in(numbers).fill_null(value=False)
    count = int(places.sum())
    named = " and ".join(flow(short(number)) for number in numbers)
    what = f"{named} stands out ({count} cell{'s' * (count > 1)}, the first here): is it missing?"
    gap = longest_gap(column.is_null() | places)
    is_missing = Answer(to_accept(missing, name, gap, codes=numbers), "if it is")
    is_value = Answer(to_keep(missing, name), "if it is a value")
    return Question(what, is_missing, is_value, where=draft.where(first(places), name))
