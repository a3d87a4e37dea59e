"""The `shape` step: an exogenous column, or a component of it, times its local relevance."""

from safetensors.numpy import save_file

from pyheta.ops.params import ShapeParams
from pyheta.pipeline.relevance.pairs import read_pair
from pyheta.pipeline.relevance.shaping import shaped
from pyheta.pipeline.seen import Seen
from pyheta.task import Result, Task


def shape(task: Task) -> Result:
    """Product `shaped`: `values` (rows,) float64, in the column's own units."""
    params = ShapeParams.of(task.params)
    seen = Seen.of(params, task.inputs)
    pair = read_pair(params.target, params.column, params.component, seen)
    training = (0, params.rows) if params.train is None else (params.train[0], params.train[1])
    values = shaped(pair.target, pair.column, params.options, training=training)
    path = task.out / "shaped.safetensors"
    save_file({"values": values}, path)
    return Result(products={"shaped": path}, summary={"column": params.column})
