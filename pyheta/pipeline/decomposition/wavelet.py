"""Wavelet multiresolution analysis (Mallat 1989): details from the finest on, and a smooth
approximation.
"""

import numpy as np

from pyheta.arrays import Floats
from pyheta.errors import StepError, nearest


def wavelet_rows(values: Floats, name: str, levels: int) -> Floats:
    """values: (…, n); returns (levels + 1, …, n), details first, which add up to the values.

    Linear in the values. The signal goes on mirrored at its ends: the usual periodic continuation
    would mix its first rows into its last. Raises StepError for an unknown wavelet or too many
    levels.
    """
    import pywt  # its import takes longer than most commands that only look

    refuse_unfit(name, levels, values.shape[-1])
    found = pywt.mra(values, name, level=levels, transform="dwt", mode="symmetric")
    details = np.stack(found[:0:-1])
    return np.concatenate([details, (values - details.sum(axis=0))[np.newaxis]])


def refuse_unfit(name: str, levels: int, rows: int) -> None:
    """Raises StepError for an unknown wavelet, or where `rows` have no room for so many levels."""
    import pywt

    known = pywt.wavelist(kind="discrete")
    if name not in known:
        what = f"no discrete wavelet '{name}'"
        raise StepError(what, where="decompose.wavelet", cure=nearest(name, known))
    if (most := pywt.dwt_max_level(rows, name)) < levels:
        what = f"{rows:,} rows have room for {most} levels of the wavelet '{name}', not {levels}"
        cure = "use fewer levels, a shorter wavelet or more rows"
        raise StepError(what, where="decompose.max_imf", cure=cure)
