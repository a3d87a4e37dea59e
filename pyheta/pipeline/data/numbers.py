"""The numbers of one column of a file, or why it has none."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import NoReturn

import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.files.rawfile import RawTable, first, quoted
from pyheta.pipeline.data.options.missing import Code, Missing
from pyheta.pipeline.data.questions import Answer, Question
from pyheta.pipeline.data.rows.answers import longest_gap, to_accept

#: Texts that stand for no value, in small letters: those of pandas, spreadsheets, databases and R.
MISSING = (
    *("", "-", "--", "---", ".", "..", "...", "?", "*", "_"),
    *("na", "n/a", "n.a.", "n.a", "<na>", "nan", "-nan", "+nan", "nat", "nil", "none", "null"),
    *("(null)", "\\n", "missing", "undefined", "no data", "nodata", "not available"),
    *("#n/a", "#n/a n/a", "#na", "#null!", "#value!", "#ref!", "#div/0!", "#num!", "#name?"),
    *("1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"),
)

#: Words that are 1 and 0, in small letters.
BOOLEANS = (("true", "false"), ("yes", "no"))

#: Larger numbers are no measurements: sums of their squares are no longer numbers of a computer.
LARGEST = 1e100

#: Texts of numbers that are none.
INFINITE = ("inf", "-inf")

#: So many different texts are named in a cure, of so many letters.
FEW, SHORT = 5, 40

STANDS_FOR_MISSING = "if it stands for missing"

#: A text column with so few different texts can be seen as a category.
CATEGORIES = 50


class NoNumbers(Question):
    """A column is no series of numbers, and nothing is wrong with it. `kind` says what it holds.

    Its answers see it as something else.
    """

    def __init__(self, kind: str, what: str, *answers: Answer, where: str) -> None:
        super().__init__(what, *answers, where=where)
        self.kind = kind


def kinds_of(left_out: Mapping[str, DataError]) -> dict[str, str]:
    """What those of the columns hold that are not meant to be numbers."""
    return {name: e.kind for name, e in left_out.items() if isinstance(e, NoNumbers)}


@dataclass(frozen=True, slots=True)
class Numbers:
    """Float64, null where a value is missing, and what was found: a sentence each."""

    values: pl.Series
    notes: Sequence[str] = ()


def quick_numbers(raw: RawTable, names: Iterable[str]) -> dict[str, pl.Series]:
    """What of the text columns among these is a number as it stands: of all at once, for speed."""
    texts = [name for name in names if raw.frame[name].dtype == pl.String]
    numbers = raw.frame.select(pl.col(texts).cast(pl.Float64, strict=False))
    return {column.name: column for column in numbers}


def numbers(raw: RawTable, name: str, quick: pl.Series | None, missing: Missing) -> Numbers:
    """The numbers of a column; `quick` are those that stand there as they are, of a text column.

    Raises DataError: NoNumbers where the column is not meant to be numbers.
    """
    codes = missing.of(name).values or ()
    found = _of_type(raw, name) if quick is None else _of_text(raw, name, quick, missing)
    values = _without_codes(found.values.fill_nan(None), codes, raw.frame[name].dtype)
    if values.null_count() == len(values):
        raise NoNumbers("empty", "no values", where=raw.where(column=name))
    _refuse_too_large(raw, values, missing)
    return Numbers(values, found.notes)


def _of_type(raw: RawTable, name: str) -> Numbers:
    """Of a column that is no text."""
    column, dtype = raw.frame[name], raw.frame[name].dtype
    if dtype.is_numeric() or dtype in (pl.Boolean, pl.Null):
        return Numbers(column.cast(pl.Float64))
    if dtype == pl.Duration:
        seconds = column.dt.total_microseconds() / 1e6
        return Numbers(seconds.alias(name), [f"{name}: lengths of time, in seconds"])
    if dtype in (pl.Categorical, pl.Enum):
        return _of_categories(raw, name)
    kind = "times" if dtype.is_temporal() else str(dtype.base_type()).lower()
    raise NoNumbers(kind, f"holds {dtype}, not numbers", where=raw.where(column=name))


def _of_categories(raw: RawTable, name: str) -> Numbers:
    """Categories may be numbers that were written as texts."""
    texts = replace(raw, frame=raw.frame.select(pl.col(name).cast(pl.String)))
    try:
        return _of_text(texts, name, quick_numbers(texts, [name])[name], Missing())
    except NoNumbers as error:
        error.kind = "category"
        raise


def _of_text(raw: RawTable, name: str, quick: pl.Series, missing: Missing) -> Numbers:
    """A text is a number, or missing, or the column is refused."""
    text = raw.frame[name]
    odd = text.filter(quick.is_null() & text.is_not_null()).unique()
    if odd.is_empty():
        return Numbers(quick)
    values = _padded(odd)
    no_value = [*MISSING, *_texts(missing.of(name).values or ())]
    wrong = odd.filter(values.is_null() & ~_small(odd).is_in(no_value))
    if not wrong.is_empty():
        return _booleans(text, wrong, quick) or _refuse_texts(raw, quick, wrong, missing)
    return Numbers(_padded(text) if values.is_not_null().any() else quick)


def _small(text: pl.Series) -> pl.Series:
    return text.str.strip_chars().str.to_lowercase()


def _texts(codes: Sequence[Code]) -> list[str]:
    return [code.strip().lower() for code in codes if isinstance(code, str)]


def _padded(text: pl.Series) -> pl.Series:
    """Numbers with spaces around them."""
    return text.str.strip_chars().cast(pl.Float64, strict=False)


def _booleans(text: pl.Series, words: pl.Series, quick: pl.Series) -> Numbers | None:
    """A column that holds nothing but two such words, if it is one."""
    known = set(_small(words))
    pair = next((pair for pair in BOOLEANS if known <= set(pair)), None)
    if pair is None or quick.is_not_null().any():
        return None
    yes, no = pair
    small = _small(text)
    values = small.replace_strict({yes: 1.0, no: 0.0}, default=None, return_dtype=pl.Float64)
    return Numbers(values, [f"{text.name}: {yes} is 1, {no} is 0"])


def _refuse_texts(raw: RawTable, quick: pl.Series, wrong: pl.Series, missing: Missing) -> NoReturn:
    """Labels are no numbers; a few texts among numbers are mistakes, or stand for missing."""
    name = quick.name
    text = raw.frame[name]
    places = text.is_in(wrong.to_list()).fill_null(value=False)
    count, sample = int(places.sum()), text[first(places)].strip()
    if count > quick.count():
        what = f"holds texts such as {quoted(sample)}, not numbers"
        raise NoNumbers("text", what, *_as_category(wrong), where=raw.where(column=name))
    more = f" ({count} such cells)" if count > 1 else ""
    what = f"not a number {quoted(sample)}{more}"
    where = raw.where(index=first(places), column=name)
    if len(wrong) > FEW or max(wrong.str.len_chars()) > SHORT:
        raise DataError(what, where=where, cure="mend the values")
    options = to_accept(missing, name, longest_gap(quick.is_null()), codes=sorted(_small(wrong)))
    answer = Answer(options, STANDS_FOR_MISSING)
    raise Question(what, answer, where=where, lead="mend the value, or")


def _as_category(texts: pl.Series) -> Iterator[Answer]:
    if len(texts) <= CATEGORIES:
        options = {"columns": {texts.name: {"type": "category"}}}
        yield Answer(options, "to see it as a category")


def _without_codes(values: pl.Series, codes: Sequence[Code], dtype: pl.DataType) -> pl.Series:
    """Null where a number stands for missing; 32-bit floats are as near to it as they can be."""
    listed = [float(code) for code in codes if not isinstance(code, str) or code in INFINITE]
    if not listed:
        return values
    exact = pl.Series(listed, dtype=pl.Float64)
    if dtype == pl.Float32:
        exact = exact.cast(pl.Float32).cast(pl.Float64)
    return values.set(values.is_in(exact.to_list()).fill_null(value=False), None)


def _refuse_too_large(raw: RawTable, values: pl.Series, missing: Missing) -> None:
    large = (values.abs() > LARGEST).fill_null(value=False)
    if not large.any():
        return
    index, count = first(large), int(large.sum())
    more = f" ({count} such values)" if count > 1 else ""
    what = f"out of range: {values[index]!r}{more}; numbers up to {LARGEST:g} are read"
    where = raw.where(index=index, column=values.name)
    distinct = values.filter(large).unique().to_list()
    if len(distinct) > FEW or count * 2 > len(values):
        raise DataError(what, where=where, cure="write the column in a larger unit")
    codes = [number if isfinite(number) else str(number) for number in distinct]
    options = to_accept(missing, values.name, longest_gap(values.is_null() | large), codes=codes)
    raise Question(what, Answer(options, STANDS_FOR_MISSING), where=where)
