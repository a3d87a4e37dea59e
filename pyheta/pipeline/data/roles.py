"""What columns are: which are taken, known ahead, published late, or a category."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pyheta.errors import DataError, nearest
from pyheta.pipeline.data.draft import Draft, Meaning
from pyheta.pipeline.data.files.rawfile import RawTable, quoted
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.options.columns import Columns
from pyheta.pipeline.data.options.missing import Missing
from pyheta.pipeline.data.questions import Answer, Question

MAX_VALUES = 50  # of a category
MAX_LENGTH = 100  # of one of its values


def select(raw: RawTable, times: tuple[str, ...], options: DataOptions) -> RawTable:
    """The columns that the options take, each category as one column of 0 and 1 for each value.

    A column `station` with the values KLO and ZRH is `station=KLO` and `station=ZRH`; where it has
    no value, both are 0. Raises DataError for a column that is not there, or is no category.
    """
    names = raw.frame.columns
    for name in (*options.taken, *options.described):
        if name not in names:
            cure = nearest(name, [column for column in names if column not in times])
            raise DataError(f"no column '{name}'", where=f"{raw.name}: columns", cure=cure)
    if options.taken:
        kept = {*options.taken, *times}
        raw = replace(raw, frame=raw.frame.select(name for name in names if name in kept))
    return _encoded(raw, options)


def _encoded(raw: RawTable, options: Columns) -> RawTable:
    categories = {n for n, column in options.described.items() if column.type == "category"}
    if not categories:
        return raw
    columns: list[pl.Series] = []
    notes: list[str] = []
    for column in raw.frame:
        if column.name in categories:
            texts = _texts(raw, column)
            columns += _by_value(raw, texts)
            notes += _of_no_value(texts)
        else:
            columns.append(column)
    return replace(raw, frame=pl.DataFrame(columns), notes=(*raw.notes, *notes))


def _texts(raw: RawTable, column: pl.Series) -> pl.Series:
    """Null where nothing stands. Raises DataError for what is no category."""
    kinds = (pl.String, pl.Categorical, pl.Enum, pl.Boolean)
    if not (column.dtype in kinds or column.dtype.is_integer()):
        what = f"column '{column.name}' holds {column.dtype}: a category is text or whole numbers"
        raise DataError(what, where=raw.name, cure="leave out its `type: category`")
    texts = column.cast(pl.String).str.strip_chars()
    return texts.set(texts == "", None)


def _by_value(raw: RawTable, texts: pl.Series) -> Iterator[pl.Series]:
    values = texts.drop_nulls().unique().sort().to_list()
    if len(values) > MAX_VALUES:
        what = f"column '{texts.name}' has {len(values):,} values; a category has at most"
        raise DataError(f"{what} {MAX_VALUES}", where=raw.name, cure="leave the column out")
    for value in values:
        if len(value) > MAX_LENGTH:
            what = f"column '{texts.name}': a value of {len(value):,} characters {quoted(value)}"
            raise DataError(what, where=raw.name, cure="leave the column out")
        name = f"{texts.name}={value}"
        if name in raw.frame.columns:
            what = f"a value of '{texts.name}' would be called '{name}', and so is a column"
            raise DataError(what, where=raw.name, cure="rename that column")
        yield (texts == value).fill_null(value=False).cast(pl.Float64).alias(name)


def _of_no_value(texts: pl.Series) -> list[str]:
    without = texts.null_count()
    rows = "one row has" if without == 1 else f"{without:,} rows have"
    return [f"{rows} no value of '{texts.name}': all its columns are 0 there"] if without else []


def without_ended(draft: Draft, options: DataOptions) -> Draft:
    """The draft without columns that are to be known ahead and lack their last values.

    Nobody knows them over the last horizon, so no value that is carried on stands for them.
    """
    missing = options.missing or Missing()
    return draft.without(
        {
            name: _ended(draft, name)
            for name, column in options.described.items()
            if column.role == "known" and missing.of(name).how != "drop" and _ends(draft, name)
        }
    )


def _ends(draft: Draft, name: str) -> bool:
    if name not in draft.columns:
        return False
    column = draft.frame[name]
    return column[-1] is None and column.null_count() < len(column)


def _ended(draft: Draft, name: str) -> DataError:
    last = int(draft.frame[name].is_not_null().arg_true()[-1])
    what = "it is to be known ahead, and from here on it is not"
    moment = draft.moment(last)
    before = Answer({"to": int(moment) if draft.counted else moment}, "to end before that")
    return Question(what, before, where=draft.where(last + 1, name))


def assign(draft: Draft, options: Columns) -> Draft:
    """The draft with what its columns are; one that is published late stands so many rows later.

    Raises DataError for a column that is not there, and a delay beyond the last row.
    """
    groups = {name: _group(draft, name) for name in _categories(options)}
    draft = replace(draft, meaning=replace(draft.meaning, groups=groups))
    for name, column in options.described.items():
        there = (*draft.columns, *draft.left_out, *groups)
        if name not in there:
            cure = nearest(name, draft.columns)
            raise DataError(f"no column '{name}'", where=f"{draft.name}: columns", cure=cure)
        own = [each for each in groups.get(name, (name,)) if each in draft.columns]
        if column.role == "known":
            draft = replace(draft, meaning=_known(draft.meaning, own))
        if column.delay:
            draft = _delayed(draft, own, column.delay)
    return draft


def _categories(options: Columns) -> list[str]:
    return [n for n, column in options.described.items() if column.type == "category"]


def _group(draft: Draft, name: str) -> tuple[str, ...]:
    there = (*draft.columns, *draft.left_out)
    return tuple(each for each in there if each.startswith(f"{name}="))


def _known(meaning: Meaning, columns: list[str]) -> Meaning:
    return replace(
        meaning,
        known=meaning.known.union(columns),
        declared=meaning.declared.union(columns),
    )


def _delayed(draft: Draft, columns: list[str], rows: int) -> Draft:
    """These columns with every value so many rows later."""
    if rows >= draft.frame.height:
        what = f"a delay of {rows:,} rows, and there are {draft.frame.height:,}"
        where = f"{draft.name}: column '{columns[0]}'" if columns else draft.name
        raise DataError(what, where=where, cure="delays are counted in rows of the table")
    late = [draft.frame[name].shift(rows).fill_null(np.nan) for name in columns]
    masks = [draft.meaning.masks[name] for name in columns if name in draft.meaning.masks]
    late += [draft.frame[name].shift(rows).fill_null(1.0) for name in masks]
    meaning = draft.meaning
    return replace(
        draft,
        frame=draft.frame.with_columns(late),
        meaning=replace(
            meaning,
            delayed={**meaning.delayed, **dict.fromkeys(columns, rows)},
            changed={
                name: _moved(where, rows, draft.frame.height) if name in columns else where
                for name, where in meaning.changed.items()
            },
        ),
    )


def _moved(where: NDArray[np.intp], rows: int, height: int) -> NDArray[np.intp]:
    return where[where + rows < height] + rows
