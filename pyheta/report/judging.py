"""Which of a contest's entries can be told apart by the losses that their runs keep."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pyheta.evaluation.paired import Comparison, Refused, compare
from pyheta.evaluation.series import Series, mean_series
from pyheta.pipeline.losses import Losses
from pyheta.pipeline.splits import Part
from pyheta.report.cells import Entry, Place
from pyheta.report.metrics import Judge
from pyheta.steps import Key

_UNKEPT: Final = "no losses are kept of some results"
_OTHERS: Final = "results are about different windows"


@dataclass(frozen=True, slots=True, order=True)
class Basis:
    """What an interval stands on: which losses of how many windows, drawn in blocks of how many."""

    judge: Judge
    windows: int
    block: int


@dataclass(frozen=True, slots=True)
class _Seat:
    """Where an entry is found in a comparison."""

    comparison: Comparison
    number: int


class Judging:
    """Intervals of paired differences between the entries of one contest.

    An entry has a `_Seat`, or a reason why it has none.
    """

    def __init__(self, entries: Iterable[Entry], losses: Mapping[Key, Losses], part: Part) -> None:
        self._seats: dict[Place, _Seat | str] = {}
        alike: defaultdict[bytes, list[tuple[Entry, Series]]] = defaultdict(list)
        for entry in entries:
            if series := _series(entry, losses, part):
                alike[series.rows.tobytes()].append((entry, series))
            else:
                self._seats[entry.place] = entry.unjudged or _UNKEPT
        for candidates in alike.values():
            self._seats |= _seats(candidates)

    def sign(self, one: Entry, other: Entry) -> tuple[int, Basis] | str:
        """1 where one's losses are larger for sure, -1 where they are smaller, else 0.

        And what that stands on; or why nothing can be said.
        """
        seats = self._beside(one, other)
        if isinstance(seats, str):
            return seats
        judged, judge = seats[0].comparison, one.judge
        assert judge is not None  # noqa: S101 (it would have no seat)
        interval = judged.interval(*(seat.number for seat in seats))
        return interval.sign, Basis(judge, judged.windows, judged.block)

    def same(self, one: Entry, other: Entry) -> bool:
        """Whether both are known to have made the same forecasts."""
        seats = self._beside(one, other)
        return not isinstance(seats, str) and seats[0].comparison.same(
            *(seat.number for seat in seats)
        )

    def _beside(self, one: Entry, other: Entry) -> tuple[_Seat, _Seat] | str:
        first, second = (self._seats[entry.place] for entry in (one, other))
        if isinstance(first, str):
            return first
        if isinstance(second, str):
            return second
        return (first, second) if first.comparison is second.comparison else _OTHERS


def _series(entry: Entry, losses: Mapping[Key, Losses], part: Part) -> Series | None:
    """The mean over its results; None where one of them keeps no losses."""
    if entry.unjudged or not all(score in losses for score in entry.scores):
        return None
    return mean_series([_of(losses[score], part, entry) for score in entry.scores])


def _of(losses: Losses, part: Part, entry: Entry) -> Series:
    """In units of the metric: runs that scale otherwise, or train on other rows, share no other."""
    unit = 1.0 if entry.meaning.unscaled else losses.unit(part, entry.target)
    if entry.judge == "square":
        loss, factor = losses.square(part, entry.target), unit**2
    else:
        loss, factor = losses.absolute(part, entry.target), unit
    return Series(losses.rows(part), factor * loss.astype(np.float64))


def _seats(candidates: Sequence[tuple[Entry, Series]]) -> Mapping[Place, _Seat | str]:
    """Those of candidates with the same windows. All of a contest have the same span."""
    entries, series = zip(*candidates, strict=True)
    try:
        comparison = compare(series, entries[0].span)
    except Refused as refused:
        return {entry.place: str(refused) for entry in entries}
    return {entry.place: _Seat(comparison, number) for number, entry in enumerate(entries)}
