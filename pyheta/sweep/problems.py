"""All that is wrong with one sweep, collected so that one edit can repair it."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pyheta.errors import SweepError, SweepErrors, nearest
from pyheta.sweep.habits import of_another_tool

MAX_SHOWN = 20

# The keys and indices that lead to a value: what pydantic calls `loc`.
Place = tuple[int | str, ...]


def findings(error: ValidationError) -> Iterator[ErrorDetails]:
    """pydantic's errors, without `too_short` for a list of which an item was itself invalid."""
    details = error.errors(include_url=False)
    for detail in details:
        if detail["type"] != "too_short" or not _has_invalid_item(detail["loc"], details):
            yield detail


def _has_invalid_item(place: Place, details: Iterable[ErrorDetails]) -> bool:
    items = (detail["loc"] for detail in details if len(detail["loc"]) > len(place))
    return any(item[: len(place)] == place for item in items)


class Problems:
    """Collects errors, each once, in the order in which they are noted."""

    def __init__(self) -> None:
        self._errors: dict[str, SweepError] = {}
        self._subject = ""

    def __len__(self) -> int:
        return len(self._errors)

    def add(self, what: str, *, where: str, cure: str = "") -> None:
        self.note(SweepError(f"{self._subject}{what}", where=where, cure=cure))

    def note(self, *errors: SweepError) -> None:
        for error in errors:
            self._errors.setdefault(str(error), error)

    @contextmanager
    def about(self, subject: str) -> Iterator[None]:
        """What is added inside is about one of several things that are written at one place."""
        before, self._subject = self._subject, f"{subject}: " * bool(subject)
        try:
            yield
        finally:
            self._subject = before

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Note a SweepError that is raised inside, and continue after the block."""
        try:
            yield
        except SweepErrors as error:
            self.note(*error.errors)
        except SweepError as error:
            self.note(error)

    @property
    def full(self) -> bool:
        """Whether no more errors would be shown."""
        return len(self) >= MAX_SHOWN

    def raise_any(self) -> None:
        """Raise what was noted: nothing, one SweepError, or SweepErrors with the first twenty."""
        errors = list(self._errors.values())[:MAX_SHOWN]
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise SweepErrors(errors)


def unknown_key(key: str, known: Sequence[str], *, where: str, typed: bool = False) -> SweepError:
    """The error for an unknown dotted key, `typed` as KEY=VALUE. `lr` alone suggests `train.lr`."""
    similar = key
    if not get_close_matches(key, known, n=1):
        similar = next((name for name in known if name.endswith(f".{key}")), key)
    cure = of_another_tool(key, known, typed=typed) or nearest(similar, known)
    return SweepError(f"unknown key '{shorten(key)}'", where=where, cure=cure)


def shorten(text: str) -> str:
    """A text as it is shown in a message: one line of at most forty characters."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:39]}…"  # noqa: PLR2004 (as the docstring says)


def shown(value: object) -> str:
    """A value as it could stand in a sweep file, shortened."""
    return shorten(json.dumps(value, ensure_ascii=False, default=str))


# What pydantic calls an unknown key, in models and in data classes.
UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")

# pydantic's error types in our words; `{}` are the values of the error's context.
_EXPECTED: Mapping[str, str] = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "dataclass_type": "a mapping",
    "model_attributes_type": "a mapping",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "string_too_short": "some text",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "a name of letters, digits, '.', '_' and '-'",
    "finite_number": "a finite number",
}


def describe(detail: ErrorDetails, name: str, known: Sequence[str]) -> tuple[str, str]:
    """What is wrong with the key `name`, and what to do, from pydantic's error.

    `known` are the keys that may stand in place of an unknown one.
    """
    context = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            words = f"missing key '{name}'", ""
        case "union_tag_not_found":
            words = f"missing key '{name}.name'", ""
        case kind if kind in UNKNOWN:
            words = f"unknown key '{shorten(name)}'", nearest(name.rpartition(".")[2], known)
        case "literal_error":
            words = _not_among(name, detail["input"], context["expected"])
        case "union_tag_invalid":
            words = _not_among(name, context["tag"], context["expected_tags"])
        case "value_error":
            words = f"{name}: {context['error']}", ""
        case kind:
            expected = _EXPECTED.get(kind, "something else").format(**context)
            words = f"{name}: expected {expected}, got {shown(detail['input'])}", ""
    return words


def _not_among(name: str, value: object, expected: str) -> tuple[str, str]:
    if isinstance(value, str) and (names := re.findall("'([^']*)'", expected)):
        return f"unknown {name} '{shorten(value)}'", nearest(value, names)
    return f"{name}: expected {expected}, got {shown(value)}", ""
