"""Which rows a table has: their order, their number at one time, and those of a stretch of time."""

import numpy as np

from pyheta.errors import DataError
from pyheta.pipeline.data.draft import TIME, Draft
from pyheta.pipeline.data.options import DataOptions


def arrange(draft: Draft, options: DataOptions) -> Draft:
    """The draft with one row at each time, in the order of time.

    Raises DataError where that is not so and no option says what to do.
    """
    del options
    steps = np.diff(draft.frame[TIME].to_physical().to_numpy())
    if not (steps <= 0).any():
        return draft
    index = int((steps <= 0).argmax()) + 1
    where = draft.where(index, draft.times)
    now, before = draft.frame[TIME][index], draft.frame[TIME][index - 1]
    if steps[index - 1] == 0:
        cure = "keep one row per time (clock changes? give times with their UTC offset)"
        raise DataError(f"{now} stands in the row before too", where=where, cure=cure)
    raise DataError(f"times must grow, but {now} follows {before}", where=where, cure="sort them")
