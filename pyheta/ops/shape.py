"""The `shape` step: an exogenous column, or a component of it, times its local relevance."""

from safetensors.numpy import save_file

from pyheta.ops.params import ShapeParams
from pyheta.pipeline.relevance.pairs import read_pair
from pyheta.pipeline.relevance.shaping import shaped
from pyheta.pipeline.splits import share
from pyheta.task import Result, Task


def shape(task: Task) -> Result:
    """Product `shaped`: `values` (rows,) float64, in the column's own units."""
    params = ShapeParams.of(task.params)
    pair = read_pair(params.target, params.column, params.component, task.inputs)
    rows = len(pair.target)
    train_stop = rows if params.train is None else share(rows, params.train)
    values = shaped(pair.target, pair.column, params.options, train_stop=train_stop)
    path = task.out / "shaped.safetensors"
    save_file({"values": values}, path)
    return Result(products={"shaped": path}, summary={"column": params.column})
