"""All decompositions behind two functions: of a whole series, and of what was known at each of its
rows.

Components come in the order of `component_names` and always add up to the series.

options: method, max_imf (of wavelets: the number of levels); trials, noise, seed (eemd, ceemdan);
wavelet; period (stl); and for `causal` window, in rows, and grow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyheta.arrays import Floats
from pyheta.errors import StepError
from pyheta.pipeline.decomposition.ceemdan import ceemdan
from pyheta.pipeline.decomposition.components import component_names
from pyheta.pipeline.decomposition.eemd import eemd
from pyheta.pipeline.decomposition.emd import emd, usable
from pyheta.pipeline.decomposition.linear import Rows, roll_growing, roll_linear
from pyheta.pipeline.decomposition.rolling import METHODS, roll
from pyheta.pipeline.decomposition.stl import stl_rows
from pyheta.pipeline.decomposition.wavelet import wavelet_rows
from pyheta.task import Progress

ENSEMBLES = {"eemd": eemd, "ceemdan": ceemdan}


@dataclass(frozen=True, slots=True)
class Causal:
    """Row t of everything comes from values[: t + 1] alone. Rows before the first window are NaN.

    `values` are the components' last values, (components, n). `tails` say how far the last `keep`
    values lie from the last one, which comes last and is 0: (components, n, keep). Differences are
    small where a series is large, so float32 is enough for them.
    """

    values: Floats
    tails: NDArray[np.float32]


def whole(values: Floats, options: Mapping[str, Any], progress: Progress) -> Floats:
    """(components, n): the components of the series; missing IMFs are zero.

    Raises StepError for a series that is constant, a mere trend, too short or not finite.
    """
    if options["method"] not in METHODS:
        return _linear(options)(usable(values))
    found = _modes(values, options, progress)
    rows = np.zeros((options["max_imf"] + 1, len(values)))
    rows[: len(found) - 1] = found[:-1]
    rows[-1] = found[-1]
    return rows


def causal(values: Floats, options: Mapping[str, Any], *, keep: int, progress: Progress) -> Causal:
    """Decompose values[t - window + 1 … t], or values[0 … t] if `grow`, for every row t from window
    - 1 on.

    Modes that a window does not have are zero there: the residue of a constant window is the
    constant. The noise of an ensemble is the same in all windows; a growing one begins with that of
    the one before. Raises StepError for a series that is constant or not finite, and for a window
    that does not fit.
    """
    values, window = usable(values), options["window"]
    _check_window(len(values), window, keep)
    shape = (len(component_names(options)), len(values))
    out = np.full(shape, np.nan), np.full((*shape, keep), np.nan, np.float32)
    if options["method"] in METHODS:
        roll(values, options, out, progress)
    else:
        over = roll_growing if options["grow"] else roll_linear
        over(values, _linear(options), window, out, progress)
    return Causal(*out)


def _modes(values: Floats, options: Mapping[str, Any], progress: Progress) -> Floats:
    if options["method"] == "emd":
        return emd(values, options["max_imf"])
    names = ("max_imf", "trials", "noise", "seed")
    return ENSEMBLES[options["method"]](
        values, progress=progress, **{name: options[name] for name in names}
    )


def _linear(options: Mapping[str, Any]) -> Rows:
    if options["method"] == "wavelet":
        return partial(wavelet_rows, name=options["wavelet"], levels=options["max_imf"])
    return partial(stl_rows, period=options["period"])


def _check_window(rows: int, window: int, keep: int) -> None:
    if window > rows:
        cure = f"set decompose.window to {rows} or less"
        raise StepError(f"a window of {window} rows does not fit into {rows} rows", cure=cure)
    if not 0 < keep <= window:
        what = f"{keep} rows cannot be kept of a window of {window}"
        raise StepError(what, cure=f"set decompose.window to {keep} or more")
