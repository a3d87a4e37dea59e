"""STL (Cleveland et al. 1990, J. Official Statistics 6, pp. 3-73), as statsmodels computes it."""

import numpy as np

from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.decomposition.method import Options


def stl_rows(values: Floats, options: Options) -> Floats:
    """(3, n): seasonal, trend, remainder, which add up to the values (n,).

    Linear in the values, because the robust iterations are left out. It takes two seasons at least.
    """
    from statsmodels.tsa.seasonal import STL  # which may not be installed

    # A constant is all trend. Its weighted means would cost a high level its last digits.
    parts = STL(values - values[0], period=options["period"], robust=False).fit()
    trend = parts.trend + values[0]
    return np.stack([parts.seasonal, trend, values - parts.seasonal - trend])
