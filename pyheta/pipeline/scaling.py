"""Scaling of columns, each by its own name and learned from training rows alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, assert_never

if TYPE_CHECKING:  # numpy takes longer to import than most commands that only look
    from pyheta.pipeline.arrays import Array, Floats

#: From here on, in units of the spread, a level takes more than half of float32's 24 bits.
HIGH_LEVEL = 1 << 12

#: How columns can be scaled; sweeps read this too.
Method = Literal["minmax", "standard", "none"]


@dataclass(frozen=True, slots=True)
class Scaler:
    """scaled = (value - offset) / unit; `unit` is in the column's own units, greater than zero."""

    offset: float
    unit: float

    @classmethod
    def fit(cls, method: Method, values: Floats) -> Scaler:
        """`minmax` maps the values to 0 … 1, `standard` to mean 0 and (population) deviation 1.

        A column that is constant here is only shifted: it has no spread to divide by. `none` leaves
        a column as it is, less its mean if its level is so high that float32 would lose the rest.
        """
        low, high = float(values.min()), float(values.max())
        if low == high and method != "none":
            return cls(low, 1.0)
        match method:
            case "none":
                return cls(float(values.mean()), 1.0) if is_high(values) else OWN_UNITS
            case "minmax":
                return cls(low, high - low)
            case "standard":
                # The deviation of very small values can underflow to zero.
                return cls(float(values.mean()), float(values.std()) or 1.0)
            case _:
                assert_never(method)

    def apply(self, values: Array) -> Floats:
        return (values.astype(float) - self.offset) / self.unit

    def invert(self, scaled: Floats) -> Floats:
        return scaled * self.unit + self.offset


#: Leaves every float64 as it is, to the last bit.
OWN_UNITS = Scaler(0.0, 1.0)


def is_high(values: Array) -> bool:
    """Whether the values move so little, for their size, that float32 would lose it."""
    low, high = float(values.min()), float(values.max())
    return low < high and max(-low, high) > HIGH_LEVEL * float(values.std())
