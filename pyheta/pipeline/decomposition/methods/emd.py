"""Empirical mode decomposition (Huang et al. 1998)."""

from pyheta.pipeline.decomposition.components import imfs
from pyheta.pipeline.decomposition.method import LEAST_EXTREMA, Computation, Method


def _load() -> Computation:
    from pyheta.pipeline.decomposition.rolling import EMD_MODES

    return EMD_MODES


EMD = Method(
    "emd",
    imfs,
    _load,
    options=("max_imf",),
    least_extrema=LEAST_EXTREMA,
)
