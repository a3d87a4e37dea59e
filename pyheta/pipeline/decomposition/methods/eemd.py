"""Ensemble EMD (Wu and Huang 2009)."""

from pyheta.pipeline.decomposition.components import imfs
from pyheta.pipeline.decomposition.method import LEAST_EXTREMA, Computation, Method


def _load() -> Computation:
    from pyheta.pipeline.decomposition.rolling import EEMD_MODES

    return EEMD_MODES


EEMD = Method(
    "eemd",
    imfs,
    _load,
    options=("max_imf", "trials", "noise", "seed"),
    defaults={"noise": 0.05},  # of the range of the values
    least_extrema=LEAST_EXTREMA,
)
