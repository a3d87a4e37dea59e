"""Files that hold several series: how they are known, and one of them taken."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import polars as pl

from pyheta.errors import DataError, nearest
from pyheta.pipeline.data.files.rawfile import RawTable
from pyheta.pipeline.data.numbers import MISSING
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.questions import Answer, Question
from pyheta.pipeline.data.times.axis import TimeAxis

#: Between the parts of a series that is told apart by several columns.
JOINT = " / "

#: A file is a panel where so large a share of its times stands there before, and a column tells its
#: series apart if hardly any does in one of them, and they have so large a share of all times.
OFTEN, HARDLY, FULL = 0.1, 0.01, 0.25

#: So many columns may tell series apart together, of so many that are tried.
TOGETHER, TRIED = 3, 8

#: So many series are named in a message.
NAMED = 8


def series_of(raw: RawTable, options: DataOptions) -> list[str]:
    """The series of a panel, in the order of the file, as `pick` names them. Raises DataError."""
    return list(_names(raw, options.series).drop_nulls().unique(maintain_order=True))


def pick_series(raw: RawTable, options: DataOptions) -> RawTable:
    """The rows of one series, without the columns that tell it apart; all rows of another file."""
    if not options.series:
        if options.pick is not None:
            cure = "name the column that tells the series apart with `series:`"
            raise DataError("`pick` is of a panel's series", where=raw.name, cure=cure)
        return raw
    names = _names(raw, options.series)
    rows = names.eq_missing(pl.Series([options.pick]))
    if options.pick is None or not rows.any():
        raise _unpicked(raw, options)
    note = f"one of {names.drop_nulls().n_unique():,} series: {options.pick}"
    frame = raw.frame.filter(rows).drop(options.series)
    return replace(raw, frame=frame, rows=raw.rows.filter(rows), notes=(*raw.notes, note))


def _unpicked(raw: RawTable, options: DataOptions) -> DataError:
    series = series_of(raw, options)
    where = raw.where(column=", ".join(options.series))
    if options.pick is not None:
        what = f"no series '{options.pick}' in a panel of {len(series):,}"
        return DataError(what, where=where, cure=nearest(options.pick, series))
    if not series:
        return DataError("a panel without the name of a series", where=where)
    what = f"a panel of {len(series):,} series, and none is picked: {_some(series)}"
    return Question(what, _to_pick(options.series, series[0]), where=where)


def _to_pick(columns: Sequence[str], series: str) -> Answer:
    told_apart_by = columns[0] if len(columns) == 1 else list(columns)
    return Answer({"series": told_apart_by, "pick": series}, "(or another of them)")


def _some(series: Sequence[str]) -> str:
    return ", ".join(series[:NAMED]) + (", …" if len(series) > NAMED else "")


def _names(raw: RawTable, columns: Sequence[str]) -> pl.Series:
    """The series of each row (rows,): null where a column says nothing. Raises DataError."""
    for column in columns:
        if column not in raw.frame.columns:
            cure = nearest(column, raw.frame.columns)
            raise DataError(f"no column '{column}'", where=raw.name, cure=cure)
    parts = [_label(raw.frame[column]) for column in columns]
    return pl.select(pl.concat_str(parts, separator=JOINT)).to_series()


def _label(column: pl.Series) -> pl.Series:
    """As texts; 1.0 is the series 1."""
    if column.dtype.is_float() and (column == column.floor()).all():
        column = column.cast(pl.Int64)
    return column.cast(pl.String).str.strip_chars()


def refuse_panel(raw: RawTable, axis: TimeAxis, options: DataOptions) -> None:
    """Raises DataError where the times start again in another series, with the way to take one."""
    if options.duplicates or _grow(axis.values):
        return
    columns = _telling_apart(raw, axis)
    if not columns:
        return
    names = list(_names(raw, columns).drop_nulls().unique(maintain_order=True))
    told = " and ".join(f"'{column}'" for column in columns)
    what = f"a panel of {len(names):,} series, told apart by {told}: {_some(names)}"
    pick = JOINT.join([*filter(None, [options.pick]), names[0]])
    raise Question(what, _to_pick([*options.series, *columns], pick), where=raw.name)


def _grow(times: pl.Series) -> bool:
    return bool((np.diff(times.to_physical().to_numpy()) > 0).all())


def _telling_apart(raw: RawTable, axis: TimeAxis) -> tuple[str, ...]:
    """The fewest columns in each of whose series times stand once; labels before numbers."""
    labels, whole = _labels(raw, axis)
    times = axis.values.alias("\x00time")
    interleaved = len(times) - times.n_unique() >= OFTEN * len(times)
    for columns in (labels, [*labels, *whole]):
        frame = raw.frame.select(columns)
        found = _keys(frame, times) if interleaved else _blocks(frame, times)
        if key := next(found, ()):
            return key
    return ()


def _keys(frame: pl.DataFrame, times: pl.Series) -> Iterator[tuple[str, ...]]:
    """Columns that tell series apart: fewest columns first, then fewest series."""
    for size in range(1, min(TOGETHER, frame.width) + 1):
        counted = {c: frame.select(c).n_unique() for c in combinations(frame.columns[:TRIED], size)}
        for columns in sorted(counted, key=counted.__getitem__):
            if _is_key(frame.select(columns), counted[columns], times):
                yield columns


def _is_key(frame: pl.DataFrame, series: int, times: pl.Series) -> bool:
    rows = len(times)
    full = rows / series >= FULL * times.n_unique()
    return full and rows - frame.with_columns(times).n_unique() <= HARDLY * rows


def _blocks(frame: pl.DataFrame, times: pl.Series) -> Iterator[tuple[str, ...]]:
    yield from ((column.name,) for column in frame if _in_blocks(column, times))


def _in_blocks(column: pl.Series, times: pl.Series) -> bool:
    """Whether each series stands in one piece, and times go back only where one begins."""
    changes = column.ne_missing(column.shift(1))[1:].to_numpy()
    back = np.diff(times.to_physical().to_numpy()) <= 0
    one_piece = int(changes.sum()) + 1 == column.n_unique()
    return one_piece and not (back & ~changes).any()


def _labels(raw: RawTable, axis: TimeAxis) -> tuple[list[str], list[str]]:
    """Columns of few texts, and those of few whole numbers."""
    labels, whole = [], []
    for name in raw.frame.columns:
        distinct = raw.frame[name].unique()
        if name in axis.columns or not 2 <= len(distinct) <= raw.frame.height / 2:  # noqa: PLR2004
            continue
        if _is_label(distinct):
            labels.append(name)
        elif _is_whole(distinct):
            whole.append(name)
    return labels, whole


def _is_label(distinct: pl.Series) -> bool:
    if distinct.dtype in (pl.Categorical, pl.Enum, pl.Boolean):
        return True
    return distinct.dtype == pl.String and not _missing_or(distinct, pl.Float64)


def _is_whole(distinct: pl.Series) -> bool:
    if distinct.dtype == pl.String:
        return _missing_or(distinct, pl.Int64)
    if distinct.dtype.is_float():
        return bool((distinct == distinct.floor()).all())
    return distinct.dtype.is_integer()


def _missing_or(distinct: pl.Series, dtype: type[pl.DataType]) -> bool:
    """Whether all texts are numbers of a type, but for those that stand for no value."""
    text = distinct.drop_nulls().str.strip_chars()
    numbers = text.cast(dtype, strict=False)
    return bool((numbers.is_not_null() | text.str.to_lowercase().is_in(MISSING)).all())
