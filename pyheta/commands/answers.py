"""The answers to a question about a data set, as they are written on a command line."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from shlex import quote
from typing import Any

from pyheta.pipeline.data.questions import Question, flow


@contextmanager
def answered() -> Iterator[None]:
    """A question says its answers as KEY=VALUE too."""
    try:
        yield
    except Question as question:
        if question.answers:
            here = ", or ".join(_arguments(answer.options) for answer in question.answers)
            question.cure += f"; here: {here}"
        raise


def _arguments(options: Mapping[str, Any]) -> str:
    return " ".join(quote(f"{key}={flow(value)}") for key, value in options.items())
