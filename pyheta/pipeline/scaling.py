"""Scaling of columns, each by its own name and learned from training rows alone."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pyheta.arrays import Floats

Method = Literal["minmax", "standard", "none"]


@dataclass(frozen=True, slots=True)
class Scaler:
    """scaled = (value - offset) / unit; `unit` is in the column's own units, greater than zero."""

    offset: float
    unit: float

    @classmethod
    def fit(cls, method: Method, values: Floats) -> "Scaler":
        """`minmax` maps the values to 0 … 1, `standard` to mean 0 and (population) deviation 1.

        A column that is constant here is only shifted: it has no spread to divide by.
        """
        low, high = float(values.min()), float(values.max())
        if method == "none":
            return cls(0.0, 1.0)
        if low == high:
            return cls(low, 1.0)
        if method == "minmax":
            return cls(low, high - low)
        # The deviation of very small values can underflow to zero.
        return cls(float(values.mean()), float(values.std()) or 1.0)

    def apply(self, values: NDArray[np.floating[Any]]) -> Floats:
        return (values.astype(np.float64) - self.offset) / self.unit

    def invert(self, scaled: Floats) -> Floats:
        return scaled * self.unit + self.offset
