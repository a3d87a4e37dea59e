"""The options that an error prints for a sweep, as they are written on a command line."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from shlex import quote

from pyheta.errors import DataError, SweepError
from pyheta.sweep.dataset import OPTIONS
from pyheta.sweep.syntax import parse
from pyheta.sweep.written import written

_LINES = re.compile(r"write under dataset: (.+?)( \([^()]*\))?$")  # in brackets: other answers


@contextmanager
def answered() -> Iterator[None]:
    """A DataError that prints lines of a sweep says them as KEY=VALUE too."""
    try:
        yield
    except DataError as error:
        here = " ".join(quote(f"{key}={written(value)}") for key, value in _answer(error).items())
        if not here:
            raise
        cure = f"{error.cure}, or here: {here}"
        raise DataError(error.what, where=error.where, cure=cure) from error


def _answer(error: DataError) -> Mapping[str, object]:
    """The lines that it prints; none where they are no more than an example."""
    lines = _LINES.search(error.cure)
    try:
        answer = parse(f"{{{lines[1]}}}", "").data if lines else {}
    except SweepError:
        return {}
    return answer if set(answer) <= set(OPTIONS) else {}
