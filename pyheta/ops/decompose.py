"""The `decompose` step: one column into its components, as seen from every row or from the end.

What a net can see then:

causal  At row t the rows t - window + 1 … t are decomposed. The net's inputs are the last values of
        that decomposition, and what it has to forecast of component k at row t + h is the last
        value of k in the decomposition that ends there. So the components' targets add up to the
        series exactly, and nothing after row t reaches an input of row t.
full    The whole series is decomposed once, test part included: every value of a component depends
        on rows after it. Published numbers are often made this way; they cannot be had in practice.
parts   Training, validation and test are decomposed apart. Values still depend on later rows of
        their part.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from pyheta.arrays import Floats
from pyheta.pipeline.data.table import read_table
from pyheta.pipeline.decomposition.compute import causal, whole
from pyheta.pipeline.decomposition.methods import component_names
from pyheta.pipeline.splits import Part, Split
from pyheta.task import Progress, Result, Task

PARTS: tuple[Part, ...] = ("train", "val", "test")


def decompose(task: Task) -> Result:
    """Product `components`: for each, `IMF0/values` (rows,) float64 and, where causal, `IMF0/tails`
    (rows, keep) float32, how far the rows before lay from the row's value (see `compute.Causal`).

    params: column, the options of a `decompose` section; `keep`, how many rows of a window are kept
    as its tail (causal), and `split` (parts). Raises StepError for a column that has no components.
    """
    params = task.params
    column = params["column"]
    task.progress({"stage": "the first time on a machine compiles for half a minute"})
    values = read_table(task.inputs["load"]["table"]).select([column]).columns[column]
    arrays = _arrays(values, params, task.progress)
    path = task.out / "components.safetensors"
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
    return Result(products={"components": path}, summary=_summary(arrays, params))


def _arrays(
    values: Floats, params: Mapping[str, Any], progress: Progress
) -> dict[str, NDArray[Any]]:
    names = component_names(params)
    if params["mode"] == "causal":
        found = causal(values, params, keep=params["keep"], progress=progress)
        tails = {f"{name}/tails": found.tails[k] for k, name in enumerate(names)}
        return {f"{name}/values": found.values[k] for k, name in enumerate(names)} | tails
    spans = _spans(len(values), params)
    rows = np.concatenate([whole(values[a:b], params, progress) for a, b in spans], axis=1)
    return {f"{name}/values": row for name, row in zip(names, rows, strict=True)}


def _spans(rows: int, params: Mapping[str, Any]) -> list[tuple[int, int]]:
    """The stretches that are decomposed apart."""
    if params["mode"] == "full":
        return [(0, rows)]
    split = Split.of(params["split"], rows)
    return [split.targets(part) for part in PARTS]


def _summary(arrays: Mapping[str, NDArray[Any]], params: Mapping[str, Any]) -> dict[str, Any]:
    """How much each component moves: its standard deviation, in the column's units."""
    names = component_names(params)
    spread = {name: float(np.nanstd(arrays[f"{name}/values"])) for name in names}
    return {"column": params["column"], "spread": spread}
