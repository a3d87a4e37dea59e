"""An hourly series whose best possible forecast is known.

With t in hours and x, e, u, v independent standard normal noise:

    load(t)       = 50 + 10 sin(2πt/24) + 4 sin(2πt/168) + 4 max(0, x(t-3)) + e(t)
    leading(t)    = x(t)                          leads `load` by three hours, above zero only
    coincident(t) = 0.5 (load(t) - 50) + u(t)     moves with `load`, but its past adds nothing
    noise(t)      = v(t)                          has nothing to do with it

Up to three steps ahead e(t) cannot be known, and x(t-3) is known from `leading` alone. So no
forecast has a lower RMSE than sd(e) = 1 (`BEST_RMSE`), and none without `leading` a lower one than
√(1 + var(4 max(0, x))) = 2.540. A linear forecast explains 2x of 4 max(0, x) = 2x + 2|x| and stops
at √(1 + var(2|x|)) = 1.566: what lies between it and 1 is there for nets. Further ahead 2.540 is
the best for all.
"""

from datetime import datetime, timedelta
from math import pi, sqrt

import numpy as np
import polars as pl

from pyheta.pipeline.data.cadence import HOURLY
from pyheta.pipeline.data.draft import TIME
from pyheta.pipeline.data.read import Reading

BEST_RMSE = 1.0
BEST_LINEAR_RMSE = sqrt(1 + 4 * (1 - 2 / pi))
BEST_RMSE_WITHOUT_LEADING = sqrt(1 + 16 * (1 / 2 - 1 / (2 * pi)))

ROWS = 4000
LEAD = 3
FIRST = datetime(2020, 1, 1)  # noqa: DTZ001 (the series' clock has no zone, like those of files)


def generate(rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    """The table of the equations above: hourly `time`, then the four columns."""
    random = np.random.default_rng(seed)
    lead = random.standard_normal(rows + LEAD)  # lead[i] is x(i - LEAD)
    shocks, apart, noise = random.standard_normal((3, rows))
    angle = 2 * np.pi * np.arange(rows)
    swing = (
        10 * np.sin(angle / 24) + 4 * np.sin(angle / 168) + 4 * np.maximum(0, lead[:rows]) + shocks
    )
    columns = {
        "load": 50 + swing,
        "leading": lead[LEAD:],
        "coincident": 0.5 * swing + apart,
        "noise": noise,
    }
    last = FIRST + timedelta(hours=rows - 1)
    hours = pl.datetime_range(FIRST, last, "1h", time_unit="us", eager=True)
    return pl.DataFrame({TIME: hours, **columns})


def reading(rows: int = ROWS, seed: int = 0) -> Reading:
    """The same as if it had been read from a file."""
    return Reading(
        frame=generate(rows, seed),
        times=(),
        counted=False,
        cadence=HOURLY,
        left_out={},
        notes=(),
    )
