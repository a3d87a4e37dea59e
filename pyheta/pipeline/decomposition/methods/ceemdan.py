"""Complete ensemble EMD with adaptive noise (Torres et al. 2011)."""

from pyheta.pipeline.decomposition.components import imfs
from pyheta.pipeline.decomposition.method import LEAST_EXTREMA, Computation, Method


def _load() -> Computation:
    from pyheta.pipeline.decomposition.rolling import CEEMDAN_MODES

    return CEEMDAN_MODES


CEEMDAN = Method(
    "ceemdan",
    imfs,
    _load,
    options=("max_imf", "trials", "noise", "seed"),
    defaults={"noise": 0.005},  # in deviations of the series
    least_extrema=LEAST_EXTREMA,
)
