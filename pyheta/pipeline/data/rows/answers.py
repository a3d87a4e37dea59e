"""The `missing:` option that would accept a column, beside what is already written there."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pyheta.pipeline.data.options.missing import Code, Missing, Policy


def longest_gap(missing: pl.Series) -> int:
    """Rows of the longest stretch that is missing after the first value; at least 1."""
    ages = ages_of(missing)
    return max(int(ages.max(initial=1)), 1)


def ages_of(missing: pl.Series) -> NDArray[np.intp]:
    """How many rows ago the last value was (rows,): 0 where there is one, and before the first."""
    absent = missing.to_numpy()
    rows = np.arange(len(absent))
    last = np.maximum.accumulate(np.where(absent, -1, rows))
    return np.where(last < 0, 0, rows - last)


def to_accept(
    missing: Missing, column: str, gap: int, *, codes: Iterable[Code] = ()
) -> dict[str, Any]:
    """Where nothing says what is done, the last value is carried on over `gap` rows.

    `codes` count as missing too.
    """
    policy = missing.of(column)
    changes = _way(policy, gap)
    if codes:
        changes["values"] = (*(policy.values or ()), *codes)
    return {"missing": _changed(missing, column, changes).as_written()}


def to_keep(missing: Missing, column: str) -> dict[str, Any]:
    """What stands out in a column is a value like others."""
    return {"missing": _changed(missing, column, {"values": ()}).as_written()}


def _way(policy: Policy, gap: int) -> dict[str, Any]:
    if policy.how or (policy.fill and policy.limit is None):
        return {}
    return {"fill": policy.fill or "forward", "limit": max(policy.limit or 0, gap)}


def _changed(missing: Missing, column: str, changes: Mapping[str, Any]) -> Missing:
    """The policy of all columns is changed unless there are others that have their own."""
    if not missing.columns:
        return Missing.model_validate({**missing.model_dump(), **changes})
    own = dict(missing.columns)
    own[column] = Policy.model_validate({**own.get(column, Policy()).model_dump(), **changes})
    return missing.model_copy(update={"columns": tuple(own.items())})
