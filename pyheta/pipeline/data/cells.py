"""All columns of a file as numbers. A column without numbers is left out, with the reason."""

import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.draft import ROW, TIME, Draft
from pyheta.pipeline.data.files.rawfile import RawTable
from pyheta.pipeline.data.numbers import Numbers, numbers, quick_numbers
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.options.missing import Missing
from pyheta.pipeline.data.questions import Answer, Question
from pyheta.pipeline.data.times.axis import TimeAxis


def read_cells(raw: RawTable, axis: TimeAxis, options: DataOptions) -> Draft:
    """The draft of all columns but those of the times."""
    found: list[Numbers] = []
    left_out: dict[str, DataError] = {}
    names = [name for name in raw.frame.columns if name not in axis.columns]
    quick = quick_numbers(raw, names)
    for name in names:
        try:
            _refuse_second_time(raw, name, axis)
            found.append(numbers(raw, name, quick.get(name), options.missing or Missing()))
        except DataError as error:
            left_out[name] = error
    columns = [column.values for column in found]
    notes = [note for column in found for note in column.notes]
    return Draft(
        name=raw.name,
        frame=pl.DataFrame([axis.values.alias(TIME), raw.rows.alias(ROW), *columns]),
        times=", ".join(axis.columns),
        counted=axis.counted,
        left_out=left_out,
        notes=[*raw.notes, *axis.notes, *notes],
    )


def _refuse_second_time(raw: RawTable, name: str, axis: TimeAxis) -> None:
    if name == TIME:
        what = f"both '{', '.join(axis.columns) or 'the count of rows'}' and 'time' are columns"
        case = "(or rename it: that is what a table's time column is called)"
        raise Question(what, Answer({"time": TIME}, case), where=raw.name)
