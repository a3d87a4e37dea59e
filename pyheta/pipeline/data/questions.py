"""Refusals that a few lines of a sweep would answer, and those lines, ready to paste."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyheta.errors import DataError

#: Texts that YAML takes for texts as they stand.
_PLAIN = re.compile(r"[^\W\d][\w./-]*( [\w./-]+)*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "inf", "nan"}


@dataclass(frozen=True, slots=True)
class Answer:
    """Options that would accept the file, as plain data, and in which case they are right."""

    options: Mapping[str, Any]
    case: str = ""  # what follows them in a sentence: "to fill them", "if it stands for missing"

    def __str__(self) -> str:
        return f"`{lines(self.options)}` {self.case}".rstrip()


class Question(DataError):
    """What only the user can decide; each of its answers, where it has some, decides it.

    The cure says them all, after a `lead` that ends where "write" follows: "mend the value, or".
    """

    def __init__(self, what: str, *answers: Answer, where: str = "", lead: str = "") -> None:
        said = f"{lead} write under dataset: {', or '.join(map(str, answers))}".lstrip()
        super().__init__(what, where=where, cure=said if answers else "")
        self.answers = answers


def lines(options: Mapping[str, Any]) -> str:
    """Options as they stand between the braces of YAML: "sort: true, duplicates: first"."""
    return ", ".join(f"{flow(key)}: {flow(value)}" for key, value in options.items())


def flow(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + lines(value) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
