"""Overrides of the command line as people write them: `train.epochs=3`, `net.name=lstm,mlp`.

What other tools would understand is refused with the spelling that is right here, ready to paste.
"""

import json
import re
import shlex
from collections.abc import Sequence
from typing import Any

from pyheta.errors import SweepError
from pyheta.sweep.axes import AXIS_FORMS
from pyheta.sweep.config import KEYS, LEAVES
from pyheta.sweep.problems import shorten, unknown_key
from pyheta.sweep.selection import ALL
from pyheta.sweep.syntax import parse

COMMAND_LINE = "command line"

# What may be given on the command line beside the keys of `config`.
OPTIONS = ("name", "seeds", "leakage", "baselines", "run_cap", "priority")

#: So many values of a range are written out; more are a grid.
MOST_VALUES = 12

_CALL = re.compile(r"(range|choice)\((.*)\)")
_SIGNS = "+~-"


def together(overrides: Sequence[str]) -> Sequence[str]:
    """The overrides as they are. Raises SweepError where blanks stand around a `=`."""
    for before, text, after in zip(["", *overrides], overrides, [*overrides[1:], ""], strict=False):
        begins, ends = text.startswith("="), text.endswith("=") and "=" not in after
        if begins or (ends and after):
            right = before * begins + text + after * ends
            raise _misspelt("blanks stand around '='", right)
    return overrides


def parsed(text: str) -> tuple[str, Any, str]:
    """The key of an override, its value, and where it stands. Several values are a tuple.

    Raises SweepError.
    """
    return parsed_among((*OPTIONS, *KEYS), text)


def parsed_among(known: Sequence[str], text: str) -> tuple[str, Any, str]:
    """The same of an override of one of these keys. Raises SweepError."""
    key, equals, value = text.partition("=")
    if not equals or not value.strip():
        raise _misspelt(f"'{shorten(text)}' is not an override", "key=value")
    if key not in known:
        raise _unknown(key, value, known)
    where = f"{COMMAND_LINE}, {shorten(text)}"
    items = _items(key, value.strip(), where)
    return key, items[0] if len(items) == 1 else tuple(items), where


def is_axis(key: str, value: object) -> bool:
    """Whether a value is an axis as it would stand under `parameters`."""
    return isinstance(value, tuple) or (
        key in LEAVES and isinstance(value, dict) and bool(AXIS_FORMS.keys() & value.keys())
    )


def _unknown(key: str, value: str, known: Sequence[str]) -> SweepError:
    """`+train.lr=1` adds a key elsewhere; here every key is there already."""
    plain = key.strip().lstrip(_SIGNS)
    if plain != key and plain in known:
        return _misspelt(f"'{shorten(key)}' is not a key", f"{plain}={value.strip()}")
    return unknown_key(key, known, where=COMMAND_LINE, typed=True)


def _misspelt(what: str, right: str) -> SweepError:
    return SweepError(what, where=COMMAND_LINE, cure=f"write {shlex.quote(right)}")


def _items(key: str, value: str, where: str) -> list[Any]:
    """The values that commas separate."""
    if match := _CALL.fullmatch(value):
        raise SweepError(
            f"'{shorten(value)}' is no value",
            where=where,
            cure=f"write {shlex.quote(f'{key}={_called(*match.groups())}')}",
        )
    if key in ("exog", "target") and value.startswith("*"):
        right = f"{key}={ALL}" if value == "*" else f"{key}=[{json.dumps(value)}]"
        cure = f"write {shlex.quote(right)}"
        raise SweepError("a * begins a reference in YAML", where=where, cure=cure)
    items: list[Any] = parse(f"[{value}]", COMMAND_LINE).data
    if key in ("exog", "target"):
        _refuse_bare(key, items, where)
    return items


def _called(function: str, arguments: str) -> str:
    """The values of `range(1, 5)`, which are 1 to 4, or of `choice(a, b)`."""
    numbers = [int(text) for text in re.findall(r"[-+]?[0-9]{1,9}", arguments)]
    if function == "choice" or not 1 <= len(numbers) <= 3 or not all((*numbers[2:], 1)):  # noqa: PLR2004 (start, stop, step)
        return re.sub(r"\s*,\s*", ",", arguments.strip())
    values = range(*numbers)
    if len(values) > MOST_VALUES:
        return f"{{min: {values[0]}, max: {values[-1]}, num: {len(values)}}}"
    return ",".join(map(str, values)) or "1"


def _refuse_bare(key: str, items: Sequence[Any], where: str) -> None:
    """Columns are texts, and those of `exog` stand in a list: `0,1` would be neither."""
    bare = [item for item in items if not isinstance(item, list | dict)]
    numbers = [item for item in bare if not isinstance(item, str)]
    if key == "exog" and bare and items != [ALL]:
        both = ", ".join(_name(item) for item in bare)
        each = ",".join(f"[{_name(item)}]" for item in bare)
        cure = f"write {shlex.quote(f'exog=[{both}]')}"
        if len(bare) > 1:
            cure += f" for all at once, {shlex.quote(f'exog={each}')} for one after the other"
        raise SweepError("the columns of exog stand in a list", where=where, cure=cure)
    if numbers:
        right = ",".join(_name(item) for item in bare)
        cure = f"write {shlex.quote(f'{key}={right}')} for a column of this name"
        raise SweepError(f"{_name(numbers[0])} has to be text", where=where, cure=cure)


def _name(item: object) -> str:
    """A column's name as YAML has it; quoted where it could be taken for something else."""
    text = item if isinstance(item, str) else json.dumps(item)
    return text if re.fullmatch(r"[^\W\d][\w.-]*", text) else json.dumps(text, ensure_ascii=False)
