"""What nets read: columns as they are, their components, or shaped columns, each a channel.

A source says where a channel comes from; it is part of a step's parameters. A causal decomposition
looks at the past of every row anew, so its channels have, beside one value a row, a tail: how the
last rows looked from there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from safetensors import safe_open

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Array
from pyheta.pipeline.data.table import read_table
from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.pipeline.scaling import Scaler

# Paths of a step's inputs by role and by the product's name, as `task.Task` has them.
Inputs = Mapping[str, Mapping[str, Path]]


class SourceParams(TypedDict):
    """A `Source` as it stands in a step's parameters."""

    column: str
    component: str
    shaped: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A column, or one component of it, as it is or shaped."""

    column: str
    component: str = WHOLE
    shaped: bool = False

    @property
    def label(self) -> str:
        """What people call it: "HUFL", "HUFL IMF0", "HUFL IMF0 shaped"."""
        parts = (
            self.column,
            "" if self.component == WHOLE else self.component,
            "shaped" * self.shaped,
        )
        return " ".join(filter(None, parts))

    @property
    def role(self) -> str:
        """The role of the step that makes it among the needs of the one that reads it."""
        if self.shaped:
            return f"shape/{self.column}/{self.component}"
        return "load" if self.component == WHOLE else f"decompose/{self.column}"

    def as_params(self) -> SourceParams:
        return {"column": self.column, "component": self.component, "shaped": self.shaped}


@dataclass(frozen=True, slots=True)
class Channel:
    """`values`: (rows,), NaN before row `first`; `tails`: (rows, keep) or None.

    tails[t] are the channel's rows t - keep + 1 … t as they look from row t; without tails they are
    the values themselves.
    """

    values: Array
    tails: Array | None = None

    @property
    def first(self) -> int:
        """The first row with a value."""
        finite = np.isfinite(self.values)
        if not finite.any():
            raise StepError("a series without any value", cure="use a shorter window or more rows")
        return int(finite.argmax())

    def ready(self, lookback: int) -> int:
        """The first row that may be forecast from a window of `lookback` rows before it."""
        return self.first + (lookback if self.tails is None else 1)

    def head(self, rows: int) -> "Channel":
        """The first rows alone: whoever gets this cannot see what comes after."""
        return Channel(self.values[:rows], None if self.tails is None else self.tails[:rows])

    def scaled(self, scaler: Scaler, dtype: type[np.floating[Any]]) -> "Channel":
        tails = None if self.tails is None else scaler.apply(self.tails).astype(dtype)
        return Channel(scaler.apply(self.values).astype(dtype), tails)

    def windows(self, rows: NDArray[np.intp], lookback: int) -> Array:
        """(len(rows), lookback): what is known of the channel just before each of these rows."""
        if self.tails is None:
            return np.asarray(sliding_window_view(self.values, lookback)[rows - lookback])
        return np.asarray(self.tails[rows - 1, self.tails.shape[1] - lookback :])


def read_channels(sources: Sequence[Source], inputs: Inputs, lookback: int) -> list[Channel]:
    """The channels of some sources, with the tails that windows of `lookback` rows need."""
    return [_read(source, inputs[source.role], lookback) for source in sources]


def _read(source: Source, products: Mapping[str, Path], lookback: int) -> Channel:
    if source.shaped:
        return Channel(_tensors(products["shaped"], "values")["values"])
    if source.component == WHOLE:
        return Channel(read_table(products["table"]).select([source.column]).columns[source.column])
    values, tails = f"{source.component}/values", f"{source.component}/tails"
    arrays = _tensors(products["components"], values, tails)
    if tails not in arrays:
        return Channel(arrays[values])
    if lookback > (kept := arrays[tails].shape[1]):
        raise StepError(f"a window of {lookback} rows where {kept} were kept")
    return Channel(
        arrays[values], arrays[values][:, np.newaxis] + arrays[tails][:, kept - lookback :]
    )


def _tensors(path: Path, *names: str) -> dict[str, NDArray[Any]]:
    """Those of the named arrays that a safetensors file has."""
    with safe_open(path, framework="numpy") as file:
        there = set(file.keys())
        return {name: file.get_tensor(name) for name in names if name in there}
