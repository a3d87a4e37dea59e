"""STL (Cleveland et al. 1990, J. Official Statistics 6, pp. 3-73), as statsmodels computes it."""

import numpy as np

from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.decomposition.method import Options


def stl_rows(values: Floats, options: Options) -> Floats:
    """(3, n): seasonal, trend, remainder, which add up to the values (n,).

    Linear in the values, because the robust iterations are left out. It takes two seasons at least.
    """
    from statsmodels.tsa.seasonal import STL  # which may not be installed

    parts = STL(values, period=options["period"], robust=False).fit()
    return np.stack([parts.seasonal, parts.trend, values - parts.seasonal - parts.trend])
