"""The `relevance` step: how much an exogenous column tells of the target, and what chance reaches.

It sees training rows alone, since people choose columns by it.
"""

import numpy as np

from pyheta.ops.params import RelevanceParams
from pyheta.pipeline.relevance.measuring import measure
from pyheta.pipeline.relevance.pairs import read_pair
from pyheta.pipeline.seen import Seen
from pyheta.task import Result, Task


def relevance(task: Task) -> Result:
    """No product; the summary has each measure's value, lag and chance level (see `measuring`).

    There are no measures where one of the two is constant in training, as an IMF may be that no
    window has.
    """
    params = RelevanceParams.of(task.params)
    seen = Seen.of(params, task.inputs)
    pair = read_pair(params.target, params.column, params.component, seen)
    rows = slice(max(pair.first, params.train[0]), None)
    target, column = pair.target[rows], pair.column[rows]
    if not (np.ptp(target) and np.ptp(column)):  # an IMF that no window has is zero throughout
        return Result(products={}, summary={"measures": {}})
    measured = measure(
        params.measures,
        target,
        column,
        max_lag=params.max_lag,
        draws=params.draws,
        seed=params.seed,
    )
    return Result(products={}, summary={"measures": measured})
