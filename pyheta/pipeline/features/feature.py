"""What a kind of feature is: from what it makes columns, and what is said of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pyheta.errors import DataError, nearest
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.data.draft import TIME, Draft


@dataclass(frozen=True, slots=True)
class Made:
    """A column that was made; row t of it depends on rows up to t alone.

    `values`: (rows,), NaN before the first known one. `known`: over the horizon too, as the
    calendar is; `reach`: so many rows ahead, as a lag is.
    """

    name: str
    values: Floats
    known: bool = False
    reach: int = 0


@dataclass(frozen=True, slots=True)
class Given:
    """What features are made of: the table so far, and the zone whose calendar counts."""

    draft: Draft
    zone: str | None = None

    @property
    def rows(self) -> int:
        return self.draft.frame.height

    @property
    def columns(self) -> list[str]:
        """The series that were measured: no masks, and no values of a category."""
        meaning = self.draft.meaning
        made = {
            *meaning.masks.values(),
            *(name for group in meaning.groups.values() for name in group),
        }
        return [name for name in self.draft.columns if name not in made]

    def values(self, column: str) -> Floats:
        """(rows,): NaN before the first known one. Raises DataError for a column not there."""
        if column in self.draft.left_out:
            raise self.draft.left_out[column]
        if column not in self.draft.columns:
            cure = nearest(column, self.draft.columns)
            raise DataError(
                f"no column '{column}'", where=f"{self.draft.name}: features", cure=cure
            )
        return self.draft.frame[column].to_numpy().astype(np.float64)

    def known(self, *columns: str) -> bool:
        """Whether all of these are known over the horizon."""
        return self.draft.meaning.known.issuperset(columns)

    def times(self, feature: str) -> pl.Series:
        """The rows' times as clocks on the wall showed them. DataError where rows are counted."""
        if self.draft.counted:
            what = f"the rows have no times, which '{feature}' needs"
            cure = "leave it out; `fourier` counts rows"
            raise DataError(what, where=f"{self.draft.name}: features", cure=cure)
        times = self.draft.frame[TIME]
        if self.zone is None:
            return times
        return times.dt.replace_time_zone("UTC").dt.convert_time_zone(self.zone)


#: From what stands under the kind's key, and the table, the columns of it.
Kind = Callable[[Any, Given], Iterator[Made]]
