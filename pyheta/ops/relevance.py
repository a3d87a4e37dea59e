"""The `relevance` step: how much an exogenous column tells of the target, beside the level of
chance.

It sees training rows alone, since people choose columns by it.
"""

import numpy as np

from pyheta.pipeline.relevance.measuring import measure
from pyheta.pipeline.relevance.pairs import read_pair
from pyheta.pipeline.splits import share
from pyheta.task import Result, Task


def relevance(task: Task) -> Result:
    """No product; the summary has for each measure its value, lag and chance level (see
    `measuring`).

    params: target, column, component, train (the share of training rows), measures, max_lag, draws,
    seed. There are no measures where one of the two is constant in training, as an IMF may be that
    no window has.
    """
    params, pair = task.params, read_pair(task)
    rows = slice(pair.first, share(len(pair.target), params["train"]))
    target, column = pair.target[rows], pair.column[rows]
    if not (np.ptp(target) and np.ptp(column)):  # an IMF that no window has is zero throughout
        return Result(products={}, summary={"measures": {}})
    found = measure(
        params["measures"],
        target,
        column,
        max_lag=params["max_lag"],
        draws=params["draws"],
        seed=params["seed"],
    )
    return Result(products={}, summary={"measures": found})
