"""What a step may see of the series that other steps made: their rows up to a border, no later one.

Series are read here and nowhere else. An operation gets them by its parameters, which say where its
border lies: a fit cannot ask for a row of the test part.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray
from safetensors import safe_open

from pyheta.pipeline.data.table import Table, read_table

# Paths of a step's inputs by role and by the product's name, as `task.Task` has them.
Inputs = Mapping[str, Mapping[str, Path]]


class Bordered(Protocol):
    """The parameters of a step that reads series."""

    @property
    def border(self) -> int | None:
        """The number of rows that it may see, from the first one on; None for all."""
        ...

    @property
    def beginning(self) -> int:
        """The first row of a table's columns that it may see."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """The series among a step's inputs, without what lies after the step's border.

    Columns are unknown before its beginning. What is made of them with all that was before is not.
    """

    _inputs: Inputs
    _border: int | None
    _beginning: int

    @classmethod
    def of(cls, params: Bordered, inputs: Inputs) -> "Seen":
        return cls(inputs, params.border, params.beginning)

    def table(self, role: str = "load") -> Table:
        """Times and columns of a `load` step."""
        whole = read_table(self._inputs[role]["table"])
        seen = whole if self._border is None else whole.head(self._border)
        return seen.known_from(self._beginning) if self._beginning else seen

    def arrays(self, role: str, product: str, *names: str) -> dict[str, NDArray[Any]]:
        """Those of the named arrays, (rows, …), that a product has."""
        with safe_open(self._inputs[role][product], framework="numpy") as file:
            there = set(file.keys())
            return {name: self._rows(file.get_slice(name)) for name in names if name in there}

    def _rows(self, stored: Any) -> NDArray[Any]:
        """The rows of a stored array up to the border; it may have fewer."""
        rows = stored.get_shape()[0]
        kept: NDArray[Any] = stored[: rows if self._border is None else min(rows, self._border)]
        return kept
