"""An hourly series whose best possible forecast is known.

With t in hours and x, e, u, v, p independent standard normal noise:

    load(t)       = 50 + 10 sin(2πt/24) + 4 sin(2πt/168) + 4 max(0, x(t-3)) + e(t)  [+ 6 p(t)]
    leading(t)    = x(t)                          leads `load` by three hours, above zero only
    coincident(t) = 0.5 (load(t) - 50) + u(t)     moves with `load`, but its past adds nothing
    noise(t)      = v(t)                          has nothing to do with it
    [promo(t)     = p(t)]                         moves `load` in the same hour

Up to three steps ahead e(t) cannot be known, and x(t-3) is known from `leading` alone. So no
forecast has a lower RMSE than sd(e) = 1 (`BEST_RMSE`), and none without `leading` a lower one than
√(1 + var(4 max(0, x))) = 2.540. A linear forecast explains 2x of 4 max(0, x) = 2x + 2|x| and stops
at √(1 + var(2|x|)) = 1.566: what lies between it and 1 is there for nets. Further ahead 2.540 is
the best for all.

What stands in brackets is there with `promo: true`. An hour's promo says nothing of another's: who
does not know it ahead, because it is not declared so or because it comes late by any delay, has to
do with the bounds of `without_promo`, √(bound² + 36); who knows it has the bounds above. Likewise
`leading` that comes three hours late or more is no better than none.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import hypot, pi, sqrt
from typing import Any

import numpy as np
import polars as pl

from pyheta.pipeline.data.draft import ROW, TIME, Draft
from pyheta.pipeline.data.options.columns import Columns
from pyheta.pipeline.data.read import Reading, Spoil
from pyheta.pipeline.data.roles import assign
from pyheta.pipeline.data.steps.cadence import HOURLY
from pyheta.pipeline.features import add

BEST_RMSE = 1.0
BEST_LINEAR_RMSE = sqrt(1 + 4 * (1 - 2 / pi))
BEST_RMSE_WITHOUT_LEADING = sqrt(1 + 16 * (1 / 2 - 1 / (2 * pi)))

ROWS = 4000
LEAD = 3
PROMO = 6.0  # what 1 of `promo` adds to `load`
FIRST = datetime(2020, 1, 1)  # noqa: DTZ001 (the series' clock has no zone, like those of files)


def without_promo(bound: float) -> float:
    """The least RMSE of who does not know an hour's promo, from that of who does."""
    return hypot(bound, PROMO)


def generate(rows: int = ROWS, seed: int = 0, *, promo: bool = False) -> pl.DataFrame:
    """The table of the equations above: hourly `time`, then the columns."""
    random = np.random.default_rng(seed)
    lead = random.standard_normal(rows + LEAD)  # lead[i] is x(i - LEAD)
    shocks, apart, noise = random.standard_normal((3, rows))
    promos = random.standard_normal(rows if promo else 0)  # last: others are the same without it
    angle = 2 * np.pi * np.arange(rows)
    swing = (
        10 * np.sin(angle / 24) + 4 * np.sin(angle / 168) + 4 * np.maximum(0, lead[:rows]) + shocks
    )
    if promo:
        swing += PROMO * promos
    columns = {
        "load": 50 + swing,
        "leading": lead[LEAD:],
        "coincident": 0.5 * swing + apart,
        "noise": noise,
        **({"promo": promos} if promo else {}),
    }
    last = FIRST + timedelta(hours=rows - 1)
    hours = pl.datetime_range(FIRST, last, "1h", time_unit="us", eager=True)
    return pl.DataFrame({TIME: hours, **columns})


def reading(source: Mapping[str, Any], spoil: Spoil = lambda it: it) -> Reading:
    """The same as if it had been read from a file.

    `source` has the arguments of `generate`, and options of columns as `Columns` writes them.
    """
    made = {key: value for key, value in source.items() if key not in Columns.model_fields}
    options = Columns.of({key: value for key, value in source.items() if key not in made})
    frame = generate(**made).with_row_index(ROW, offset=1)
    draft = Draft(name="synthetic", frame=frame, times="", counted=False)
    draft = add(assign(spoil(draft), options), options)
    return Reading(
        frame=draft.frame.drop(ROW),
        times=(),
        counted=False,
        cadence=HOURLY,
        left_out={},
        notes=(),
        meaning=draft.meaning,
    )
