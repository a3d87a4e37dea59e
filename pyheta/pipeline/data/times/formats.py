r"""How people write times: a table of formats, a line each, in the language of strptime.

Beside strptime's own directives there are `%q`, a quarter (1 to 4), and names for what no directive
describes, such as `epoch ms`. A fraction may follow every `%S`. Nothing heavy is imported here:
options are checked with this table.
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _names(words: tuple[str, ...]) -> str:
    """A pattern for words and their first three letters."""
    return "(?i:" + "|".join(f"{word[:3]}(?:{word[3:]})?" for word in words) + ")"


#: What each directive stands for. Where another follows without a sign between them, a number has
#: all its digits.
SHAPES = {
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
    "%q": r"[1-4]",
    "%m": r"(?:1[0-2]|0?[1-9])",
    "%B": _names(_MONTHS),
    "%d": r"(?:3[01]|[12]\d|0?[1-9])",
    "%j": r"[0-3]\d{2}",
    "%G": r"\d{4}",
    "%V": r"(?:5[0-3]|[1-4]\d|0?[1-9])",
    "%u": r"[1-7]",
    "%A": _names(_DAYS),
    "%H": r"(?:2[0-4]|1\d|0?\d)",
    "%I": r"(?:1[0-2]|0?[1-9])",
    "%M": r"[0-5]?\d",
    "%S": r"(?:60|[0-5]?\d)",
    "%p": r" *[AaPp][Mm]",
    "%z": r" *(?:[Zz]|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)",
}
FRACTION = r"(?:[.,]\d{1,9})?"

#: Whole dates. Points stand between days first in every country; for slashes and dashes that is
#: not so, and a file has to decide.
DATES = (
    "%Y-%m-%d",  # 2026-01-31
    "%Y/%m/%d",  # 2026/01/31
    "%Y.%m.%d",  # 2026.01.31
    "%Y %m %d",  # 2026 1 31
    "%Y%m%d",  # 20260131
    "%Y-%j",  # 2026-031
    "%Y%j",  # 2026031
    "%G-W%V-%u",  # 2026-W05-6
    "%GW%V%u",  # 2026W056
    "%d.%m.%Y",  # 31.01.2026
    "%d/%m/%Y",  # 31/01/2026
    "%m/%d/%Y",  # 01/31/2026
    "%d-%m-%Y",  # 31-01-2026
    "%m-%d-%Y",  # 01-31-2026
    "%d %B %Y",  # 31 January 2026, 31 Jan 2026
    "%d. %B %Y",  # 31. January 2026
    "%d-%B-%Y",  # 31-Jan-2026
    "%d/%B/%Y",  # 31/Jan/2026
    "%d%B%Y",  # 31JAN2026
    "%B %d %Y",  # Jan 31 2026
    "%B %d, %Y",  # January 31, 2026
    "%B-%d-%Y",  # Jan-31-2026
    "%Y-%B-%d",  # 2026-Jan-31
    "%Y %B %d",  # 2026 Jan 31
    "%A, %d %B %Y",  # Sat, 31 Jan 2026
    "%A %d %B %Y",  # Sat 31 Jan 2026
    "%A, %B %d, %Y",  # Saturday, January 31, 2026
    "%A %B %d %Y",  # Sat Jan 31 2026
    "%A %Y-%m-%d",  # Sat 2026-01-31
)
#: What stands without a time of the day: years, quarters, months, weeks; and whole times in digits.
WHOLE = (
    "%Y",  # 2026
    "%YQ%q",  # 2026Q1
    "%Y-Q%q",  # 2026-Q1
    "%Y Q%q",  # 2026 Q1
    "%Y:Q%q",  # 2026:Q1
    "Q%q %Y",  # Q1 2026
    "Q%q-%Y",  # Q1-2026
    "Q%q/%Y",  # Q1/2026
    "%qQ%Y",  # 1Q2026
    "%Y-%m",  # 2026-01
    "%Y/%m",  # 2026/01
    "%Y.%m",  # 2026.01
    "%Y%m",  # 202601
    "%YM%m",  # 2026M01
    "%Y-M%m",  # 2026-M01
    "%m/%Y",  # 01/2026
    "%m-%Y",  # 01-2026
    "%m.%Y",  # 01.2026
    "%B %Y",  # January 2026, Jan 2026
    "%B-%Y",  # Jan-2026
    "%B/%Y",  # Jan/2026
    "%B%Y",  # JAN2026
    "%Y %B",  # 2026 Jan
    "%Y-%B",  # 2026-Jan
    "%G-W%V",  # 2026-W05
    "%GW%V",  # 2026W05
    "%G W%V",  # 2026 W05
    "%Y%m%d%H",  # 2026013118
    "%Y%m%d%H%M",  # 202601311800
    "%Y%m%d%H%M%S",  # 20260131180000
    "%A %B %d %H:%M:%S %Y",  # Sat Jan 31 18:00:00 2026
    "%A %B %d %H:%M:%S%z %Y",  # Sat Jan 31 18:00:00 +0100 2026
    "%A %B %d %H:%M:%S UTC %Y",  # Sat Jan 31 18:00:00 UTC 2026
)
CLOCKS = (
    "%H:%M",
    "%H:%M:%S",
    "%H%M",
    "%H%M%S",
    "%H",
    "%H.%M.%S",
    "%I:%M %p",
    "%I:%M:%S %p",
    "%I %p",
)
BETWEEN = (" ", "T", ", ", ":", "_")  # a date and its time of the day
ZONES = ("", "%z", " UTC", " GMT")

#: Which century is meant is not written, so these are asked about, never taken.
SHORT_YEARS = (
    "%y-%m-%d",
    "%d-%m-%y",
    "%m-%d-%y",
    "%y/%m/%d",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%y%m%d",
    "%d-%B-%y",
    "%d %B %y",
    "%B %y",
    "%B-%y",
)

#: Numbers that count from 1970, and the microseconds of one. In seconds, what is taken for one by
#: itself lies between 1973 and 2128.
EPOCHS = {"epoch s": 1e6, "epoch ms": 1e3, "epoch us": 1.0, "epoch ns": 1e-3}
EPOCH_SECONDS = (1e8, 5e9)
DECIMAL_YEAR = "decimal year"
EXCEL = "excel"  # days since the end of 1899, as sheets count them
COUNT = "count"  # numbers that are no moments: rows are counted
ELAPSED = "elapsed"  # times since the start, such as 0 days 00:15:00
NAMED = (*EPOCHS, DECIMAL_YEAR, EXCEL, COUNT, ELAPSED)
FIRST_YEAR, LAST_YEAR = 1700, 2200  # of numbers that may be years

_DIRECTIVE = re.compile(r"%.")
_ALIASES = {
    ":%S.%f": ":%S", "%S.%f": "%S", "%S,%f": "%S", "%S%.f": "%S", "%F": "%Y-%m-%d",
    "%T": "%H:%M:%S", "%R": "%H:%M", "%D": "%m/%d/%y", "%b": "%B", "%h": "%B", "%a": "%A",
    "%e": "%d", "%k": "%H", "%l": "%I", "%-": "%", "%#z": "%z",
}  # fmt: skip


def settled(written: str) -> str:
    """A format as it is used here, from a user's. Raises ValueError for what is none."""
    if written in NAMED:
        return written
    form = written
    for alias, plain in _ALIASES.items():
        form = form.replace(alias, plain)
    directives = _DIRECTIVE.findall(form)
    if not directives:
        known = get_close_matches(written, NAMED, n=1)
        hint = f"did you mean '{known[0]}'?" if known else "such as %d/%m/%Y %H:%M"
        raise ValueError(f"'{written}' says no format of times; {hint}")
    if unknown := [directive for directive in directives if directive not in SHAPES]:
        raise ValueError(f"unknown {unknown[0]} in '{written}'; known: {' '.join(SHAPES)}")
    _refuse_vague(written, set(directives))
    return form


def _refuse_vague(written: str, directives: set[str]) -> None:
    if not directives & {"%Y", "%y", "%G"}:
        raise ValueError(f"'{written}' has no year: %Y (2026) or %y (26)")
    if "%d" in directives and not directives & {"%m", "%B"}:
        raise ValueError(f"'{written}' has a day without a month: %m (01) or %B (Jan)")
    if "%I" in directives and "%p" not in directives:
        raise ValueError(f"'{written}' has hours up to 12 without %p (AM or PM)")


def pattern(form: str) -> str:
    """A regular expression for what a format describes."""
    return "".join(piece for _, piece in _pieces(form))


def _pieces(form: str) -> Iterator[tuple[str, str]]:
    """The parts of a format, each with its regular expression."""
    form = form.replace(" %p", "%p")
    end = 0
    for match in _DIRECTIVE.finditer(form):
        if match.start() > end:
            yield form[end : match.start()], _literal(form[end : match.start()])
        after = form[match.end() : match.end() + 2]
        close = match.start() == end > 0 or (after[:1] == "%" and after != "%p")
        end = match.end()
        yield match[0], _shape(match[0], close=close)
    if end < len(form):
        yield form[end:], _literal(form[end:])


def _literal(text: str) -> str:
    return re.escape(text).replace(r"\ ", " +").replace("Q", "[Qq]")


def _shape(directive: str, *, close: bool) -> str:
    shape = SHAPES[directive]
    if close and directive not in ("%p", "%z"):
        shape = shape.replace("0?", "0").replace("]?", "]")
    return shape + FRACTION if directive == "%S" else shape


def around(form: str, directive: str, instead: str = "") -> str:
    """The pattern of a format with three groups: what is before a directive, it, what follows."""
    pieces = list(_pieces(form))
    at = [part for part, _ in pieces].index(directive)
    before, after = ("".join(p for _, p in side) for side in (pieces[:at], pieces[at + 1 :]))
    return f"^({before})({instead or pieces[at][1]})({after})$"


def formats_of(text: str) -> list[str]:
    """All formats of the tables in which a text is a time; none is `count` or an epoch."""
    whole = [form for form in WHOLE if _compiled(form).fullmatch(text)]
    return whole + [
        date + tail
        for date in (*DATES, *SHORT_YEARS)
        if (match := _compiled(date).match(text))
        for tail in _tails(text[match.end() :])
    ]


def _tails(rest: str) -> Iterator[str]:
    """The formats of what stands after a date."""
    if not rest:
        yield ""
    for between in BETWEEN:
        if rest.startswith(between):
            yield from (between + clock for clock in clocks_of(rest.removeprefix(between).lstrip()))


def clocks_of(text: str) -> list[str]:
    """The formats of a time of the day, with its zone where it has one."""
    return [
        clock + zone
        for clock in CLOCKS
        if (match := _compiled(clock).match(text))
        for zone in ZONES
        if _compiled(zone).fullmatch(text[match.end() :])
    ]


@cache
def _compiled(form: str) -> re.Pattern[str]:
    return re.compile(pattern(form))


def has_zone(form: str) -> bool:
    """Whether its times are moments, not what a clock shows."""
    return form in EPOCHS or any(zone.strip() in form for zone in ZONES[1:])


def is_iso(form: str) -> bool:
    """Whether it is the plain form of ISO 8601, which needs no word."""
    return form.startswith("%Y-%m-%d") and form[8:].lstrip(" T").removesuffix("%z") in (
        "",
        "%H:%M",
        "%H:%M:%S",
    )
