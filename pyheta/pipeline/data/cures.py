"""Cures as lines of a sweep: what to write under `dataset:`, ready to paste."""

import json
import re
from collections.abc import Mapping
from typing import Any

#: Texts that YAML takes for texts as they stand.
_PLAIN = re.compile(r"[^\W\d][\w./-]*( [\w./-]+)*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "inf", "nan"}


def write(**lines: Any) -> str:
    """`write(sort=True)` is "write under dataset: sort: true"."""
    return f"write under dataset: {answer(**lines)}"


def choose(first: str, case: str, second: str, other: str = "") -> str:
    """Two answers, each with the case in which it is right."""
    return f"write under dataset: `{first}` if {case}, or `{second}` {other}".rstrip()


def answer(**lines: Any) -> str:
    """Lines as they stand between the braces of YAML: "sort: true, duplicates: first"."""
    return ", ".join(f"{flow(key)}: {flow(value)}" for key, value in lines.items())


def flow(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + answer(**value) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
