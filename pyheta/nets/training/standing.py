"""Where a training stands after an epoch: all that its next epoch depends on, whatever computes
it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

State = Mapping[str, NDArray[Any]]  # weights, as a module names them

NOTHING = np.empty(0, np.uint8)  # of an engine that draws no random numbers


@dataclass(frozen=True, slots=True)
class Standing:
    """The same for all engines, so that one can go on where another one stopped.

    `first` and `second` are what the optimiser remembers of each weight: the means of gradients and
    of their squares; sgd has its velocity in `first`. `steps` were taken. `random` is the state of
    torch's generator, from which dropout draws; empty where an engine has none.
    """

    weights: State
    first: State
    second: State
    steps: int
    random: NDArray[np.uint8]

    def arrays(self) -> State:
        """One flat mapping, to be written down."""
        return dict(self._named()) | {"steps": np.array(self.steps), "random": self.random}

    def _named(self) -> Iterator[tuple[str, NDArray[Any]]]:
        for part in ("weights", "first", "second"):
            for name, array in getattr(self, part).items():
                yield f"{part}/{name}", array

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> "Standing":
        """What `arrays` gave."""
        parts: dict[str, dict[str, NDArray[Any]]] = {"weights": {}, "first": {}, "second": {}}
        for path, array in arrays.items():
            part, _, name = path.partition("/")
            if name:
                parts[part][name] = array
        return cls(**parts, steps=arrays["steps"].item(), random=arrays["random"])
