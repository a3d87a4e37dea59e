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

A causal decomposition of a longer column, or of one that was corrected, begins with the rows of an
earlier one as far as the values are the same: they are taken over. The other modes begin anew: each
of their values depends on later rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from pyheta.ops.params import DecomposeParams, needed
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.decomposition.compute import Causal, causal, whole
from pyheta.pipeline.decomposition.methods import component_names
from pyheta.pipeline.seen import Seen
from pyheta.pipeline.splits import PARTS, Split
from pyheta.steps import EARLIER
from pyheta.task import Progress, Result, Task

COLUMN = "column"  # the array of the values that were decomposed


def decompose(task: Task) -> Result:
    """Product `components`: `values`, and `tails` where causal, of each under its name.

    `IMF0/values`: (rows,) float64. `IMF0/tails`: (rows, keep) float32, how far the rows before lay
    from the row's value (see `compute.Causal`). Both are NaN where nothing is known. Where causal,
    `column` (rows,) has the decomposed values, by which a later step sees what it can take over.
    The summary says how many `rows` there are and how many of them were `resumed`.

    Raises StepError for a column without components.
    """
    params = DecomposeParams.of(task.params)
    task.progress({"stage": "the first time on a machine compiles for half a minute"})
    table = Seen.of(params, task.inputs).table().select([params.column])
    values = table.columns[params.column]
    earlier = _earlier(task, values, params)
    arrays = _arrays(values, params, earlier, task.progress)
    path = task.out / "components.safetensors"
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
    resumed = earlier.stop - earlier.first if earlier else 0
    summary = _summary(arrays, params) | {"rows": len(values), "resumed": resumed}
    return Result(products={"components": path}, summary=summary)


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier decomposition, of which the rows `first` … `stop` - 1 hold for the column too."""

    path: Path
    first: int  # the column's first known row
    stop: int

    def read(self, names: Sequence[str]) -> Causal:
        """These components in those rows, which can be large."""
        with safe_open(self.path, framework="numpy") as file:

            def rows(kind: str) -> NDArray[Any]:
                slices = (file.get_slice(f"{name}/{kind}") for name in names)
                return np.stack([part[self.first : self.stop] for part in slices])

            return Causal(rows("values"), rows("tails"))


def _earlier(task: Task, values: Floats, params: DecomposeParams) -> Earlier | None:
    """A step of the same course, if it has decomposed windows of the same values."""
    if not (products := task.inputs.get(EARLIER)):
        return None
    with safe_open(path := products["components"], framework="numpy") as file:
        stop = _common_rows(file.get_tensor(COLUMN), values)
    first = Channel(values).first
    return Earlier(path, first, stop) if stop >= first + params.options["window"] else None


def _common_rows(one: Floats, other: Floats) -> int:
    """How many rows two series (rows,) have in common from their beginnings on, bit for bit."""
    rows = min(len(one), len(other))
    one, other = one[:rows], other[:rows]
    same = (one.view(np.int64) == other.view(np.int64)) | (np.isnan(one) & np.isnan(other))
    return rows if same.all() else int(same.argmin())


def _arrays(
    values: Floats, params: DecomposeParams, earlier: Earlier | None, progress: Progress
) -> dict[str, NDArray[Any]]:
    first = Channel(values).first
    series = values[first:]
    match params.mode:
        case "causal":
            arrays = {COLUMN: series} | _causal_arrays(series, params, earlier, progress)
        case "full":
            arrays = _whole_arrays(series, [(0, len(series))], params, progress)
        case "parts":
            split = Split.of(needed(params.split, "split"))
            borders = np.array([split.targets(part) for part in PARTS]) - first
            arrays = _whole_arrays(series, borders.clip(0).tolist(), params, progress)
        case _:
            assert_never(params.mode)
    return {name: _padded(array, first) for name, array in arrays.items()}


def _padded(array: NDArray[Any], rows: int) -> NDArray[Any]:
    """So many unknown rows before the others."""
    if not rows:
        return array  # tails can be large
    return np.pad(array, [(rows, 0), *[(0, 0)] * (array.ndim - 1)], constant_values=np.nan)


def _causal_arrays(
    values: Floats, params: DecomposeParams, earlier: Earlier | None, progress: Progress
) -> dict[str, NDArray[Any]]:
    names = component_names(params.options)
    seen = causal(
        values,
        params.options,
        keep=needed(params.keep, "keep"),
        progress=progress,
        known=earlier.read(names) if earlier else None,
    )
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
