"""Seasonal-trend decomposition by loess (Cleveland et al. 1990, J. Official Statistics 6, pp.
3-73).
"""

import numpy as np

from pyheta.arrays import Floats
from pyheta.errors import StepError


def stl_rows(values: Floats, period: int) -> Floats:
    """(3, n): seasonal, trend, remainder, which add up to the values (n,).

    Linear in the values, because the robust iterations are left out. Raises StepError if there are
    fewer than two periods.
    """
    try:
        from statsmodels.tsa.seasonal import STL
    except ImportError as error:
        raise StepError(
            "the method stl needs statsmodels", cure="pip install statsmodels"
        ) from error
    if len(values) < 2 * period:
        what = f"{len(values)} rows are fewer than two periods of {period}"
        raise StepError(what, where="decompose.period", cure="use a shorter period or more rows")
    found = STL(values, period=period, robust=False).fit()
    return np.stack([found.seasonal, found.trend, values - found.seasonal - found.trend])
