"""The options that an error prints for a sweep, as they are written on a command line."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from shlex import quote

from pyheta.errors import DataError, SweepError
from pyheta.sweep.dataset import OPTIONS
from pyheta.sweep.syntax import parse
from pyheta.sweep.written import written

_ANSWERS = re.compile(r"write under dataset: (.+?)( \([^()]*\))?$")  # in brackets: remarks
_SEVERAL = re.compile(r"`([^`]+)`")  # where there is a choice


@contextmanager
def answered() -> Iterator[None]:
    """A DataError that prints lines of a sweep says them as KEY=VALUE too."""
    try:
        yield
    except DataError as error:
        here = ", or ".join(_arguments(error.cure))
        if not here:
            raise
        cure = f"{error.cure}; here: {here}"
        raise DataError(error.what, where=error.where, cure=cure) from error


def _arguments(cure: str) -> Iterator[str]:
    """Each answer of a cure as arguments of a command."""
    found = _ANSWERS.search(cure)
    answers = (_SEVERAL.findall(found[1]) or [found[1]]) if found else []
    for lines in filter(None, map(_read, answers)):
        yield " ".join(quote(f"{key}={written(value)}") for key, value in lines.items())


def _read(answer: str) -> Mapping[str, object]:
    """The lines of an answer; none where it is no more than an example."""
    try:
        lines = parse(f"{{{answer}}}", "").data
    except SweepError:
        return {}
    return lines if set(lines) <= set(OPTIONS) else {}
