"""How the cells of a table compare: which is best, and what cannot be told apart from it.

Two results are told apart where their means and the interval of their paired difference
(`pyheta.evaluation`) say the same. Where there is no interval, means alone decide, and the table
says why.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pyheta.pipeline.losses import Losses
from pyheta.pipeline.splits import Part
from pyheta.report.cells import Cell, Entry, Place
from pyheta.report.judging import Basis, Judging
from pyheta.steps import Key

#: So many results of one contest are compared by intervals, beside all baselines.
MOST_CANDIDATES: Final = 63
#: The losses of so many scores are read for one table.
MOST_SCORES: Final = 2000

_BEYOND: Final = f"beside the baselines, only the best {MOST_CANDIDATES} have intervals"
_TOO_MANY: Final = f"a table reads the losses of {MOST_SCORES:,} scores at most"


@dataclass(frozen=True, slots=True)
class Marks:
    """The cells of a table with their marks, and how these were found."""

    cells: Mapping[Place, Cell]
    bases: tuple[Basis, ...]
    by_means: tuple[tuple[str, str], ...]  # a metric whose means alone were compared, and why
    same: bool  # several are best somewhere, and wherever that is they made the same forecasts


def scores_to_read(entries: Iterable[Entry]) -> Sequence[Key]:
    """The scores whose losses say how these entries compare."""
    chosen = _with_limits(_contests(entries))
    judged = (entry for entry in chosen if not entry.unjudged)
    return tuple(dict.fromkeys(score for entry in judged for score in entry.scores))


def mark(entries: Sequence[Entry], losses: Mapping[Key, Losses], part: Part) -> Marks:
    """Mark the best of each contest, what cannot be told apart from it, and how baselines compare.

    `losses` are those of `scores_to_read`, where the store has them. What saw the future takes part
    in no contest.
    """
    limited = _with_limits(_contests(entries))
    contests = [_Contest(rivals, losses, part) for rivals in _contests(limited).values()]
    compared = {place: cell for contest in contests for place, cell in contest.cells()}
    ties = [contest.same for contest in contests if contest.same is not None]
    return Marks(
        cells={entry.place: compared.get(entry.place, entry.cell) for entry in entries},
        bases=tuple(sorted({basis for contest in contests for basis in contest.bases})),
        by_means=tuple(dict.fromkeys(reason for contest in contests for reason in contest.reasons)),
        same=bool(ties) and all(ties),
    )


def _contests(entries: Iterable[Entry]) -> Mapping[str, Sequence[Entry]]:
    """Those that have a result, by what they compete in."""
    contests: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.loss is not None and not entry.cell.leaks:
            contests[entry.contest].append(entry)
    return contests


def _with_limits(contests: Mapping[str, Sequence[Entry]]) -> Iterator[Entry]:
    """Those that are not alone; where too many losses would have to be read, with that reason."""
    scores: set[Key] = set()
    for rivals in contests.values():
        if len(rivals) == 1:
            continue
        limited = list(_ranked(rivals))
        more = {score for entry in limited if not entry.unjudged for score in entry.scores}
        if len(scores | more) <= MOST_SCORES:
            scores |= more
            yield from limited
        else:
            yield from (replace(entry, unjudged=entry.unjudged or _TOO_MANY) for entry in rivals)


def _ranked(rivals: Sequence[Entry]) -> Iterator[Entry]:
    """The best first, and which of them are compared by their means alone."""
    nets = 0
    for entry in sorted(rivals, key=_loss):
        nets += entry.baseline is None
        beyond = entry.baseline is None and nets > MOST_CANDIDATES
        yield replace(entry, unjudged=entry.unjudged or _BEYOND) if beyond else entry


def _loss(entry: Entry) -> float:
    loss = entry.loss
    assert loss is not None  # noqa: S101 (`_contests` takes no others)
    return loss


class _Contest:
    """At least two entries that answer one question by one metric."""

    def __init__(self, rivals: Sequence[Entry], losses: Mapping[Key, Losses], part: Part) -> None:
        self.bases: set[Basis] = set()
        self.reasons: dict[tuple[str, str], None] = {}
        self.same: bool | None = None  # of those that are best; None where one is
        self._rivals = sorted(rivals, key=_loss)
        self._judging = Judging(rivals, losses, part)

    def cells(self) -> Iterator[tuple[Place, Cell]]:
        """Each with its marks."""
        bars = self._bars()
        for rival in self._rivals:
            yield rival.place, self._beside_bars(self._beside_best(rival), rival, bars)

    def _bars(self) -> Mapping[str, Entry]:
        """The best row of each baseline by its name, in the order of the table."""
        bars: dict[str, Entry] = {}
        for rival in self._rivals:
            if rival.baseline:
                bars.setdefault(rival.baseline, rival)
        return dict(sorted(bars.items(), key=lambda item: item[1].place))

    def _beside_best(self, rival: Entry) -> Cell:
        first = self._rivals[0]
        best = rival.loss == first.loss
        if best and rival is not first:
            self.same = self.same is not False and self._judging.same(rival, first)
        return replace(rival.cell, best=best, tied=not best and self._sign(rival, first) == 0)

    def _beside_bars(self, cell: Cell, rival: Entry, bars: Mapping[str, Entry]) -> Cell:
        signs: defaultdict[int, list[str]] = defaultdict(list)
        for name, bar in () if rival.beside else bars.items():
            if name != rival.baseline:
                signs[self._sign(rival, bar)].append(name)
        return replace(
            cell,
            worse_than=tuple(signs[1]),
            tied_with=tuple(signs[0]),
            better_than=tuple(signs[-1]),
        )

    def _sign(self, one: Entry, other: Entry) -> int:
        """1 where one is worse than the other, -1 where it is better, 0 where nothing tells."""
        by_means = (_loss(one) > _loss(other)) - (_loss(one) < _loss(other))
        judged = self._judging.sign(one, other)
        if isinstance(judged, str):
            self.reasons[one.metric, judged] = None
            return by_means
        by_losses, basis = judged
        self.bases.add(basis)
        return by_means if by_losses == by_means else 0
