"""How numbers are written in the texts of a file: with which decimal sign, in groups or not.

One file has one way. A cell such as `1.234,5` or `1'234` proves one; `1,234` alone proves none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.files.rawtable import first, quoted
from pyheta.pipeline.data.questions import Answer, Question

EXPONENT = r"(?:[eE][-+]?\d+)?"
UNCLEAR = r"^\s*[-+]?[1-9]\d{0,2},\d{3}\s*$"
GAPS = r" '\u2019\u00a0\u2009\u202f"  # between thousands, whatever the decimal sign
LOOKED_AT = 1000  # cells that tell whether a column has numbers


class Decimal(StrEnum):
    POINT = "."
    COMMA = ","

    @property
    def other(self) -> str:
        return "," if self is Decimal.POINT else "."


@dataclass(frozen=True, slots=True)
class Style:
    """What has to be taken out of numbers before they read as such."""

    decimal: Decimal
    grouped: bool  # there are separators between thousands


def find_style(
    frame: pl.DataFrame,
    samples: Sequence[Sequence[str]],
    separator: str,
    wanted: str | None,
    place: str,
) -> Style:
    """`samples` are some cells of each column that is no text in `frame`.

    Raises DataError where a comma may be either sign.
    """
    columns = [column for column in frame if _has_numbers(column)]
    decimal = Decimal(wanted) if wanted else _decimal(columns, samples, separator, place)
    telling = [_first_cells(c) if decimal is Decimal.COMMA else _odd_cells(c) for c in columns]
    grouped = any(cells.str.contains(_grouped(decimal)).any() for cells in telling)
    return Style(decimal, grouped)


def rewritten(frame: pl.DataFrame, style: Style) -> pl.DataFrame:
    """The same with a decimal point, and without separators, in all cells that are numbers."""
    if style == Style(Decimal.POINT, grouped=False):
        return frame
    columns = [column for column in frame if _has_numbers(column)]
    return frame.with_columns(_rewritten(column, style.decimal) for column in columns)


def _has_numbers(column: pl.Series) -> bool:
    """Whether it has texts, and some of the first look like numbers, however they are written."""
    if column.dtype != pl.String:
        return False
    return bool(_first_cells(column).str.contains(rf"^[-+\d.,{GAPS}eE]*\d[\d.,{GAPS}eE+-]*$").any())


def _first_cells(column: pl.Series) -> pl.Series:
    return column.drop_nulls().head(LOOKED_AT)


def _odd_cells(column: pl.Series) -> pl.Series:
    """Those that do not read as numbers as they stand."""
    return column.filter(column.cast(pl.Float64, strict=False).is_null()).drop_nulls()


def _decimal(
    columns: Sequence[pl.Series], samples: Sequence[Sequence[str]], separator: str, place: str
) -> Decimal:
    telling = [_first_cells(column) for column in columns]
    proofs = {sign: _proofs(sign, telling, samples) for sign in Decimal}
    if proofs[Decimal.POINT] == proofs[Decimal.COMMA]:
        telling = [_odd_cells(column) for column in columns]
        proofs = {sign: _proofs(sign, telling, samples) for sign in Decimal}
    if proofs[Decimal.POINT] != proofs[Decimal.COMMA]:
        return max(Decimal, key=lambda sign: proofs[sign])
    unclear = [cells for cells in telling if cells.str.contains(UNCLEAR).any()]
    if not unclear or separator == ",":
        return Decimal.POINT
    if separator == ";":
        return Decimal.COMMA
    raise _ask(unclear[0], place)


def _proofs(sign: Decimal, telling: Sequence[pl.Series], samples: Sequence[Sequence[str]]) -> int:
    """How many columns can be read with this sign alone."""
    proof = _proof(sign)
    in_texts = sum(bool(cells.str.contains(proof).any()) for cells in telling)
    return in_texts + sum(any(re.match(proof, cell) for cell in cells) for cells in samples)


def _ask(cells: pl.Series, place: str) -> DataError:
    cell = cells[first(cells.str.contains(UNCLEAR))].strip()
    what = f"{quoted(cell)} in column '{cells.name}' may be a fraction or thousands"
    fraction = Answer({"decimal": ","}, "for a fraction")
    thousands = Answer({"decimal": "."}, "for thousands")
    return Question(what, fraction, thousands, where=place)


def _any_number(decimal: Decimal) -> str:
    sign, other = re.escape(decimal), re.escape(decimal.other)
    whole = rf"(?:\d{{1,3}}(?:[{other}{GAPS}]\d{{3}})+|\d*)"
    return rf"^\s*[-+]?{whole}(?:{sign}\d*)?{EXPONENT}\s*$"


def _grouped(decimal: Decimal) -> str:
    sign, other = re.escape(decimal), re.escape(decimal.other)
    return rf"^\s*[-+]?\d{{1,3}}(?:[{other}{GAPS}]\d{{3}})+(?:{sign}\d*)?\s*$"


def _proof(decimal: Decimal) -> str:
    """A number that has one meaning, whatever the others are."""
    sign, other = re.escape(decimal), re.escape(decimal.other)
    grouped = rf"\d{{1,3}}(?:[{other}{GAPS}]\d{{3}})+{sign}\d*|\d{{1,3}}(?:{other}\d{{3}}){{2,}}"
    fraction = rf"(?:0|\d{{4,}})?{sign}\d+|\d*{sign}(?:\d{{1,2}}|\d{{4,}})"
    return rf"^\s*[-+]?(?:{grouped}|{fraction}){EXPONENT}\s*$"


def _rewritten(column: pl.Series, decimal: Decimal) -> pl.Series:
    """Those cells that need no more than a point are many; a column of them alone is Float64."""
    if not column.str.contains(rf"[.,{GAPS}]").any():
        return column
    by_comma = decimal is Decimal.COMMA
    plain = column.str.replace(",", ".", literal=True) if by_comma else column
    numbers = plain.cast(pl.Float64, strict=False)
    reads = numbers.is_not_null()
    if by_comma:
        reads &= ~column.str.contains(".", literal=True).fill_null(value=False)
    if by_comma and reads.all():
        return numbers
    others = (~reads).arg_true()
    return plain.scatter(others, _ungrouped(column.gather(others), decimal))


def _ungrouped(cells: pl.Series, decimal: Decimal) -> pl.Series:
    digits = cells.str.strip_chars().str.replace_all(rf"[{re.escape(decimal.other)}{GAPS}]", "")
    is_number = cells.str.contains(_any_number(decimal)) & cells.str.contains(r"\d")
    number = digits.str.replace(decimal, ".", literal=True)
    return number.zip_with(is_number.fill_null(value=False), cells)
