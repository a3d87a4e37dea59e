"""The numbers of a file's columns. A column without numbers is left out, with the reason."""

import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.draft import ROW, TIME, Draft
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.rawfile import RawTable, first, quoted, reads_as_number
from pyheta.pipeline.data.times import TimeAxis

MISSING = ["", "-", "na", "n/a", "nan", "null", "none"]


def read_cells(raw: RawTable, axis: TimeAxis, options: DataOptions) -> Draft:
    """The draft of all columns but those of the times."""
    del options
    columns: list[pl.Series] = []
    left_out: dict[str, DataError] = {}
    for name in raw.frame.columns:
        if name in axis.columns:
            continue
        try:
            columns.append(_numbers(raw, name))
        except DataError as error:
            left_out[name] = error
    frame = pl.DataFrame([axis.values.alias(TIME), raw.rows.alias(ROW), *columns])
    return Draft(
        name=raw.name,
        frame=frame,
        times=", ".join(axis.columns),
        counted=axis.counted,
        left_out=left_out,
        notes=[*raw.notes, *axis.notes],
    )


def _numbers(raw: RawTable, name: str) -> pl.Series:
    """Float64, null where a value is missing."""
    column = raw.frame[name]
    if column.dtype == pl.String:
        values = _numbers_of_text(raw, name)
    elif column.dtype.is_numeric():
        values = column.cast(pl.Float64).fill_nan(None)
    else:
        what = f"column '{name}' holds {column.dtype}, not numbers"
        raise DataError(what, where=raw.name, cure="convert or remove it")
    if not (finite := values.is_finite().fill_null(value=True)).all():
        index = first(~finite)
        where = raw.where(index=index, column=name)
        raise DataError(f"not finite: {quoted(column[index])}", where=where, cure="mend the value")
    return values


def _numbers_of_text(raw: RawTable, name: str) -> pl.Series:
    """A text that is neither a number nor missing is refused."""
    text = raw.frame[name].str.strip_chars()
    missing = text.is_null() | text.str.to_lowercase().is_in(MISSING).fill_null(value=False)
    values = text.cast(pl.Float64, strict=False)
    wrong = values.is_null() & ~missing
    if wrong.any():
        index = first(wrong)
        where = raw.where(index=index, column=name)
        what = f"not a number {quoted(text[index])}"
        raise DataError(what, where=where, cure=_number_cure(text[index]))
    return values.set(missing, None)


def _number_cure(text: str) -> str:
    if reads_as_number(text.replace(",", ".")):
        return "write the decimal comma as a point"
    if reads_as_number("".join(c for c in text if c not in " ',\u2019\u00a0\u202f")):
        return "write it without thousands separators"
    return "mend the value, or remove the column if it holds no numbers"
