"""Adding up the components' forecasts of a target: by timestamp, never by position."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Floats

#: How far the components' sum may be from the series, in units of the series' largest value.
TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Forecast:
    """`time`: (n,), the time of each first target; `truth` and `values`: (n, horizon)."""

    time: NDArray[np.int64]
    truth: Floats
    values: Floats

    def at(self, time: NDArray[np.int64]) -> "Forecast":
        """The same for these times. Raises StepError for a time that is not there."""
        order = np.argsort(self.time)
        places = order[np.minimum(np.searchsorted(self.time, time, sorter=order), len(order) - 1)]
        if (missing := self.time[places] != time).any():
            at = np.datetime64(int(time[missing.argmax()]), "us")
            raise StepError(f"a component has no forecast for {at}, where others have one")
        return Forecast(time, self.truth[places], self.values[places])


def recompose(components: Mapping[str, Forecast]) -> Forecast:
    """The sum of the components' forecasts, and of their truths, at the times of the first.

    Raises StepError where a component has no forecast for one of these times.
    """
    first, *others = components.values()
    if not others:
        return first
    parts = [component.at(first.time) for component in components.values()]
    return Forecast(
        first.time,
        np.sum([part.truth for part in parts], axis=0),
        np.sum([part.values for part in parts], axis=0),
    )


def refuse_gap(whole: Forecast, truth: Floats) -> None:
    """Raises StepError if the components' truths do not add up to the series' truth."""
    gap = float(np.abs(whole.truth - truth).max())
    if gap > TOLERANCE * float(np.abs(truth).max()):
        raise StepError(f"the components miss the series that they should add up to by {gap:.3g}")
