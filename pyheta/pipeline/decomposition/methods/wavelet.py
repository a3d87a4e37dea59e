"""Wavelet multiresolution analysis (Mallat 1989); `max_imf` is the number of its levels."""

from pyheta.pipeline.decomposition.components import numbered
from pyheta.pipeline.decomposition.method import Computation, Method, Options


def _components(options: Options) -> tuple[str, ...]:
    return (*numbered("Detail", options["max_imf"]), "Approximation")


def _load() -> Computation:
    from pyheta.pipeline.decomposition.linear import Linear
    from pyheta.pipeline.decomposition.wavelet import wavelet_rows

    return Linear(wavelet_rows)


def _least_rows(options: Options) -> int:
    from pyheta.pipeline.decomposition.wavelet import least_rows

    return least_rows(options["wavelet"], options["max_imf"])


def _refuse_unfit(rows: int, options: Options) -> None:
    from pyheta.pipeline.decomposition.wavelet import refuse_unfit

    refuse_unfit(options["wavelet"], options["max_imf"], rows)


WAVELET = Method(
    "wavelet",
    _components,
    _load,
    options=("max_imf", "wavelet"),
    least_rows=_least_rows,
    refuse_unfit=_refuse_unfit,
)
