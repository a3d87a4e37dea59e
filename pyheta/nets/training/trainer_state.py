"""The state of a training after an epoch: all that its next epoch depends on, in any engine."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

State = Mapping[str, NDArray[Any]]  # weights, under the names of a net's module

NO_RANDOM = np.empty(0, np.uint8)  # of an engine that draws no random numbers


@dataclass(frozen=True, slots=True)
class TrainerState:
    """The same in all engines, so that one can resume what another has begun.

    `first` and `second` are the optimizer's moments of each weight: the means of its gradients and
    of their squares; sgd has its velocity in `first`. `steps` counts the optimizer's steps.
    `random` is the state of torch's generator, from which dropout draws; empty where an engine has
    none.
    """

    weights: State
    first: State
    second: State
    steps: int
    random: NDArray[np.uint8]

    def arrays(self) -> State:
        """One flat mapping, to be written to a file."""
        return dict(self._named()) | {"steps": np.array(self.steps), "random": self.random}

    def _named(self) -> Iterator[tuple[str, NDArray[Any]]]:
        for part in ("weights", "first", "second"):
            for name, array in getattr(self, part).items():
                yield f"{part}/{name}", array

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> "TrainerState":
        """The state that `arrays` has written."""
        parts: dict[str, dict[str, NDArray[Any]]] = {"weights": {}, "first": {}, "second": {}}
        for path, array in arrays.items():
            part, _, name = path.partition("/")
            if name:
                parts[part][name] = array
        return cls(**parts, steps=arrays["steps"].item(), random=arrays["random"])
