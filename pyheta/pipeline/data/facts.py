"""What is known about a data set once it has been read: enough to check every run against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What decides whether a column can be decomposed, shaped or told from another."""

    constant: bool
    extrema: int  # rows where it turns
    digest: str  # equal for equal values


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """A checked data set in numbers.

    `source` and `files` are what the `load` step gets as `params` and `files`. They fix the table's
    content, so neither holds a path of the machine that read it; `files` is {"raw": sha256}, or
    empty for data that are made, not read. `columns` are the value columns in the order of the
    file, without the time column; `first` and `last` are the first and the last row's timestamps.
    """

    source: Mapping[str, Any]
    files: Mapping[str, str]
    columns: tuple[str, ...]
    rows: int
    first: datetime
    last: datetime
    step_seconds: float
    by_column: Mapping[str, ColumnFacts] = field(default_factory=dict)
