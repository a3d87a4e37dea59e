"""Training, validation and test: three stretches of time, one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Part = Literal["train", "val", "test"]


def share(rows: int, *fractions: float) -> int:
    """The sum of these fractions of the rows, rounded down; computed on the decimals that the user wrote."""
    return int(rows * sum(Decimal(str(fraction)) for fraction in fractions))


@dataclass(frozen=True, slots=True)
class Split:
    """Row borders: training is [0, train_stop), validation [train_stop, val_stop), test the rest.

    A forecast belongs to the part that holds all of its targets. Its window may reach back over a
    border, its targets never cross one.
    """

    train_stop: int
    val_stop: int
    rows: int

    @classmethod
    def of(cls, fractions: Mapping[str, float], rows: int) -> "Split":
        """Borders at the fractions `train` and `train + val` of the rows, rounded down.

        Computed on the decimals that the user wrote: 0.7 + 0.1 of 10 rows is 8, where binary
        floating point would say 7.
        """
        train, val = fractions["train"], fractions["val"]
        return cls(share(rows, train), share(rows, train, val), rows)

    def targets(self, part: Part) -> tuple[int, int]:
        """The rows [start, stop) that a part's targets may lie in."""
        return {
            "train": (0, self.train_stop),
            "val": (self.train_stop, self.val_stop),
            "test": (self.val_stop, self.rows),
        }[part]
