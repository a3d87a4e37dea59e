"""What a cell of a file looks like, before its column is read: data, or a name, or a unit.

This decides which line has the names. It is wider than what the stations after it read: `1.2.2020`
looks like data, whether or not it is a time that is read.
"""

import re

MARKS_OF_MISSING = frozenset(
    ("", "-", "--", "?", "*", ".", "..", "...", "na", "n/a", "#n/a", "nan", "null", "none", "nil")
)
MONTH = "(?:jan|feb|m[aä]r|mrz|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-zä]{0,7}"
WEEKDAY = "(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}"
#: A number or a time, but for what a character more or less decides: a digit, and beside digits
#: and their punctuation only the words and the letters of times and exponents.
DATA = re.compile(
    rf"(?=.*\d)(?:\d+\s?days?\b|(?<![a-z])(?:{MONTH}|{WEEKDAY})\b|(?<=\d)\s?(?:[ap]\.?m\.?)(?![a-z])"
    r"|(?<=[\d\s])(?:z|utc|gmt|h)(?![a-z\d])|(?<=\d)[tedwq](?=[-+\d])|(?<=[\d-])[wq](?=\d)"
    r"|^q[1-4](?=\W?\d{4})|(?<=\d{4})m(?=\d\d)|[\d\s.,:/+'\u2019_%\u2212\u00a0\u2009\u202f()-])+",
    re.IGNORECASE,
)
PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+(?:[eE][-+]?\d+)?)?")
YEAR_AND_MONTH = re.compile(r"[12]\d{3}\.(?:0[1-9]|1[0-2])")
BRACKETED = re.compile(r"[\[({<].*[\])}>]")
UNIT = re.compile(
    r"(?:°|deg\.?\s?)?[cfk]|celsius|fahrenheit|kelvin|%|percent|[kmgt]?(?:w|wh|va|var|v|a|j|hz|pa|"
    r"bar|t|b)|hpa|mbar|mb|mm|cm|km|m|ft|inch|in|miles|mph|kn|kt|knots|degrees?|°|deg|"
    r"[µu]g|mg|g|kg|lb|l|ml|s|sec|min|h|hrs?|hours?|days?|ppm|ppb|psi|db|lux|usd|eur|chf|gbp|"
    r"dollars?|units?|count|index|1|n/?a|text|utc|local|cet|"
    r"[a-zµ°%€$]{1,4}\s?[/*·]\s?[a-z]{1,4}[²³23]?(?:\s?[/*·]\s?[a-z]{1,3})?|[a-zµ]{1,3}[²³]|"
    r"[a-z]{1,4}\s[a-z]{1,4}-[123]|y{2,4}.?m{1,2}.?d{1,2}.*",
    re.IGNORECASE,
)
RULE = re.compile(r":?-{3,}:?|={3,}|")
TOTALS = re.compile(
    r"(?:grand |sub)?(?:totals?|sum|summe|gesamt|average|mean|mittel(?:wert)?|minimum|maximum)\b.*",
    re.IGNORECASE,
)


def is_missing(cell: str) -> bool:
    return cell.strip().lower() in MARKS_OF_MISSING


def is_rule(cell: str) -> bool:
    """Whether a cell is empty or a line that is drawn, as below the names of a table for people."""
    return RULE.fullmatch(cell.strip()) is not None


def is_data(cell: str) -> bool:
    return DATA.fullmatch(cell.strip()[:64]) is not None


def is_name(cell: str) -> bool:
    return not is_missing(cell) and not is_data(cell)


def is_unit(cell: str) -> bool:
    text = cell.strip()
    return bool(BRACKETED.fullmatch(text) or UNIT.fullmatch(text))


def is_of_totals(cell: str) -> bool:
    return TOTALS.fullmatch(cell.strip()) is not None
