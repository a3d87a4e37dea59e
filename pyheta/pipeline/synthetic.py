"""An hourly series whose best possible forecast is known.

With t in hours and x, e, u, v independent standard normal noise:

    load(t)       = 50 + 10 sin(2πt/24) + 4 sin(2πt/168) + 2 x(t-3) + e(t)
    leading(t)    = x(t)                          leads `load` by three hours
    coincident(t) = 0.5 (load(t) - 50) + u(t)     moves with `load`, but its past adds nothing
    noise(t)      = v(t)                          has nothing to do with it

Up to three steps ahead e(t) cannot be known, and x(t-3) is known from `leading` alone. So no
forecast has a lower RMSE than sd(e) = 1 (`BEST_RMSE`), and none without `leading` a lower one than
sqrt(2² + 1²) = √5 (`BEST_RMSE_WITHOUT_LEADING`). Further ahead √5 is the best for both.
"""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

BEST_RMSE = 1.0
BEST_RMSE_WITHOUT_LEADING = 5**0.5

ROWS = 4000
LEAD = 3
FIRST = datetime(2020, 1, 1)  # noqa: DTZ001 (the series' clock has no zone, like those of files)


def generate(rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    """The table of the equations above: hourly `time`, then the four columns."""
    random = np.random.default_rng(seed)
    lead = random.standard_normal(rows + LEAD)  # lead[i] is x(i - LEAD)
    shocks, apart, noise = random.standard_normal((3, rows))
    angle = 2 * np.pi * np.arange(rows)
    swing = 10 * np.sin(angle / 24) + 4 * np.sin(angle / 168) + 2 * lead[:rows] + shocks
    columns = {
        "load": 50 + swing,
        "leading": lead[LEAD:],
        "coincident": 0.5 * swing + apart,
        "noise": noise,
    }
    last = FIRST + timedelta(hours=rows - 1)
    hours = pl.datetime_range(FIRST, last, "1h", time_unit="us", eager=True)
    return pl.DataFrame({"time": hours, **columns})
