"""Which line of a file has the names of its columns, and which lines around it are no rows.

Nothing is known but how cells look. Some columns hold data, numbers or times, in the later half of
what is looked at; the first of these is the *lead*. The first record that has data there is the
first row, and the last one before it that has names is the header.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pyheta.errors import DataError
from pyheta.pipeline.data.files.looks import is_data, is_missing, is_name, is_rule, is_unit
from pyheta.pipeline.data.files.rawtable import quoted
from pyheta.pipeline.data.files.records import Record
from pyheta.pipeline.data.questions import Answer, Question

LOOKS = 100_000  # cells that are looked at, about
ENOUGH = 0.6  # of a column's cells make it one of data
YEARS = range(1500, 2500)


@dataclass(frozen=True, slots=True)
class Layout:
    """Titles are lines before the names, units stand between these and the first row."""

    names: list[str]  # one for each column; empty where there is none
    first_line: int  # of the first row
    width: int  # the usual number of cells of a row
    lead: int | None  # the first column of data; none in a table of texts
    titles: int = 0  # records
    units: bool = False
    stacked: int = 0  # lines of names, where there are several


@dataclass(frozen=True, slots=True)
class _Look:
    """The first records of a file, without comments and empty lines."""

    found: Sequence[Record]
    name: str
    width: int
    data: Sequence[int]  # the columns that hold data

    @property
    def lead(self) -> int | None:
        return self.data[0] if self.data else None

    @property
    def start(self) -> int:
        """The place of the first row; of what follows the last one where there is none."""
        rows = (i for i, record in enumerate(self.found) if self.is_row(record))
        return next(rows, len(self.found))

    def is_row(self, record: Record) -> bool:
        """Whether it has data in the lead; a title may, but has fewer or more cells."""
        is_wide = self.width < 2 * len(record) <= 2 * self.width
        return self.lead is not None and is_wide and is_data("".join(record.cells[self.lead :][:1]))

    def may_name(self, place: int) -> bool:
        """Whether a record before the first row may have the names."""
        cells = self.found[place].cells
        is_next = place + 1 == self.start
        is_short = is_next and len(cells) == self.width - 1 > 1
        fits = is_short or len(cells) >= self.width
        named = any(is_name(cells[column]) for column in self.data if column < len(cells))
        return fits and (named or (place == 0 and not cells[0]))

    def is_title(self, place: int) -> bool:
        """Whether only the first of several cells is filled, as sheets write a title."""
        filled = [not is_missing(cell) for cell in self.found[place].cells]
        return len(filled) > 1 and filled[0] and sum(filled) == 1

    def is_pure(self, place: int) -> bool:
        """Whether nothing looks like data where there are data below."""
        cells = self.found[place].cells
        return not any(is_data(cells[column]) for column in self.data if column < len(cells))


def find_layout(
    found: Sequence[Record], commented: Sequence[Record], name: str, *, chosen: bool
) -> Layout:
    """`commented` are the comments before the first record, without their marks.

    Where the user has `chosen` the line of the names, it is the first record. Raises DataError if
    no line has the names, or if two lines may.
    """
    width = _usual_width(found)
    look = _Look(found, name, width, _data_columns(found, width))
    if stacked := _stacked(look):
        return replace(_layout(look, stacked, look.start), stacked=look.start)
    header = 0 if chosen else _header(look)
    if header is not None:
        following = found[header + 1 : header + 2]
        units = any(are_units(record) and not look.is_row(record) for record in following)
        names = found[header].cells
        return _layout(look, names, header + 1 + units, titles=header, units=units)
    said = [record for record in commented if any(record.cells)]
    if said and len(said[-1]) == width:
        return _layout(look, said[-1].cells, 0)
    raise _no_names(look)


def is_ruled(record: Record) -> bool:
    """Whether it has no cell, but maybe a line that is drawn."""
    return all(map(is_rule, record.cells))


def are_units(record: Record) -> bool:
    """Whether all that stands in a line, but for the column of times, is a unit."""
    filled = [cell for cell in record.cells[1:] if cell.strip()] or record.cells[:1]
    return all(map(is_unit, filled))


def _usual_width(found: Sequence[Record]) -> int:
    every = Counter(map(len, found))
    later = Counter(map(len, found[len(found) // 2 :]))
    return max(later, key=lambda width: (later[width], every[width], width))


def _data_columns(found: Sequence[Record], width: int) -> list[int]:
    rows = [record.cells for record in found[len(found) // 2 :] if len(record) == width]
    rows = rows[: max(5, LOOKS // width)]
    return [column for column in range(width) if _holds_data([cells[column] for cells in rows])]


def _holds_data(cells: Sequence[str]) -> bool:
    known = [cell for cell in cells if not is_missing(cell)]
    return bool(known) and sum(map(is_data, known)) >= ENOUGH * len(known)


def _header(look: _Look) -> int | None:
    """The place of the record with the names."""
    if look.lead is None:
        return next(i for i, record in enumerate(look.found) if len(record) == look.width)
    possible = [place for place in range(look.start) if look.may_name(place)]
    before = [place for place in possible if not look.is_title(place)] or possible[-1:]
    if len(before) > 1 and before[-1] - before[-2] == 1 and are_units(look.found[before[-1]]):
        return before[-2]
    if before:
        pure = [place for place in before if look.is_pure(place)]
        return _last(look, pure) if pure else before[-1]
    return look.start if _are_numbers_as_names(look) else None


def _are_numbers_as_names(look: _Look) -> bool:
    """Whether the first row, with no names above, counts columns from 0, or counts years."""
    cells = look.found[look.start].cells
    texts = [cells[column] for column in look.data if column < len(cells)]
    if not all(text.isascii() and text.isdigit() for text in texts):
        return False
    numbers = [int(text) for text in texts]
    grow = all(after == before + 1 for before, after in pairwise(numbers))
    more = len(numbers) + any(map(is_name, cells))
    return grow and more > 2 and (numbers[0] == 0 or numbers[0] in YEARS)  # noqa: PLR2004


def _last(look: _Look, pure: Sequence[int]) -> int:
    """The last line of names; of two that follow each other, the one that is full.

    Two full ones may be a title and names, or names and units: who knows? Raises Question.
    """
    last = look.found[pure[-1]]
    above = look.found[pure[-2]] if len(pure) > 1 else None
    if above is None or last.line - above.line != 1 or not _is_full(look, above):
        return pure[-1]
    if not _is_full(look, last):
        return pure[-2]
    (one, first), (two, second) = (
        (record.line, quoted(",".join(record.cells))) for record in (above, last)
    )
    what = f"lines {one} ({first}) and {two} ({second}) both look like names of columns"
    upper = Answer({"skip_rows": one - 1}, "for the first")
    lower = Answer({"skip_rows": two - 1}, "for the second")
    raise Question(what, upper, lower, where=look.name)


def _is_full(look: _Look, record: Record) -> bool:
    return len(record) == look.width and all(map(is_name, record.cells))


def _stacked(look: _Look) -> list[str] | None:
    """The names where pandas wrote several lines of them, then one with the index's name alone."""
    last = look.start - 1
    if not 0 < last < len(look.found) - 1 or look.width == 1:
        return None
    index, *others = look.found[last].cells
    above = [record for record in look.found[:last] if len(record) == look.width]
    is_alone = not is_missing(index) and not any(others) and len(others) + 1 == look.width
    if not is_alone or len(above) != last or last == 1:
        return None
    levels = [record.cells[1:] for record in above]
    telling = [cells for cells in levels if len(set(cells)) > 1] or levels[:1]
    return [index, *(" ".join(parts) for parts in zip(*telling, strict=True))]


def _layout(
    look: _Look, names: Sequence[str], first: int, *, titles: int = 0, units: bool = False
) -> Layout:
    last = look.found[-1]
    line = look.found[first].line if first < len(look.found) else last.line + 1
    full = _full(look, list(names), look.found[first:])
    return Layout(full, line, look.width, look.lead, titles, units)


def _full(look: _Look, names: list[str], rows: Sequence[Record]) -> list[str]:
    """A name for each column: R leaves that of row names out, others end rows in a separator."""
    more = look.width - len(names) if rows else 0
    if more == 1 and not any(record.cells[-1] for record in rows if len(record) == look.width):
        return [*names, ""]
    if more == 1 and len(names) > 1:
        return ["", *names]
    if more > 0:
        raise _too_few(look, len(names))
    return names


def _too_few(look: _Look, names: int) -> DataError:
    what = f"{look.width} cells in a row, but {names} name{'s' * (names > 1)} of columns"
    answer = Answer({"decimal": ","}, "if commas stand in the numbers")
    return Question(what, answer, where=look.name)


def _no_names(look: _Look) -> DataError:
    row = look.found[look.start]
    if look.start and len(look.found[look.start - 1]) < look.width:
        return _too_few(look, len(look.found[look.start - 1]))
    what = f"its first line is data ({quoted(','.join(row.cells))}), not names of columns"
    answer = Answer({"skip_rows": row.line - 1}, "if these are names")
    return Question(what, answer, where=look.name, lead="add a line with names above it, or")
