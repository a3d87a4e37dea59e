"""Which columns of a file are its times: by their names, and by what stands in them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum

import polars as pl

from pyheta.errors import DataError
from pyheta.pipeline.data.files.rawfile import RawTable
from pyheta.pipeline.data.times.elapsed import elapsed, is_elapsed
from pyheta.pipeline.data.times.formats import (
    COUNT,
    DECIMAL_YEAR,
    ELAPSED,
    EPOCH_SECONDS,
    EPOCHS,
    FIRST_YEAR,
    LAST_YEAR,
    clocks_of,
    formats_of,
)
from pyheta.pipeline.data.times.intervals import starts
from pyheta.pipeline.data.times.parsing import is_far, numbers, parse_times

#: Names of time columns, the usual ones first; without signs, spaces and units in brackets.
TIME_NAMES = (
    *("date", "time", "timestamp", "datetime", "ds", "datehour", "utc", "when", "ts"),
    *("unix", "unixtime", "unixtimestamp", "epoch", "epochtime", "timeutc", "dateutc"),
    *("datum", "zeit", "zeitstempel", "zeitpunkt", "datumzeit", "messzeitpunkt"),
    *("observationdate", "mtu", "horodatage", "dateheure"),
    *("fecha", "fechahora", "dataora", "datahora", "tijd", "tid"),
)
#: Words in names of columns whose numbers may be times, if they grow.
TIME_WORDS = ("date", "time", "stamp", "datum", "zeit", "fecha", "epoch", "year", "jahr")
#: Columns of years, or of periods in digits.
PERIOD_NAMES = (
    *("year", "yr", "yyyy", "jahr", "annee", "année", "anno", "año", "ano", "jaar", "rok", "år"),
    *(
        "period",
        "timeperiod",
        "periode",
        "month",
        "monat",
        "mois",
        "yearmonth",
        "yyyymm",
        "quarter",
        "day",
    ),
)
#: Columns of numbers that count rows.
COUNT_NAMES = ("t", "index", "idx", "step", "i", "n", "row", "obs", "observation", "tick", "frame")

#: Columns that are a time together, by what each is.
PARTS = {
    "year": ("year", "yr", "yyyy", "jahr", "annee", "année", "anno", "año", "ano"),
    "quarter": ("quarter", "qtr", "q", "quartal", "trimestre"),
    "month": ("month", "mon", "mo", "mm", "monat", "mois", "mes", "mese"),
    "week": ("week", "isoweek", "weeknumber", "kw", "woche", "semaine"),
    "yearday": ("dayofyear", "doy", "yday", "julianday"),
    "day": (
        "day",
        "dy",
        "da",
        "dd",
        "dom",
        "mday",
        "dayofmonth",
        "tag",
        "jour",
        "dia",
        "día",
        "giorno",
    ),
    "hour": ("hour", "hr", "hh", "he", "hourending", "stunde", "heure", "hora", "ora"),
    "minute": ("minute", "min", "mi", "mn"),
    "second": ("second", "sec", "ss", "sekunde", "seconde"),
}
CLOCK_NAMES = ("time", "clock", "timeofday", "uhrzeit", "zeit", *PARTS["hour"])

SAMPLE = 100  # rows from the top, and as many from all of the file


class Kind(IntEnum):
    """What a column holds, as far as a sample tells."""

    OTHER = 0
    NUMBERS = 1  # they may count rows
    DIGITS = 2  # epochs, years, 20260131: times, if the column's name says so
    MOMENTS = 3  # nothing but times
    ELAPSED = 4  # times since the start, that grow


def plain(name: str) -> str:
    """A name as the tables above have it."""
    return re.sub(r"\(.*?\)|\[.*?\]|[\W_]", "", name.lower())


def candidates(raw: RawTable) -> Iterator[tuple[str, ...]]:
    """The columns that may be the times, the most trusted first."""
    names = raw.frame.columns
    by_plain = {plain(name): name for name in reversed(names)}
    usual = [by_plain[name] for name in TIME_NAMES if name in by_plain]
    yield from _those(raw, usual, Kind.MOMENTS)
    yield from _those(raw, usual, Kind.DIGITS)
    yield from _those(raw, _growing_first(raw), Kind.MOMENTS)
    if parts := _parts(names):
        yield tuple(parts.values())
    yield from _those(raw, [by_plain[n] for n in PERIOD_NAMES if n in by_plain], Kind.DIGITS)
    alike = [name for name in names if any(word in plain(name) for word in TIME_WORDS)]
    yield from _those(raw, [*usual, *alike, names[0]], Kind.ELAPSED)
    yield from _those(raw, [name for name in alike if _counts(raw.frame[name])], Kind.DIGITS)
    yield from ((name,) for name in names if _are_stamps(raw.frame[name]))
    yield from ((name,) for name in usual if _is_text(raw.frame[name]))  # to say what is wrong
    if len(names) > 1:  # a column alone is one of values
        yield from _counting(raw, usual + [by_plain[n] for n in COUNT_NAMES if n in by_plain])


def _counting(raw: RawTable, names: list[str]) -> Iterator[tuple[str, ...]]:
    """Columns that count rows: by their names, or a first one that is 0, 1, 2, …"""
    yield from ((name,) for name in names if _counts(raw.frame[name]))
    if _counts_from_the_start(first := raw.frame.to_series(0)):
        yield (first.name,)


def in_format(raw: RawTable, form: str) -> Iterator[tuple[str, ...]]:
    """The columns that are mostly times in a format, those with a usual name first."""
    known = (*TIME_NAMES, *PERIOD_NAMES, *COUNT_NAMES)
    for name in sorted(raw.frame.columns, key=lambda name: plain(name) not in known):
        texts = _sample(raw.frame[name])
        if texts and parse_times(pl.Series(texts), form).null_count() * 2 < len(texts):
            yield (name,)


def _those(raw: RawTable, names: Iterable[str], wanted: Kind) -> Iterator[tuple[str, ...]]:
    for name in names:
        if kind(raw.frame[name], name) == wanted:
            yield _with_clock(raw, name)


def kind(column: pl.Series, name: str) -> Kind:
    if column.dtype in (pl.Date, pl.Datetime):
        return Kind.MOMENTS
    forms = likely(_sample(column), counting=plain(name) in COUNT_NAMES)
    if not forms:
        return Kind.OTHER
    if COUNT in forms:
        return Kind.NUMBERS
    if forms == [ELAPSED]:
        return Kind.ELAPSED if _grows(elapsed(as_text(column))) else Kind.OTHER
    return Kind.MOMENTS if _are_words(_sample(column)) else Kind.DIGITS


def _are_words(texts: Sequence[str]) -> bool:
    """Whether most of them are no numbers."""
    return sum(_number(text) is None for text in texts) * 2 > len(texts)


def _growing_first(raw: RawTable) -> list[str]:
    """The columns whose first or last cell is a time, before all others those that are in order.

    One that always says the same (when a file was made) is the last.
    """
    moments = [name for name in raw.frame.columns if _ends_with_a_time(raw.frame[name])]
    return sorted(moments, key=lambda name: _trust(raw.frame[name]), reverse=True)


def _trust(column: pl.Series) -> tuple[bool, bool]:
    changes = not (column == column[0]).all()
    return changes, _in_order(column)


def _ends_with_a_time(column: pl.Series) -> bool:
    if column.dtype in (pl.Date, pl.Datetime):
        return True
    ends = [*_sample(column.head(1)), *_sample(column.tail(1))]
    return any(_number(text) is None and formats_of(text) for text in ends)


def _in_order(column: pl.Series) -> bool:
    """Whether it looks so: texts of ISO times are sorted if the times are."""
    return column.is_sorted() or column.is_sorted(descending=True)


def likely(sample: Sequence[str], *, counting: bool = False) -> list[str]:
    """The formats in which most of these texts are times; `count` alone if they are but numbers.

    In a column that by its name is `counting`, numbers are no years.
    """
    votes = Counter(form for text in sample for form in _forms(text))
    most = max(votes.values(), default=0)
    if most * 2 < len(sample) or not most:
        return []
    best = [form for form in votes if votes[form] == most and not (counting and _short(form))]
    times = [form for form in best if form != COUNT]
    if len(times) > 1 and DECIMAL_YEAR in times:
        times.remove(DECIMAL_YEAR)  # whole years, or months as 2026.01
    return times or best


def _short(form: str) -> bool:
    return form in ("%Y", "%Y%m", "%Y%j", "%y%m%d", DECIMAL_YEAR)


def _forms(text: str) -> list[str]:
    forms = formats_of(text)
    if (number := _number(text)) is None:
        return [ELAPSED] if is_elapsed(text) else forms
    size = abs(number)
    low, high = EPOCH_SECONDS
    forms = [form for form in forms if _plausible(text, form)]
    forms += [name for name, us in EPOCHS.items() if low <= size * us / 1e6 < high]
    forms += [DECIMAL_YEAR] if FIRST_YEAR <= number < LAST_YEAR + 1 else []
    return [*forms, COUNT]


def _plausible(text: str, form: str) -> bool:
    """Whether digits may begin with their year; with hours they would else be an epoch."""
    first = FIRST_YEAR if "%H" not in form else 1900
    return not form.startswith("%Y") or first <= int(text[:4]) <= LAST_YEAR


def _number(text: str) -> float | None:
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None


def some_texts(text: pl.Series) -> list[str]:
    """Some texts from the top and from all of a column."""
    step = max(1, len(text) // SAMPLE)
    some = pl.concat([text.head(SAMPLE), text.slice(SAMPLE).gather_every(step)]).drop_nulls()
    return [stripped for value in some if (stripped := value.strip())]


def _sample(column: pl.Series) -> list[str]:
    step = max(1, len(column) // SAMPLE)
    some = pl.concat([column.head(SAMPLE), column.slice(SAMPLE).gather_every(step)])
    try:
        return some_texts(as_text(some))
    except DataError:
        return []


def as_text(column: pl.Series) -> pl.Series:
    """A column's cells as they would stand in a text file. Raises DataError if they are no times.

    Whole numbers have no point, whatever their type; of intervals it is where they start.
    """
    kind = column.dtype
    if kind == pl.Date:
        return column.set(is_far(column), None).dt.strftime("%Y-%m-%d")
    if kind in (pl.Float32, pl.Float64, pl.Decimal):
        column = column.cast(pl.Float64).fill_nan(None)
        whole = (column == column.round()).all() and (column.abs() < 2**53).all()
        return column.cast(pl.Int64).cast(pl.String) if whole else column.cast(pl.String)
    if kind == pl.Duration:
        return column.dt.to_string("iso")
    if kind == pl.String:
        return starts(column)
    if kind.is_integer() or kind in (pl.Categorical, pl.Enum, pl.Time):
        return column.cast(pl.String)
    raise DataError(f"column '{column.name}' holds {kind}, not times")


def _is_text(column: pl.Series) -> bool:
    """Whether it holds words, which then are no times."""
    return column.dtype == pl.String and _are_words(_sample(column))


def _counts(column: pl.Series) -> bool:
    """Whether its numbers grow."""
    if not column.dtype.is_numeric() and column.dtype != pl.String:
        return False
    return _grows(numbers(as_text(column)))


def _grows(values: pl.Series) -> bool:
    return not values.has_nulls() and bool((values.diff().drop_nulls() > 0).all())


def _are_stamps(column: pl.Series) -> bool:
    """Whether its numbers grow, and all are days or times in digits, such as 202601311800."""
    if not _counts(column):
        return False
    stamps = [form for form in likely(_sample(column)) if form.startswith("%Y%m%d")]
    text = as_text(column)
    return any(not parse_times(text, form).has_nulls() for form in stamps)


def _counts_from_the_start(column: pl.Series) -> bool:
    """Whether it is 0, 1, 2, … or 1, 2, 3, …"""
    if len(column) < 3 or not _counts(column):  # noqa: PLR2004 (two rows may be so by chance)
        return False
    values = numbers(as_text(column))
    return values[0] in (0, 1) and bool((values.diff().drop_nulls() == 1).all())


def are_times(names: Sequence[str]) -> bool:
    """Whether most names of columns are times: then each row is a series."""
    forms = set(likely(names)) - {COUNT, DECIMAL_YEAR, ELAPSED, *EPOCHS}
    return len(names) > 2 and bool(forms)  # noqa: PLR2004 (two may be so by chance)


# Times in several columns


def parts_of(columns: Sequence[str]) -> dict[str, str]:
    """What each of these columns is of a time -> its name; empty if one is nothing of the kind."""
    found = {part: c for c in columns for part, names in PARTS.items() if plain(c) in names}
    return found if len(found) == len(columns) else {}


def _parts(names: Sequence[str]) -> dict[str, str]:
    """The columns that make a time together, from the year on without a hole."""
    found = {
        part: name
        for part, known in PARTS.items()
        if (name := next((n for n in names if plain(n) in known), None))
    }
    ways = (("year", "month", "day", "hour", "minute", "second"), ("year", "yearday", "hour"))
    for way in (*ways, ("year", "quarter"), ("year", "week")):
        length = next((i for i, part in enumerate(way) if part not in found), len(way))
        if length > 1:
            return {part: found[part] for part in way[:length]}
    return {}


def _with_clock(raw: RawTable, name: str) -> tuple[str, ...]:
    """A column of dates together with one of the time of the day, if dates come several times."""
    column = raw.frame[name]
    others = [other for other in raw.frame.columns if plain(other) in CLOCK_NAMES]
    if not _only_dates(column) or column.n_unique() == len(column):
        return (name,)
    clocks = (other for other in others if other != name and _is_clock(raw.frame[other]))
    return next(((name, clock) for clock in clocks), (name,))


def _only_dates(column: pl.Series) -> bool:
    forms = likely(_sample(column))
    clocks = ("%H", "%I", ELAPSED)
    return bool(forms) and not any(clock in form for form in forms for clock in clocks)


def _is_clock(column: pl.Series) -> bool:
    texts = _sample(column)
    return bool(texts) and all(clocks_of(text) for text in texts)
