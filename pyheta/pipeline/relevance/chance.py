"""By how many rows a column is shifted to see what chance reaches: see `measuring`."""

import numpy as np

from pyheta.errors import StepError

#: Shifts stay at least this part of the rows away from no shift, in addition to the longest lag.
CLEARANCE = 20
#: Each shift is chosen among so many at least.
LEAST_CHOICE = 2


def shifts(rows: int, max_lag: int, draws: int, seed: int) -> list[int]:
    """A shift from the middle half of each of `draws` equal parts of the circle, less its ends.

    So none is near 0, even with a lag added, and neighbours are at least half a part from each
    other. Raises StepError if there are too few rows.
    """
    if not has_room(rows, max_lag, draws):
        what = f"{rows} rows have no room for {draws} shifts beyond a lag of {max_lag}"
        raise StepError(what, cure="use fewer draws (at least 1) or shorter lags")
    clear, part = _parts(rows, max_lag, draws)
    places = np.random.default_rng(seed).uniform(0.25, 0.75, draws)
    return [int(clear + part * (i + place)) for i, place in enumerate(places)]


def has_room(rows: int, max_lag: int, draws: int) -> bool:
    """Whether so many rows can be shifted so often beyond a lag."""
    return draws >= 1 and max_lag >= 0 and _parts(rows, max_lag, draws)[1] >= LEAST_CHOICE


def _parts(rows: int, max_lag: int, draws: int) -> tuple[int, float]:
    """The rows that no shift may come near on either side, and what each shift has to itself."""
    clear = max_lag + rows // CLEARANCE
    return clear, (rows - 2 * clear) / max(draws, 1)
