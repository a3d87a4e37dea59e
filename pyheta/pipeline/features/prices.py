"""What is made of prices: `Close return`, and `High-Low range`."""

from collections.abc import Iterator, Sequence

import numpy as np

from pyheta.errors import DataError
from pyheta.pipeline.features.feature import Given, Made
from pyheta.pipeline.features.lags import later


def returns(columns: Sequence[str], given: Given) -> Iterator[Made]:
    """The change from the row before, as a fraction of it. Raises DataError where that is 0."""
    for column in columns:
        values = given.values(column)
        before = later(values, 1)
        if (before == 0).any():
            where = given.draft.where(int((before == 0).argmax()) - 1, column)
            raise DataError("a value of 0 has no return", where=where, cure="leave the column out")
        yield Made(f"{column} return", values / before - 1, known=given.known(column))


def difference(columns: tuple[str, str], given: Given) -> Iterator[Made]:
    high, low = columns
    values = given.values(high) - given.values(low)
    yield Made(f"{high}-{low} range", np.asarray(values), known=given.known(high, low))
