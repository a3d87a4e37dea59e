"""The `decompose` step: one column into its components.

What a net sees depends on the mode:

causal  At row t the rows t - window + 1 … t are decomposed. The net's inputs are the last values of
        that decomposition, and what it has to forecast of component k at row t + h is the last
        value of k in the decomposition that ends there. So the components' targets add up to the
        series exactly, and nothing after row t reaches an input of row t.
full    The whole series is decomposed once, test part included: every value of a component depends
        on rows after it. Published numbers are often made this way; practice cannot reach them.
parts   Training, validation and test are decomposed apart. Values still depend on later rows of
        their part.

A column that is not known from its first row on is decomposed from the first known one on.
"""

from collections.abc import Iterable, Mapping
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from pyheta.ops.params import DecomposeParams, needed
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.decomposition.compute import causal, whole
from pyheta.pipeline.decomposition.methods import component_names
from pyheta.pipeline.seen import Seen
from pyheta.pipeline.splits import PARTS, Split
from pyheta.task import Progress, Result, Task


def decompose(task: Task) -> Result:
    """Product `components`: `values`, and `tails` where causal, of each under its name.

    `IMF0/values`: (rows,) float64. `IMF0/tails`: (rows, keep) float32, how far the rows before lay
    from the row's value (see `compute.Causal`). Both are NaN where nothing is known. Raises
    StepError for a column without components.
    """
    params = DecomposeParams.of(task.params)
    task.progress({"stage": "the first time on a machine compiles for half a minute"})
    table = Seen.of(params, task.inputs).table().select([params.column])
    values = table.columns[params.column]
    arrays = _arrays(values, params, task.progress)
    path = task.out / "components.safetensors"
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
    return Result(products={"components": path}, summary=_summary(arrays, params))


def _arrays(values: Floats, params: DecomposeParams, progress: Progress) -> dict[str, NDArray[Any]]:
    first = Channel(values).first
    known = values[first:]
    match params.mode:
        case "causal":
            arrays = _causal_arrays(known, params, progress)
        case "full":
            arrays = _whole_arrays(known, [(0, len(known))], params, progress)
        case "parts":
            split = Split.of(needed(params.split, "split"))
            borders = np.array([split.targets(part) for part in PARTS]) - first
            arrays = _whole_arrays(known, borders.clip(0).tolist(), params, progress)
        case _:
            assert_never(params.mode)
    return {name: _padded(array, first) for name, array in arrays.items()}


def _padded(array: NDArray[Any], rows: int) -> NDArray[Any]:
    """So many unknown rows before the others."""
    if not rows:
        return array  # tails can be large
    return np.pad(array, [(rows, 0), *[(0, 0)] * (array.ndim - 1)], constant_values=np.nan)


def _causal_arrays(
    values: Floats, params: DecomposeParams, progress: Progress
) -> dict[str, NDArray[Any]]:
    keep = needed(params.keep, "keep")
    seen = causal(values, params.options, keep=keep, progress=progress)
    names = component_names(params.options)
    tails = {f"{name}/tails": seen.tails[k] for k, name in enumerate(names)}
    return {f"{name}/values": seen.values[k] for k, name in enumerate(names)} | tails


def _whole_arrays(
    values: Floats, spans: Iterable[tuple[int, int]], params: DecomposeParams, progress: Progress
) -> dict[str, NDArray[Any]]:
    """The components of the stretches that are decomposed apart, one after the other."""
    names = component_names(params.options)
    rows = np.full((len(names), len(values)), np.nan)
    for start, stop in spans:
        rows[:, start:stop] = whole(values[start:stop], params.options, progress)
    return {f"{name}/values": row for name, row in zip(names, rows, strict=True)}


def _summary(arrays: Mapping[str, NDArray[Any]], params: DecomposeParams) -> dict[str, Any]:
    """How much each component moves: its standard deviation, in the column's units."""
    names = component_names(params.options)
    spread = {name: float(np.nanstd(arrays[f"{name}/values"])) for name in names}
    return {"column": params.column, "spread": spread}
