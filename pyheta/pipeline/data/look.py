"""As much of a data set as can be seen, also of one that is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pyheta.errors import DataError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.data.draft import ROW, TIME
from pyheta.pipeline.data.files.opened import open_file
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.read import read_rows
from pyheta.pipeline.data.sources import inspect, table
from pyheta.pipeline.data.steps.cadence import Cadence


class Course(NamedTuple):
    """A column over time: microseconds since 1970 (rows,), values (rows,), NaN where missing."""

    times: NDArray[np.int64]
    values: Floats


@dataclass(frozen=True, slots=True)
class Sight:
    """The columns of numbers of a data set.

    What was `refused` has no cadence. `unused` are columns that a run cannot use, and why; those of
    them that hold numbers are among the columns.
    """

    columns: Mapping[str, Course]
    counted: bool  # times are whole numbers, no moments
    cadence: Cadence | None
    unused: Mapping[str, DataError]
    refused: DataError | None = None


def look(dataset: Mapping[str, Any], *, base: Path, data: Path | None) -> Sight:
    """See a data set, given as to `inspect`. Raises DataError where nothing can be seen."""
    try:
        facts, path = inspect(dataset, base=base, data=data)
    except DataError as refusal:
        return _refused(dataset, base, refusal)
    seen = _unmasked(_courses(table(facts.source, path).frame), facts.meaning.masks)
    if facts.left_out and path:
        rows = _rows(path, DataOptions.of(facts.source)).columns
        seen |= {name: rows[name] for name in facts.left_out if name in rows}
    return Sight(seen, facts.counted, facts.cadence, facts.left_out)


def _unmasked(seen: Mapping[str, Course], masks: Mapping[str, str]) -> dict[str, Course]:
    """Where a mask says that a value is carried on, it is missing, and the mask says no more."""
    courses = {name: course for name, course in seen.items() if name not in masks.values()}
    for name, mask in masks.items():
        times, values = seen[name]
        courses[name] = Course(times, np.where(seen[mask].values > 0, np.nan, values))
    return courses


def _refused(dataset: Mapping[str, Any], base: Path, refusal: DataError) -> Sight:
    """What a file holds before its question comes up. Raises the refusal if that is nothing."""
    given = {key: value for key, value in dataset.items() if key not in ("name", "path")}
    if "path" not in dataset:
        raise refusal
    try:
        seen = _rows(base / Path(dataset["path"]).expanduser(), DataOptions.of(given))
    except DataError:
        raise refusal from None
    return Sight(seen.columns, seen.counted, None, seen.unused, refusal)


def _rows(path: Path, options: DataOptions) -> Sight:
    """The rows as they stand in the file, in order."""
    axis, draft = read_rows(open_file(path, options).table, options)
    return Sight(_courses(draft.frame.drop(ROW)), axis.counted, None, draft.left_out)


def _courses(frame: pl.DataFrame) -> dict[str, Course]:
    times = frame[TIME].to_physical().to_numpy()
    return {
        column.name: Course(times, column.fill_null(np.nan).to_numpy())
        for column in frame.drop(TIME)
    }
