"""Columns as they were some rows before: `OT lag 24`. It is known so many rows ahead."""

from collections.abc import Iterator, Sequence

import numpy as np

from pyheta.errors import DataError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.features.feature import Given, Made


def lags(columns: Sequence[tuple[str, Sequence[int]]], given: Given) -> Iterator[Made]:
    for column, rows in columns:
        values = given.values(column)
        for lag in rows:
            _refuse_long(column, lag, given)
            late = later(values, lag)
            yield Made(f"{column} lag {lag}", late, known=given.known(column), reach=lag)


def _refuse_long(column: str, lag: int, given: Given) -> None:
    if lag >= given.rows:
        what = f"a lag of {lag:,} rows of '{column}', and there are {given.rows:,}"
        raise DataError(what, where=f"{given.draft.name}: features", cure="use a shorter one")


def later(values: Floats, rows: int) -> Floats:
    """The same values, each so many rows later; NaN in the first ones."""
    return np.concatenate([np.full(rows, np.nan), values[: len(values) - rows]])
