"""All columns of a file as numbers. A column without numbers is left out, with the reason."""

from collections.abc import Iterator, Mapping

import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.cures import write
from pyheta.pipeline.data.draft import ROW, TIME, Draft
from pyheta.pipeline.data.files.rawfile import RawTable
from pyheta.pipeline.data.numbers import Numbers, kinds_of, numbers, quick_numbers
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.options.missing import Missing
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
        notes=[*raw.notes, *axis.notes, *notes, *_left_out(left_out)],
    )


def _refuse_second_time(raw: RawTable, name: str, axis: TimeAxis) -> None:
    if name == TIME:
        what = f"both '{', '.join(axis.columns) or 'the count of rows'}' and 'time' are columns"
        cure = f"{write(time=TIME)} (or rename it: that is what a table's time column is called)"
        raise DataError(what, where=raw.name, cure=cure)


def _left_out(columns: Mapping[str, DataError]) -> Iterator[str]:
    if kinds := kinds_of(columns):
        yield "left out: " + ", ".join(f"{name} ({kind})" for name, kind in kinds.items())
