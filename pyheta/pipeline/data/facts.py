"""What is known about a data set once it has been read: enough to check every run against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyheta.errors import DataError
from pyheta.pipeline.data.content import Content
from pyheta.pipeline.data.draft import Meaning
from pyheta.pipeline.data.steps.cadence import Cadence


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What decides whether a column can be decomposed, shaped or told from another."""

    constant: bool
    extrema: int  # rows where it turns
    digest: str  # equal for equal values
    first: int = 0  # the first row at which it is known
    at_first: float = 0.0  # its value there
    changes_at: int | None = None  # the first row with another value than that; None if constant


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFacts:
    """A checked data set in numbers.

    `source` and `files` are what the `load` step gets as `params` and `files`. They fix the table's
    content, so neither holds a path of the machine that read it; `files` is {"raw": sha256}, or
    empty for data that are made, not read. `columns` are the value columns in the order of the
    file, without the time column; `first` and `last` are the first and the last row's times.
    """

    source: Mapping[str, Any]
    files: Mapping[str, str]
    columns: tuple[str, ...]
    rows: int
    first: datetime
    last: datetime
    cadence: Cadence
    content: Content = field(compare=False, repr=False)
    counted: bool = False  # times are whole numbers of microseconds, no moments
    times: NDArray[np.int64] | None = field(default=None, repr=False)  # (rows,), as in `Table`
    by_column: Mapping[str, ColumnFacts] = field(default_factory=dict)
    left_out: Mapping[str, DataError] = field(default_factory=dict)  # columns, and why
    notes: tuple[str, ...] = ()  # what was found and what was done, a sentence each
    meaning: Meaning = field(default_factory=Meaning)
