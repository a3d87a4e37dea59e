"""Wavelet multiresolution analysis (Mallat 1989): details from the finest on, then what is left."""

import numpy as np

from pyheta.errors import StepError, nearest
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.decomposition.method import Options


def wavelet_rows(values: Floats, options: Options) -> Floats:
    """values: (…, n); returns (levels + 1, …, n), details first, which add up to the values.

    Linear in the values. The signal goes on mirrored at its ends: the usual periodic continuation
    would mix its first rows into its last. The options have to fit: see `refuse_unfit`.
    """
    import pywt  # its import takes longer than most commands that only look

    levels = options["max_imf"]
    parts = pywt.mra(values, options["wavelet"], level=levels, transform="dwt", mode="symmetric")
    details = np.stack(parts[:0:-1])
    return np.concatenate([details, (values - details.sum(axis=0))[np.newaxis]])


def least_rows(name: str, levels: int) -> int:
    """The fewest rows that have room for so many levels."""
    import pywt

    return int(pywt.Wavelet(name).dec_len - 1) << levels


def refuse_unfit(name: str, levels: int, rows: int) -> None:
    """Raises StepError for an unknown wavelet, or where `rows` have no room for so many levels."""
    import pywt

    names = pywt.wavelist(kind="discrete")
    if name not in names:
        what = f"no discrete wavelet '{name}'"
        raise StepError(what, where="decompose.wavelet", cure=nearest(name, names))
    if (most := pywt.dwt_max_level(rows, name)) < levels:
        what = f"{rows:,} rows have room for {most} levels of the wavelet '{name}', not {levels}"
        cure = "use fewer levels, a shorter wavelet or more rows"
        raise StepError(what, where="decompose.max_imf", cure=cure)
