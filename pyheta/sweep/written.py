"""Values as they are written in a sweep file, so that reading gives the same values back."""

import re
from collections.abc import Mapping, Sequence

import yaml

from pyheta.errors import SweepError
from pyheta.sweep.syntax import parse

_PLAIN = re.compile(r"[A-Za-z_./][\w./-]*( [\w./-]+)*", re.ASCII)
_WIDE = 1 << 30  # no line is broken


def written(value: object) -> str:
    """A value on one line, as it may stand after a key or in a list."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{written(k)}: {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    return _text(value) if isinstance(value, str) else str(value)


def can_be_written(text: str) -> bool:
    """Whether a sweep file may hold this text: control characters and passwords are refused."""
    return _reads_back(written(text), text)


def _text(text: str) -> str:
    """Plain where it is a word and no other value, else between double quotes."""
    if _PLAIN.fullmatch(text) and _reads_back(text, text):
        return text
    quoted = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=_WIDE)
    return quoted.removesuffix("\n")


def _reads_back(line: str, text: str) -> bool:
    try:
        return bool(parse(line, "").data == text)
    except SweepError:
        return False
