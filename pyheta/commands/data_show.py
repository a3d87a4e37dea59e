"""A data set drawn in the terminal, with what its columns look like in numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from pyheta.commands.data_check import share_in_words, step_in_words
from pyheta.commands.drawing import LinePlot, number
from pyheta.errors import InputError, nearest
from pyheta.pipeline.data.guess import Guess, guess_among
from pyheta.pipeline.data.look import Course, Sight, look
from pyheta.pipeline.data.profile import Profile, profile
from pyheta.pipeline.data.sources import Bring, as_it_is
from pyheta.screen import Listing, count, duration, parts, plain, right, table
from pyheta.sweep.dataset import read_dataset

MOST_DRAWN = 8
MOST_LISTED = 30
SECOND = 1e6  # microseconds
NARROW = 20  # seasons of a course whose end is drawn too
SEASONS = 8  # of that end
BAR = 24  # characters of an autocorrelation of 1


@dataclass(frozen=True, slots=True)
class Shown:
    """A sight of a data set: the columns that are drawn, and why they are; a profile of each."""

    sight: Sight
    drawn: Sequence[Guess]
    profiles: Mapping[str, Profile]


def show(
    named: str,
    columns: Sequence[str],
    options: Sequence[str],
    data: Path | None,
    bring: Bring = as_it_is,
) -> Shown:
    """Look at a data set; without columns, at the one that is probably to be forecast.

    Raises InputError.
    """
    sight = look(bring(read_dataset(named, options)), base=Path.cwd(), data=data)
    if len(columns) > MOST_DRAWN:
        raise InputError(f"{len(columns)} columns to draw", cure=f"name at most {MOST_DRAWN}")
    drawn = [Guess(_known(column, sight), "") for column in columns] or [_guess(sight)]
    lags = _lags(sight)
    profiles = {name: profile(course.values, lags) for name, course in sight.columns.items()}
    return Shown(sight, drawn, profiles)


def _known(column: str, sight: Sight) -> str:
    if column in sight.columns:
        return column
    if column in sight.unused:
        raise sight.unused[column]
    raise InputError(f"no column '{column}'", cure=nearest(column, list(sight.columns)))


def _guess(sight: Sight) -> Guess:
    usable = [name for name in sight.columns if name not in sight.unused] or list(sight.columns)
    changing = [name for name in usable if _changes(sight.columns[name])]
    return guess_among(changing or usable)


def _changes(course: Course) -> bool:
    known = course.values[np.isfinite(course.values)]
    return bool(known.size) and bool((known != known[0]).any())


def _lags(sight: Sight) -> list[int]:
    """Rows that are looked at beside each other: the next one, and those of the next season."""
    if sight.cadence is None:
        return []
    return list(dict.fromkeys((1, sight.cadence.season or 1)))


def _gaps(sight: Sight) -> tuple[int, float]:
    """How many steps are longer than the usual one, and the longest: in seconds, or as counted.

    None are where a cadence was found.
    """
    steps = np.diff(next(iter(sight.columns.values())).times)
    long = steps[steps > np.median(steps)] if sight.cadence is None else steps[:0]
    return long.size, float(long.max(initial=0)) / (1 if sight.counted else SECOND)


def shown_json(shown: Shown) -> Mapping[str, Any]:
    """What machines are told of it."""
    sight = shown.sight
    return {
        "drawn": [{"column": guess.column, "why": guess.why} for guess in shown.drawn],
        "step": step_in_words(sight.cadence) if sight.cadence else None,
        "season": sight.cadence.season if sight.cadence else None,
        "gaps": dict(zip(("count", "longest"), _gaps(sight), strict=True)),
        "columns": shown.profiles,
        "left_out": {name: str(error) for name, error in sight.unused.items()},
        "refused": str(sight.refused) if sight.refused else None,
    }


def shown_view(shown: Shown) -> RenderableType:
    drawings = (part for guess in shown.drawn for part in _drawing(guess, shown))
    return parts(*drawings, _listing(shown), Text("\n".join(_sentences(shown))))


def _drawing(guess: Guess, shown: Shown) -> Iterator[RenderableType]:
    """The whole course; of one column alone its end too, where seasons would be too narrow."""
    course = shown.sight.columns[guess.column]
    why = f": probably the one to forecast, {guess.why}" if guess.why else ""
    yield _plot(guess.column + why, course, shown.sight)
    season = (shown.sight.cadence and shown.sight.cadence.season) or 1
    if len(shown.drawn) == 1 and season > 1 and len(course.times) >= NARROW * season:
        end = Course(course.times[-SEASONS * season :], course.values[-SEASONS * season :])
        yield _plot(f"its last {SEASONS} seasons, of {season} rows each", end, shown.sight)
    if bars := shown.profiles[guess.column].autocorrelation:
        yield _bars(bars)


def _plot(title: str, course: Course, sight: Sight) -> Group:
    plot = LinePlot(course, counted=sight.counted, even=sight.cadence is not None)
    return Group(Text(plain(title), style="bold"), plot)


def _bars(autocorrelation: Mapping[int, float]) -> RenderableType:
    shown = table("autocorrelation", *right(""), "")
    for lag, value in autocorrelation.items():
        bar = ("█" if value > 0 else "░") * round(BAR * abs(value))
        shown.add_row(f"{count(lag, 'row')} later", f"{value:.2f}", bar)
    return shown


def _listing(shown: Shown) -> Listing:
    """The columns that are drawn, then the others."""
    listed = table("column", *right("min", "mean", "max", "missing", "zeros", "constant"))
    names = dict.fromkeys([*(guess.column for guess in shown.drawn), *shown.profiles])
    for name in list(names)[:MOST_LISTED]:
        of = shown.profiles[name]
        ends = ("" if value is None else number(value) for value in (of.least, of.mean, of.most))
        missing = f"{100 * of.missing / of.rows:.2g} %" if of.missing else "0"
        listed.add_row(plain(name), *ends, missing, f"{of.zeros:,}", f"{of.longest_constant:,}")
    return listed


def _sentences(shown: Shown) -> Iterator[str]:
    sight, profiles = shown.sight, shown.profiles
    if len(profiles) > MOST_LISTED:
        yield f"{len(profiles) - MOST_LISTED} more columns; --json has all of them."
    yield "constant: rows in the longest stretch of one value."
    if sight.cadence:
        rows = next(iter(profiles.values())).rows
        yield f"{count(rows, 'row')}, {step_in_words(sight.cadence)}."
    yield from _about_gaps(sight)
    yield from (plain(text) for guess in shown.drawn for text in _about(guess.column, shown))


def _about_gaps(sight: Sight) -> Iterator[str]:
    gaps, longest = _gaps(sight)
    if gaps:
        length = f"{longest:,.0f}" if sight.counted else duration(longest)
        yield f"{count(gaps, 'gap')} between rows, the longest {length}."


def _about(column: str, shown: Shown) -> Iterator[str]:
    """What is missing of a column, and why no run can use it."""
    of = shown.profiles[column]
    if of.missing:
        stretch = count(of.longest_missing, "row")
        missing = share_in_words(of.missing, of.rows, "value")
        yield f"{column}: {missing} are missing, at most {stretch} at a time."
    if column in shown.sight.unused:
        yield f"No run can use it: {shown.sight.unused[column]}"
