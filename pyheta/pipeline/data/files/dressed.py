"""Numbers as people show them: with a unit or a sign of money, or below zero in brackets.

A column is undressed where all its numbers wear the same. What it was is told. `A12` and `12A` are
labels, no numbers: money alone stands before a number, and letters follow a space or a fraction.
"""

import re

import polars as pl

from pyheta.pipeline.data.files.looks import is_data, is_unit
from pyheta.pipeline.data.files.numerals import GAPS, LOOKED_AT

MINUS = "\u2212"  # of typesetters
NUMBER = rf"\d[\d.,{GAPS}]*(?:[eE][-+]?\d+)?"
SIGN = rf"[-+{MINUS}]?"
MONEY = re.compile(
    r"[A-Z]{0,3}[$\u20ac\u00a3\u00a5\u20b9\u20bd]|kr\.?|z\u0142|fr\.?", re.IGNORECASE
)
WEARING = re.compile(
    rf"{SIGN}\(?\s*(?P<before>[^-+\d\s.,(){MINUS}]{{1,4}})?\s*{SIGN}(?P<number>{NUMBER})"
    r"(?P<after>[^-+\d\s.,()][^-+\d,()]{0,11})?\)?"
)
#: What is written below zero, and how else.
BELOW_ZERO = (
    (rf"^\s*\(\s*({NUMBER})\s*\)\s*$", "-$1"),
    (rf"^\s*({NUMBER})\s*[-{MINUS}]\s*$", "-$1"),
    (rf"^\s*{MINUS}\s*({NUMBER})\s*$", "-$1"),
)


def undressed(frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The same with plain numbers, and a sentence for each unit."""
    notes: list[str] = []
    columns: list[pl.Series] = []
    for column in frame:
        unit = _unit(column)
        bare = _signed(_without(unit, column) if unit else column)
        is_bare = bare is not column and _all_numbers(bare)
        columns.append(bare if is_bare else column)
        notes += [f"numbers in '{column.name}' are in {unit}"] if unit and is_bare else []
    return (pl.DataFrame(columns), tuple(notes)) if frame.width else (frame, ())


def _telling(column: pl.Series) -> pl.Series:
    """Cells from the top that may be numbers."""
    return column.head(LOOKED_AT).filter(column.head(LOOKED_AT).str.contains(r"\d"))


def _unit(column: pl.Series) -> str:
    """What the first number of a column of texts wears; empty if it is nothing."""
    cell = next(iter(_telling(column)), "").strip() if column.dtype == pl.String else ""
    if not (match := WEARING.fullmatch(cell)):
        return ""
    before, number, after = (match[part] or "" for part in ("before", "number", "after"))
    if before and not after:
        return before.strip() if MONEY.fullmatch(before.strip()) else ""
    is_apart = not after[:1].isalpha() or not number[-1].isdigit() or "." in number or "," in number
    is_time = is_data(cell) and after != "%"
    known = is_unit(after) or MONEY.fullmatch(after)
    return after if known and is_apart and not (before or is_time) else ""


def _without(unit: str, column: pl.Series) -> pl.Series:
    worn = re.escape(unit)
    before = rf"^(\s*\(?{SIGN})\s*{worn}\s*({SIGN}{NUMBER}\)?)\s*$"
    after = rf"^(\s*\(?{SIGN}{NUMBER})\s*{worn}\s*(\)?)\s*$"
    return column.str.replace(before, "$1$2").str.replace(after, "$1$2")


def _signed(column: pl.Series) -> pl.Series:
    """With a minus before what is below zero."""
    if column.dtype != pl.String:
        return column
    below = _telling(column).str.contains("|".join(form for form, _ in BELOW_ZERO))
    if not below.any() or below.all():  # brackets around all are something else
        return column
    for form, plain in BELOW_ZERO:
        column = column.str.replace(form, plain)
    return column


def _all_numbers(column: pl.Series) -> bool:
    """Whether all cells are so that have a digit: one with another unit is none."""
    cells = column.filter(column.str.contains(r"\d"))
    return bool(cells.str.contains(rf"^\s*[-+]?{NUMBER}\s*$").all())
