"""What nets read: columns as they are, their components, or shaped columns, each a channel.

A source says where a channel comes from; it is part of a step's parameters. A causal decomposition
looks at the past of every row anew, so its channels have, beside one value a row, a tail: how the
last rows looked from there. A column that is known ahead is seen some rows later than others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NotRequired, TypedDict

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Array
from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.pipeline.scaling import Scaler
from pyheta.pipeline.seen import Seen


class SourceParams(TypedDict):
    """A `Source` as it stands in a step's parameters: what is usual is left out."""

    column: str
    component: str
    shaped: bool
    ahead: NotRequired[int]
    mask: NotRequired[str]


@dataclass(frozen=True, slots=True)
class Source:
    """A column, or one component of it, as it is or shaped.

    `ahead`: a window before row t ends at row t - 1 + ahead. `mask`: the column that is 1 where the
    column has no value of its own and its last one is carried on.
    """

    column: str
    component: str = WHOLE
    shaped: bool = False
    ahead: int = 0
    mask: str | None = None

    @property
    def label(self) -> str:
        """What people call it: "HUFL", "HUFL IMF0", "HUFL IMF0 shaped", "HUFL ahead 24"."""
        parts = (
            self.column,
            "" if self.component == WHOLE else self.component,
            "shaped" * self.shaped,
            f"ahead {self.ahead}" if self.ahead else "",
        )
        return " ".join(filter(None, parts))

    @property
    def role(self) -> str:
        """The role of the step that makes it among the needs of the one that reads it."""
        if self.shaped:
            return f"shape/{self.column}/{self.component}"
        return "load" if self.component == WHOLE else f"decompose/{self.column}"

    def as_params(self) -> SourceParams:
        params: SourceParams = {
            "column": self.column,
            "component": self.component,
            "shaped": self.shaped,
        }
        if self.ahead:
            params["ahead"] = self.ahead
        if self.mask:
            params["mask"] = self.mask
        return params


@dataclass(frozen=True, slots=True)
class Channel:
    """`values`: (rows,), NaN before row `first`; `tails`: (rows, keep) or None.

    tails[t] are the channel's rows t - keep + 1 … t as they look from row t; without tails they are
    the values themselves. `observed`: (rows,) bool, false where a value is carried on; None where
    none is. `ahead` is that of `Source`.
    """

    values: Array
    tails: Array | None = None
    observed: NDArray[np.bool_] | None = None
    ahead: int = 0

    @property
    def first(self) -> int:
        """The first row with a value."""
        finite = np.isfinite(self.values)
        if not finite.any():
            raise StepError("a series without any value", cure="use a shorter window or more rows")
        return int(finite.argmax())

    def known(self, rows: tuple[int, int]) -> Array:
        """The values of rows [first, stop), without those that are unknown or carried on.

        Raises StepError if there is none.
        """
        within = slice(max(self.first, rows[0]), rows[1])
        values = self.values[within]
        values = values if self.observed is None else values[self.observed[within]]
        if not len(values):
            what = f"no value is known in the rows {rows[0]} to {rows[1] - 1}"
            raise StepError(what, cure="use a longer train part")
        return values

    def ready(self, lookback: int) -> int:
        """The first row that may be forecast from a window of `lookback` rows before it."""
        return self.first + (lookback if self.tails is None else 1)

    def head(self, rows: int) -> "Channel":
        """The first rows alone: whoever gets this cannot see what comes after."""
        return replace(
            self,
            values=self.values[:rows],
            tails=None if self.tails is None else self.tails[:rows],
            observed=None if self.observed is None else self.observed[:rows],
        )

    def scaled(self, scaler: Scaler, dtype: type[np.floating[Any]]) -> "Channel":
        tails = None if self.tails is None else scaler.apply(self.tails).astype(dtype)
        return replace(self, values=scaler.apply(self.values).astype(dtype), tails=tails)

    def as_seen(self) -> "Channel":
        """The channel with what is seen in a window before row t in row t - 1: NaN where unknown.

        All of its rows move `ahead` rows back, so what stands in the last ones is not there.
        """
        if not self.ahead:
            return self
        tails = None if self.tails is None else _earlier(self.tails, self.ahead)
        return replace(self, values=_earlier(self.values, self.ahead), tails=tails, ahead=0)

    def windows(self, rows: NDArray[np.intp], lookback: int) -> Array:
        """(len(rows), lookback): what is known of the channel just before each of these rows."""
        if self.tails is None:
            return np.asarray(sliding_window_view(self.values, lookback)[rows - lookback])
        return np.asarray(self.tails[rows - 1, self.tails.shape[1] - lookback :])


def _earlier(rows: Array, count: int) -> Array:
    """The same rows, each `count` rows earlier; NaN in the last ones."""
    moved = np.full_like(rows, np.nan)
    moved[: len(rows) - count] = rows[count:]
    return moved


def read_channels(sources: Sequence[Source], seen: Seen, lookback: int) -> list[Channel]:
    """The channels of some sources, with the tails that windows of `lookback` rows need."""
    return [_read(source, seen, lookback) for source in sources]


def _read(source: Source, seen: Seen, lookback: int) -> Channel:
    channel = _series(source, seen, lookback)
    mask = _column(seen, source.mask) if source.mask else None
    return replace(channel, observed=None if mask is None else mask == 0, ahead=source.ahead)


def _series(source: Source, seen: Seen, lookback: int) -> Channel:
    if source.shaped:
        return Channel(seen.arrays(source.role, "shaped", "values")["values"])
    if source.component == WHOLE:
        return Channel(_column(seen, source.column))
    values, tails = f"{source.component}/values", f"{source.component}/tails"
    arrays = seen.arrays(source.role, "components", values, tails)
    if tails not in arrays:
        return Channel(arrays[values])
    if lookback > (kept := arrays[tails].shape[1]):
        raise StepError(f"a window of {lookback} rows where {kept} were kept")
    return Channel(
        arrays[values], arrays[values][:, np.newaxis] + arrays[tails][:, kept - lookback :]
    )


def _column(seen: Seen, name: str) -> Array:
    return seen.table().select([name]).columns[name]
