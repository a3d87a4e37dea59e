"""Controls of an ablation: columns that look like others and tell nothing.

Both are made row by row from rows up to it, so that no later value, nor how wide later values lie,
is in them; and both are the same whenever they are made.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256

import numpy as np

from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.data.options.columns import Noise
from pyheta.pipeline.features.feature import Given, Made


def noise(like: Noise, given: Given) -> Iterator[Made]:
    """`noise`: normal, with mean 0, as wide as the column was up to each row."""
    random = np.random.default_rng(like.seed)
    values = given.values(like.like)
    yield Made("noise", random.standard_normal(given.rows) * _width(values))


def _width(values: Floats) -> Floats:
    """(rows,): the standard deviation of all values up to each row."""
    known = np.isfinite(values)
    count = np.maximum(np.cumsum(known), 1)
    apart = np.where(known, values - values[known.argmax()], 0)  # keeps squares small
    mean, square = np.cumsum(apart) / count, np.cumsum(np.square(apart)) / count
    width = np.sqrt(np.maximum(square - np.square(mean), 0))
    return np.where(known, width, np.nan)


def shuffled(columns: Sequence[str], given: Given) -> Iterator[Made]:
    """`HUFL shuffled`: at each row the value of a row that is drawn from those up to it.

    A permutation of the whole column would move later values to earlier rows.
    """
    for column in columns:
        values = given.values(column)
        first = int(np.isfinite(values).argmax())
        seed = int.from_bytes(sha256(column.encode()).digest()[:8])  # each column in its own way
        drawn = np.random.default_rng(seed).random(given.rows)
        since = np.maximum(np.arange(given.rows) - first, 0)
        rows = first + (drawn * (since + 1)).astype(np.intp)
        yield Made(f"{column} shuffled", np.where(np.isfinite(values), values[rows], np.nan))
