"""Training, validation and test: three stretches of time, one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Part = Literal["train", "val", "test"]


def share(rows: int, *shares: float) -> int:
    """How many of the rows these shares are: whole numbers are rows, others fractions of `rows`.

    Fractions are rounded down, and computed on the decimals that the user wrote: 0.7 + 0.1 of 10
    rows is 8, where binary floating point would say 7.
    """
    if all(isinstance(part, int) for part in shares):
        return int(sum(shares))
    return int(rows * sum(Decimal(str(part)) for part in shares))


@dataclass(frozen=True, slots=True)
class Split:
    """The borders of three stretches of rows.

    Training is [0, train_stop), validation [train_stop, val_stop), test [val_stop, test_stop).
    A forecast belongs to the part that holds all of its targets. Its window may reach back over a
    border, its targets never cross one. Rows from test_stop on are not used.
    """

    train_stop: int
    val_stop: int
    test_stop: int

    @classmethod
    def of(cls, shares: Mapping[str, float], rows: int) -> "Split":
        """Borders after the shares `train` and `train + val` of the rows.

        Fractions leave the rest to the test part, whole numbers the rows that `test` says.
        """
        train, val, test = shares["train"], shares["val"], shares["test"]
        stop = share(rows, train, val, test) if isinstance(test, int) else rows
        return cls(share(rows, train), share(rows, train, val), stop)

    def targets(self, part: Part) -> tuple[int, int]:
        """The rows [start, stop) that a part's targets may lie in."""
        return {
            "train": (0, self.train_stop),
            "val": (self.train_stop, self.val_stop),
            "test": (self.val_stop, self.test_stop),
        }[part]
