"""The `load` step: a raw file, or the generator, into one typed and regular table."""

import polars as pl

from pyheta.ops.params import LoadParams
from pyheta.pipeline.data.checks import step_microseconds
from pyheta.pipeline.data.sources import table
from pyheta.task import Result, Task


def load(task: Task) -> Result:
    """Product `table`: Parquet with `time` (Datetime, µs) and Float64 columns in the file's order.

    inputs["raw"]["raw"] is the file, absent for synthetic data. Raises DataError.
    """
    source = LoadParams.of(task.params).as_params()
    frame = table(source, task.inputs.get("raw", {}).get("raw"))
    path = task.out / "table.parquet"
    frame.write_parquet(path)
    return Result(products={"table": path}, summary=_summary(frame))


def _summary(frame: pl.DataFrame) -> dict[str, object]:
    values = frame.drop("time")
    return {
        "rows": frame.height,
        "columns": values.columns,
        "constant": [column.name for column in values if column.min() == column.max()],
        "first": frame["time"][0].isoformat(),
        "last": frame["time"][-1].isoformat(),
        "step_seconds": step_microseconds(frame) / 1e6,
    }
