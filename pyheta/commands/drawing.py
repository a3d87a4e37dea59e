"""A series as a line in the terminal, with its values beside it and its times below."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from pyheta.pipeline.arrays import Floats, Rows
from pyheta.pipeline.data.look import Course

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (tables have no zone)
HEIGHT = 11  # lines; odd, so that one is the middle
ACROSS, DOWN = 2, 4  # dots of one character
MOST = 4  # rows of one column of dots that are drawn
BROKEN = 1.5  # usual steps after which a line is not drawn on

LABELS = {3 * 365: "%Y-%m", 3: "%Y-%m-%d", 0: "%m-%d %H:%M"}  # from so many days on
GAP = 3  # blanks between two labels, at least


class LinePlot:
    """A course as wide as the screen. Rows without a value, and times without rows, are blank."""

    def __init__(self, course: Course, *, counted: bool, even: bool) -> None:
        """`even` rows are as far apart as they should be, whatever the calendar says."""
        self.course = course
        self.counted = counted
        self.even = even

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.ascii_only:
            yield Text(f"A drawing needs a terminal in UTF-8; this one has {console.encoding}.")
            return
        bottom, top = _range(self.course.values)
        sides = _side_labels(bottom, top)
        side = max(map(cell_len, sides))
        width = options.max_width - side - 3
        lines = self._canvas(width, bottom, top).splitlines()
        for label, line in zip(sides, lines, strict=True):
            yield Text(f"{label:>{side}} {'┤' if label else '│'}{line}", no_wrap=True)
        yield from (Text(" " * side + " " + line, no_wrap=True) for line in self._below(width))

    def _canvas(self, width: int, bottom: float, top: float) -> str:
        from plotille import Canvas

        across, down = width * ACROSS, HEIGHT * DOWN
        canvas = Canvas(width, HEIGHT, 0, 0, across, down)
        columns = _scaled(self.course.times, across)
        heights = _scaled(self.course.values, down, bottom, top)
        for first, second in _strokes(self.course.values, self._broken(), columns):
            start = int(columns[first]), int(heights[first])
            canvas.line(*start, int(columns[second]), int(heights[second]))
        return str(canvas.plot())

    def _broken(self) -> NDArray[np.bool_]:
        """(rows,): where no line comes from the row before."""
        missing = ~np.isfinite(self.course.values)
        if self.even or len(missing) < 2:  # noqa: PLR2004 (two rows make a step)
            return missing
        steps = np.diff(self.course.times)
        return missing | np.concatenate(([False], steps > BROKEN * np.median(steps)))

    def _below(self, width: int) -> Iterator[str]:
        """The axis of times: a line with ticks, and what they stand for."""
        first, last = int(self.course.times[0]), int(self.course.times[-1])
        labels = _time_labels(first, last, width, counted=self.counted)
        yield "└" + "".join("┬" if column in labels else "─" for column in range(width))
        line = ""
        for column, label in labels.items():
            start = min(max(0, column + 1 - len(label) // 2), width + 1 - len(label))
            line = line.ljust(start) + label
        yield line


def _range(values: Floats) -> tuple[float, float]:
    """The least and the largest value, never equal."""
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0, 1.0
    bottom, top = float(known.min()), float(known.max())
    around = abs(bottom) / 2 or 0.5
    return (bottom, top) if bottom < top else (bottom - around, top + around)


def _scaled(
    values: NDArray[np.number], dots: int, least: float | None = None, most: float | None = None
) -> Rows:
    """The dot of each value, from 0 to `dots` - 1."""
    bottom = float(values[0]) if least is None else least
    top = float(values[-1]) if most is None else most
    known = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=bottom)
    share = (known - bottom) / (top - bottom or 1.0)
    return np.rint(share * (dots - 1)).astype(np.int64)


def _strokes(values: Floats, broken: NDArray[np.bool_], columns: Rows) -> Iterator[tuple[int, int]]:
    """Pairs of rows that a line joins; a row that nothing leads to stands alone."""
    rows = _telling(values, columns)
    stretch = np.cumsum(broken)
    yield from ((row, row) for row in rows[:1])
    for before, row in pairwise(rows):
        yield (before if stretch[before] == stretch[row] else row), row


def _telling(values: Floats, columns: Rows) -> list[int]:
    """The rows with a value; of many in one column the first, the least, the most and the last."""
    rows = np.flatnonzero(np.isfinite(values))
    _, starts = np.unique(columns[rows], return_index=True)
    if len(rows) <= MOST * len(starts):
        return [int(row) for row in rows]
    told: list[int] = []
    for group in np.split(rows, starts[1:]):
        extremes = group[values[group].argmin()], group[values[group].argmax()]
        told += sorted({int(row) for row in (group[0], *extremes, group[-1])})
    return told


def _side_labels(bottom: float, top: float) -> list[str]:
    """One for each line: the largest value, the middle and the least."""
    labels = [""] * HEIGHT
    labels[0], labels[HEIGHT // 2], labels[-1] = (
        number(value) for value in (top, bottom + (top - bottom) / 2, bottom)
    )
    return labels


def number(value: float) -> str:
    """Five digits of a number, all of it where it has no more."""
    return f"{value:,.0f}" if 1e5 <= abs(value) < 1e9 else f"{value:.5g}"  # noqa: PLR2004


def _time_labels(first: int, last: int, width: int, *, counted: bool) -> dict[int, str]:
    """Column -> the time there, as many as stand beside each other."""
    days = (last - first) / 86_400e6
    form = next(form for least, form in LABELS.items() if days >= least)

    def label(column: int) -> str:
        at = first + round((last - first) * column / (width - 1))
        return f"{at:,}" if counted else f"{EPOCH + timedelta(microseconds=at):{form}}"

    longest = max(len(label(0)), len(label(width - 1)))
    ticks = max(2, min(6, width // (longest + GAP)))
    columns = [round(tick * (width - 1) / (ticks - 1)) for tick in range(ticks)]
    return {column: label(column) for column in columns}
