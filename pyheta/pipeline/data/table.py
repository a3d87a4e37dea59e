"""The table of a `load` step as numpy arrays, kept for the next step that reads the same file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pyheta.errors import StepError, nearest


@dataclass(frozen=True, slots=True)
class Table:
    """`time` is int64 microseconds since 1970 (rows,); columns are float64 (rows,), read-only."""

    time: NDArray[np.int64]
    columns: Mapping[str, NDArray[np.float64]]

    @property
    def rows(self) -> int:
        return len(self.time)

    def select(self, names: Sequence[str]) -> "Table":
        """These columns, in this order. Raises StepError for a name that is not there."""
        for name in names:
            if name not in self.columns:
                raise StepError(f"no column '{name}'", cure=nearest(name, list(self.columns)))
        return Table(self.time, {name: self.columns[name] for name in names})

    def head(self, rows: int) -> "Table":
        """The first rows alone: whoever gets this cannot see what comes after."""
        return Table(self.time[:rows], {name: c[:rows] for name, c in self.columns.items()})

    def known_from(self, row: int) -> "Table":
        """The same with all values before a row unknown."""
        blank = np.full(row, np.nan)
        return Table(
            self.time, {name: np.append(blank, c[row:]) for name, c in self.columns.items()}
        )


def read_table(path: Path) -> Table:
    """Read a product of `load`. The last few stay in memory: a worker fits many nets on one."""
    status = path.stat()
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4)
def _read(path: Path, _modified: int, _size: int) -> Table:
    frame = pl.read_parquet(path)
    time = frame["time"].to_physical().to_numpy()
    return Table(time, {c.name: _frozen(c) for c in frame.drop("time")})


def _frozen(column: pl.Series) -> NDArray[np.float64]:
    values = column.to_numpy().astype(np.float64)
    values.flags.writeable = False
    return values
