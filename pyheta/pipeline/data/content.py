"""What the rows of a data set hold, as digests: equal rows have equal ones, whatever file had them.

Keys of steps are made of these (see `steps.Step.sees`).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Rows = tuple[int, int]  # [first, stop)


@dataclass(frozen=True, slots=True)
class Content:
    """The table of a data set: `time` (rows,) in microseconds, columns (rows,) by name."""

    time: NDArray[np.int64] = field(repr=False)
    columns: Mapping[str, NDArray[np.float64]] = field(repr=False)
    _digests: dict[tuple[str | None, Rows], str] = field(default_factory=dict, repr=False)

    def column(self, name: str, rows: Rows) -> str:
        """The digest of a column's values in these rows; two values that are unknown are equal."""
        return self._digest(name, rows)

    def times(self, rows: Rows) -> str:
        """The digest of the times of these rows."""
        return self._digest(None, rows)

    def _digest(self, name: str | None, rows: Rows) -> str:
        key = (name, rows)
        if key not in self._digests:
            values = (self.time if name is None else self.columns[name])[slice(*rows)]
            self._digests[key] = hashlib.sha256(_bytes(values)).hexdigest()
        return self._digests[key]


def _bytes(values: NDArray[np.int64] | NDArray[np.float64]) -> bytes:
    """The same for equal values on every machine: little-endian, one bit pattern for NaN."""
    if values.dtype == np.float64:
        values = np.where(np.isnan(values), np.nan, values)
    return values.astype(values.dtype.newbyteorder("<")).tobytes()
