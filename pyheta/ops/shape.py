"""The `shape` step: an exogenous column (or a component of it) times its local relevance to the
target's.
"""

from safetensors.numpy import save_file

from pyheta.pipeline.relevance.pairs import read_pair
from pyheta.pipeline.relevance.shaping import shaped
from pyheta.pipeline.splits import share
from pyheta.task import Result, Task


def shape(task: Task) -> Result:
    """Product `shaped`: `values` (rows,) float64, in the column's own units.

    params: target, column, component, the options of a `shaping` section; train, the share of
    training rows, where they matter.
    """
    params, pair = task.params, read_pair(task)
    rows = len(pair.target)
    train_stop = share(rows, params["train"]) if "train" in params else rows
    values = shaped(pair.target, pair.column, params, train_stop=train_stop)
    path = task.out / "shaped.safetensors"
    save_file({"values": values}, path)
    return Result(products={"shaped": path}, summary={"column": params["column"]})
