"""The names of a file's columns, and what is done about columns that have none.

A column without a name that counts the rows, or has no cell, says nothing and is left out, with a
note. The first column may be the index that a program wrote without a name: it is called `index`.
"""

import re
from collections.abc import Sequence

import polars as pl

from pyheta.errors import DataError

INDEX = "index"
NUL = "\x00"  # no name has it, so what stands for a name may
BY_PANDAS = re.compile(r"Unnamed: \d+(?:\.\d+)*|__index_level_\d+__")
STORED_INDEX = "__index_level_0__"


def tidied(names: Sequence[str], where: str) -> list[str]:
    """The names without space around, each once; NUL and a number where there is none."""
    tidy = [" ".join(name.split()) if "\n" in name else name.strip() for name in names]
    seen: dict[str, int] = {}
    for position, name in enumerate(tidy, start=1):
        if NUL in name:
            raise DataError(f"a NUL in the name of column {position}", where=where)
        if name.startswith("^") and name.endswith("$"):  # what Polars takes for a pattern
            what = f"the name of column {position}, '{name}', reads as a regular expression"
            raise DataError(what, where=where, cure="rename it")
        if name and seen.setdefault(name, position) < position:
            what = f"duplicate column '{name}' ({seen[name]} and {position})"
            raise DataError(what, where=where, cure="rename or remove one of them")
    return [name or f"{NUL}{position}" for position, name in enumerate(tidy)]


def without_nameless(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The columns that have a name or get one, and what is said of the others. Raises DataError."""
    notes: list[str] = []
    for position, name in enumerate(frame.columns):
        nameless = name.startswith(NUL)
        if not nameless and not BY_PANDAS.fullmatch(name):
            continue
        called = f"column {position + 1} has no name and" if nameless else f"column '{name}'"
        if reason := _says_nothing(frame[name], may_count=position == 0 or not nameless):
            frame = frame.drop(name)
            notes.append(f"{called} {reason}: it is left out")
        elif (nameless and position == 0) or name == STORED_INDEX:
            index = INDEX if INDEX not in frame.columns else f"{INDEX} (without a name)"
            frame = frame.rename({name: index})
            notes.append(f"{called} is called '{index}' here")
        elif nameless:
            raise DataError(f"column {position + 1} has no name", where=where, cure="name it")
    if not frame.width:
        raise DataError("no column has a name", where=where, cure="name them")
    return frame, tuple(notes)


def _says_nothing(column: pl.Series, *, may_count: bool) -> str:
    if column.is_empty():
        return ""
    if _is_empty(column):
        return "is empty"
    return "counts the rows" if may_count and _counts(column) else ""


def _is_empty(column: pl.Series) -> bool:
    if column.dtype != pl.String:
        return column.null_count() == len(column)
    return bool((column.fill_null("").str.strip_chars() == "").all())


def _counts(column: pl.Series) -> bool:
    """Whether it holds 0, 1, 2, … or 1, 2, 3, …"""
    if column.has_nulls() or not (column.dtype == pl.String or column.dtype.is_numeric()):
        return False
    numbers = column.cast(pl.Float64, strict=False)
    expected = pl.int_range(len(column), eager=True).cast(pl.Float64)
    return numbers[0] in {0, 1} and bool((numbers - numbers[0] == expected).all())
