"""How things look on a terminal, in a pipe and in a log file.

Results go to standard output, everything else (progress, notes, warnings, logs) to standard error,
so that `pyheta … > file` keeps results only.
"""

import dataclasses
import io
import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from pyheta.steps import State

STATE_STYLE: Mapping[State, str] = {
    State.WAITING: "dim",
    State.QUEUED: "",
    State.RUNNING: "cyan",
    State.SUCCEEDED: "green",
    State.FAILED: "bold red",
    State.CANCELLED: "yellow",
}

PIPE_WIDTH = 200  # without a terminal, lines may be long
LEAST_WIDTH = 60  # narrower than this, nothing can be laid out
BETWEEN = 3  # characters from one column of a listing to the next

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Screen:
    """Standard output and standard error of one command."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.out = _console(stderr=False)
        self.err = _console(stderr=True)

    @property
    def live(self) -> bool:
        """Whether somebody watches standard error on a terminal, so that a view may be redrawn."""
        return self.err.is_terminal and not self.quiet

    def show(self, *results: RenderableType) -> None:
        """Print results."""
        for result in results:
            needed = Measurement.get(self.out, self.out.options, result).minimum
            self.out.print(result, width=max(self.out.width, needed), crop=False)

    def text(self, text: str) -> None:
        """Print a result as it is, whatever the width."""
        self.out.file.write(text)

    def json(self, value: object) -> None:
        """Print one JSON document."""
        self.text(to_json(value) + "\n")

    def note(self, text: str) -> None:
        """Say something that is not the result; `--quiet` leaves it out."""
        if not self.quiet:
            self.err.print(Text(text))

    def warn(self, text: str) -> None:
        """Say something that the user should look into, even with `--quiet`."""
        self.err.print(Text(f"pyheta: warning: {text}", style="yellow"))

    def log(self, level: str) -> None:
        """Print log records of this level ("INFO", "WARNING") or above on standard error."""
        logging.basicConfig(
            level=level, handlers=[_LogLines(self.err)], format=_LOG, datefmt="%H:%M:%S"
        )


_LOG = "%(asctime)s %(levelname)s %(message)s"


class _LogLines(logging.Handler):
    """Prints log records through a console, so that they do not disturb a redrawn view."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        style = "yellow" if record.levelno >= logging.WARNING else "dim"
        self._console.print(Text(plain(self.format(record)), style=style))


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")  # a terminal that cannot show "±" shows "?"
    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    elif console.width < LEAST_WIDTH:
        console.width = LEAST_WIDTH
    return console


class Listing(Table):
    """A table that never breaks its numbers (right-aligned columns) or heads, on any screen."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        super().add_row(*cells, **options)
        for column, cell in zip(self.columns, cells, strict=True):
            if column.no_wrap:
                column.min_width = max(column.min_width or 0, cell_len(str(cell)))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Where numbers alone are too wide, rich would squeeze what names their rows to nothing."""
        least = sum((column.min_width or 0) + BETWEEN for column in self.columns) - BETWEEN
        wide_enough = options.update(max_width=max(options.max_width, least))
        yield from super().__rich_console__(console, wide_enough)


def table(*heads: str | Text, title: str | None = None) -> Listing:
    """An empty table in the one style of all listings; `right` makes the heads of numbers."""
    made = Listing(
        box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, show_edge=False
    )
    for head in heads:
        number = isinstance(head, Text)
        made.add_column(
            head,
            justify="right" if number else "left",
            overflow="fold",
            no_wrap=number,
            min_width=len(head),
        )
    return made


def parts(*renderables: RenderableType) -> Group:
    """Several things below each other, with empty lines between them."""
    spaced = [part for renderable in renderables for part in ("", renderable)]
    return Group(*spaced[1:])


def right(*heads: str) -> list[Text]:
    """Heads of columns that hold numbers."""
    return [Text(head, justify="right") for head in heads]


def plain(text: str) -> str:
    """Text from outside, without escape sequences and control characters but tabs and line ends."""
    return _CONTROL.sub("", text)


def duration(seconds: float) -> str:
    """A length of time in its two largest units: "3 h 07 min"."""
    if seconds < 10:  # noqa: PLR2004 (below, tenths matter)
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 (seconds in a minute)
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 (minutes in an hour)
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"  # noqa: PLR2004


def moment(when: datetime) -> str:
    """A point in time on this machine's clock."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def count(number: int, word: str, plural: str = "") -> str:
    """A number and its word: "1 run", "12,000 runs"."""
    return f"{number:,} {word if number == 1 else plural or word + 's'}"


def volume(size: float) -> str:
    """A number of bytes: "17 B", "1.2 MiB"."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:  # noqa: PLR2004 (the next unit's size)
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:,.1f} TiB"


def to_json(value: object) -> str:
    """JSON of dataclasses, mappings, sequences, times and identifiers."""
    return json.dumps(value, default=_plain_data, ensure_ascii=False, indent=2, allow_nan=False)


def _plain_data(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, UUID | Path):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
