"""How numbers are written in the texts of a file: with which decimal sign, in groups or not.

One file has one way. A cell such as `1.234,5` or `1'234` proves one; `1,234` alone proves none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.rawtable import first, quoted

EXPONENT = r"(?:[eE][-+]?\d+)?"
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
    grouped = any(column.str.contains(_grouped(decimal)).any() for column in columns)
    return Style(decimal, grouped)


def rewritten(frame: pl.DataFrame, style: Style) -> pl.DataFrame:
    """The same with a decimal point, and without separators, in all cells that are numbers."""
    if style == Style(Decimal.POINT, grouped=False):
        return frame
    columns = [column for column in frame if _has_numbers(column)]
    return frame.with_columns(_rewritten(column, style.decimal) for column in columns)


def _decimal(
    columns: Sequence[pl.Series], samples: Sequence[Sequence[str]], separator: str, place: str
) -> Decimal:
    proofs = {sign: _proofs(sign, columns, samples) for sign in Decimal}
    if proofs[Decimal.POINT] != proofs[Decimal.COMMA]:
        return max(Decimal, key=lambda sign: proofs[sign])
    unclear = [column for column in columns if column.str.contains(_UNCLEAR).any()]
    if not unclear or separator == ",":
        return Decimal.POINT
    if separator == ";":
        return Decimal.COMMA
    raise _ask(unclear[0], place)


def _proofs(sign: Decimal, columns: Sequence[pl.Series], samples: Sequence[Sequence[str]]) -> int:
    """How many columns can be read with this sign alone."""
    proof = _proof(sign)
    in_texts = sum(bool(column.str.contains(proof).any()) for column in columns)
    return in_texts + sum(any(re.match(proof, cell) for cell in cells) for cells in samples)


def _ask(column: pl.Series, place: str) -> DataError:
    cell = column[first(column.str.contains(_UNCLEAR))].strip()
    what = f"{quoted(cell)} in column '{column.name}' may be a fraction or thousands"
    cure = "write under dataset: decimal: ',' for a fraction, decimal: '.' for thousands"
    return DataError(what, where=place, cure=cure)


def _has_numbers(column: pl.Series) -> bool:
    """Whether it has texts that are numbers, and some with more than digits in them."""
    if column.dtype != pl.String:
        return False
    looked_at = column.drop_nulls().head(LOOKED_AT)
    return bool(
        looked_at.str.contains(rf"^[-+\d.,{GAPS}eE]*\d[\d.,{GAPS}eE+-]*$").any()
        and column.str.contains(rf"\d[.,{GAPS}]\d|^\s*[-+]?[.,]\d").any()
    )


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


_UNCLEAR = r"^\s*[-+]?[1-9]\d{0,2},\d{3}\s*$"


def _rewritten(column: pl.Series, decimal: Decimal) -> pl.Series:
    digits = column.str.strip_chars().str.replace_all(rf"[{re.escape(decimal.other)}{GAPS}]", "")
    is_number = column.str.contains(_any_number(decimal)) & column.str.contains(r"\d")
    number = digits.str.replace(decimal, ".", literal=True)
    return number.zip_with(is_number.fill_null(value=False), column).alias(column.name)
