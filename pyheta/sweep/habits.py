"""What other tools call options of a data set, and what they are called here."""

from collections.abc import Sequence
from shlex import quote

#: The name elsewhere, then the key and an example of its value as they are written here.
_CALLED = {
    **dict.fromkeys(("fill", "fillna", "ffill", "imputation"), ("missing", "{fill: forward}")),
    "limit": ("missing", "{fill: forward, limit: 3}"),
    "interpolate": ("missing", "{fill: linear}"),
    "dropna": ("missing", "drop"),
    "na_values": ("missing", "{values: [-999]}"),
    **dict.fromkeys(("sep", "delimiter"), ("separator", '";"')),
    **dict.fromkeys(("skiprows", "header"), ("skip_rows", "1")),
    "sheet_name": ("sheet", "NAME"),
    "usecols": ("columns", "[NAME, NAME]"),
    **dict.fromkeys(("tz", "timezone"), ("time_zone", "Europe/Zurich")),
    **dict.fromkeys(("index", "index_col", "parse_dates", "timestamp"), ("time", "COLUMN")),
    **dict.fromkeys(("date_format", "datetime_format"), ("time_format", '"%d/%m/%Y"')),
    "start": ("from", "2019-01-31"),
    "end": ("to", "2019-12-31"),
    **dict.fromkeys(("group", "unique_id", "item_id"), ("series", "COLUMN")),
}

#: What is found in the times, and never written.
_STEP = ("freq", "frequency")


def of_another_tool(key: str, known: Sequence[str], *, typed: bool = False) -> str:
    """What to do about a key that other tools have; empty if that is not known.

    On a command line, where keys are `typed`, a line is written as KEY=VALUE.
    """
    section, dot, option = key.rpartition(".")
    if option in _STEP and f"{section}{dot}step" in known:
        return "leave it out: the step is found in the times"
    name, value = _CALLED.get(option, ("", ""))
    if f"{section}{dot}{name}" not in known:
        return ""
    return f"write {quote(f'{section}{dot}{name}={value}') if typed else f'{name}: {value}'}"
