"""Waves of a period in rows: `fourier 24 sin 1`, `fourier 24 cos 1`, …, the n-th of n turns."""

from collections.abc import Iterator, Sequence

import numpy as np

from pyheta.errors import DataError
from pyheta.pipeline.features.feature import Given, Made


def fourier(periods: Sequence[tuple[float, int]], given: Given) -> Iterator[Made]:
    """Rows are counted from the first one. Raises DataError for a wave that rows cannot show."""
    for period, order in periods:
        if 2 * order >= period:
            what = f"fourier {period:.10g}: {order} waves are more than its rows can show"
            cure = f"use fewer than {period / 2:.10g}"
            raise DataError(what, where=f"{given.draft.name}: features", cure=cure)
        # Not the angle of a large row, whose sine is less exact
        turns = np.arange(given.rows) % period / period
        for wave in range(1, order + 1):
            for name, function in (("sin", np.sin), ("cos", np.cos)):
                values = function(2 * np.pi * wave * turns)
                yield Made(f"fourier {period:.10g} {name} {wave}", values, known=True)
