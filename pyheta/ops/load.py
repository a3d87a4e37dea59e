"""The `load` step: a raw file, or the generator, into one typed and regular table."""

from pyheta.ops.params import LoadParams
from pyheta.pipeline.data.draft import TIME
from pyheta.pipeline.data.read import Reading
from pyheta.pipeline.data.sources import table
from pyheta.task import Result, Task


def load(task: Task) -> Result:
    """Product `table`: Parquet with `time` (Datetime, µs) and Float64 columns in the file's order.

    inputs["raw"]["raw"] is the file, absent for synthetic data. Raises DataError.
    """
    source = LoadParams.of(task.params).as_params()
    reading = table(source, task.inputs.get("raw", {}).get("raw"))
    path = task.out / "table.parquet"
    reading.frame.write_parquet(path)
    return Result(products={"table": path}, summary=_summary(reading))


def _summary(reading: Reading) -> dict[str, object]:
    frame = reading.frame
    values = frame.drop(TIME)
    return {
        "rows": frame.height,
        "columns": values.columns,
        "constant": [column.name for column in values if column.min() == column.max()],
        "first": frame[TIME][0].isoformat(),
        "last": frame[TIME][-1].isoformat(),
        "step_seconds": reading.cadence.seconds,
    }
