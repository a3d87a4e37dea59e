"""The forecasts of a run as they are stored: one file of arrays, by part and component."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.pipeline.splits import Part
from pyheta.pipeline.stored import read_arrays, write_arrays


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Of each part `test/time`, (n,) int64: microseconds since 1970 of each first target row.

    `test/forecast` is (n, horizon) or, of several targets, (n, targets, horizon), in their units,
    and so is `test/IMF0/forecast` of a component: float32, or float64 where float32 would lose
    digits. The true values are not repeated here: `test/time` tells their rows. `exact`: nothing
    in a forecast is due to rounding.
    """

    arrays: Mapping[str, NDArray[Any]]
    exact: bool

    def time(self, part: Part) -> NDArray[np.int64]:
        return self.arrays[f"{part}/time"]

    def values(self, part: Part, target: int, component: str = WHOLE) -> Floats:
        """(n, horizon): of the n-th target."""
        array = self.arrays[name_of(part, component)]
        own = array if array.ndim == 2 else array[:, target]  # noqa: PLR2004 (one target)
        return own.astype(np.float64)

    def write(self, path: Path) -> None:
        write_arrays(path, self.arrays, {"exact": self.exact})

    @classmethod
    def read(cls, path: Path) -> "Forecasts":
        arrays, facts = read_arrays(path)
        return cls(arrays, facts["exact"])


def name_of(part: Part, component: str) -> str:
    """What the forecasts of a component are called."""
    return f"{part}/forecast" if component == WHOLE else f"{part}/{component}/forecast"
