"""The `relevance` step: how much an exogenous column tells of the target, beside the level of chance.

It sees training rows alone, since people choose columns by it.
"""

from pyheta.ops import Result, Task
from pyheta.pipeline.measures import measure
from pyheta.pipeline.pairs import read_pair
from pyheta.pipeline.splits import Split


def relevance(task: Task) -> Result:
    """No product; the summary has for each measure its value, lag and chance level (see `measures`).

    params: target, column, component, split, measures, max_lag, draws, seed. Raises StepError for a series
    that is constant in training.
    """
    params, pair = task.params, read_pair(task)
    rows = slice(pair.first, Split.of(params["split"], len(pair.target)).train_stop)
    found = measure(
        params["measures"],
        pair.target[rows],
        pair.column[rows],
        max_lag=params["max_lag"],
        draws=params["draws"],
        seed=params["seed"],
    )
    return Result(products={}, summary={"measures": found})
