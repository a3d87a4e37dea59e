"""Make text and facts from child processes fit for PostgreSQL's text and jsonb."""

import math
from collections.abc import Mapping
from typing import Any

LONGEST_TEXT = 64 * 1024  # characters kept of a traceback or a log: its head and its tail
LONGEST_REASON = 500


def clean_text(text: str, longest: int = LONGEST_TEXT) -> str:
    """Without NUL and lone surrogates, and at most `longest` characters: the middle goes first."""
    text = text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    if len(text) <= longest:
        return text
    head = longest // 4
    mark = f"\n… {len(text) - longest} characters left out …\n"
    return text[:head] + mark + text[len(text) - longest + head + len(mark) :]


def clean_reason(text: str) -> str:
    """The first line that is not empty."""
    lines = (line.strip() for line in clean_text(text).splitlines())
    return next(filter(None, lines), "no reason given")[:LONGEST_REASON]


def clean_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The same facts as jsonb takes them. A number that is not finite becomes null."""
    return {clean_text(str(name)): _clean_value(value) for name, value in facts.items()}


def _clean_value(value: Any) -> Any:
    match value:
        case str():
            return clean_text(value)
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return clean_facts(value)
        case list() | tuple():
            return [_clean_value(item) for item in value]
        case _:
            return value
