"""What a reader of results has to know of their data: changed cells, columns declared as known,
levels that training never saw, rows left out.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.splits import PARTS, Split
from pyheta.pipeline.transforms import CHANGES
from pyheta.section import Section
from pyheta.sweep import Run, RunConfig

#: What is forecast of which data: data set, split and targets.
Question = tuple[Section, Section, tuple[str, ...]]

#: How many of the training values lie below a level that is high, or above one that is low.
USUAL = 0.99
#: What share of the test values may lie beyond such a level.
BEYOND = 0.5

#: So many sentences are said; a panel of many series could have thousands.
MOST = 20


def found_notes(facts: Iterable[DatasetFacts]) -> tuple[str, ...]:
    """What was found in the data sets; of several what holds for all: they may be hundreds."""
    first, *others = (dataset.notes for dataset in facts)
    return _at_most([note for note in first if all(note in notes for notes in others)])


def _at_most(sentences: Collection[str]) -> tuple[str, ...]:
    more = [f"{len(sentences) - MOST:,} more like these."] if len(sentences) > MOST else []
    return (*tuple(sentences)[:MOST], *more)


def data_notes(runs: Sequence[Run], facts: Mapping[Section, DatasetFacts]) -> tuple[str, ...]:
    """A sentence for each changed column that a run reads, and for each column declared as known;
    before them one on levels that training never saw.

    The runs fit their data.
    """
    written: dict[str, None] = {}
    seen: set[tuple[object, ...]] = set()
    for run in runs:
        config = run.config
        what = (config.dataset, config.split, config.target, config.exog)
        if what not in seen:
            seen.add(what)
            written |= dict.fromkeys(_notes(config, facts[config.dataset]))
    return (*_of_trends(runs, facts), *_at_most(written))


class Trend(NamedTuple):
    """What share of a target's test values lies beyond nearly all training values, on which side.

    `name` has the series too, where there are several.
    """

    share: float
    side: str
    name: str


def _of_trends(runs: Iterable[Run], facts: Mapping[Section, DatasetFacts]) -> Iterator[str]:
    """One sentence on targets whose level moves away, where nothing is done about it."""
    found: dict[Trend, None] = {}
    nets: dict[str, None] = {}
    for config, names in _bound_to_levels(runs):
        if trends := list(_trends(config, facts[config.dataset])):
            found |= dict.fromkeys(trends)
            nets |= dict.fromkeys(names)
    if found:
        worst, *others = sorted(found, reverse=True)
        targets = f"{len(others):,} other target{'s' * (len(others) > 1)}"
        more = f", and those of {targets} likewise" if others else ""
        yield (
            f"{worst.name}: {100 * worst.share:.0f} % of the test values lie {worst.side} "
            f"{100 * USUAL:.0f} % of the training values{more}. {', '.join(nets)} may miss levels "
            "that training never saw: try transform: diff, or net.instance_norm: true."
        )


def _bound_to_levels(runs: Iterable[Run]) -> Iterator[tuple[RunConfig, Sequence[str]]]:
    """A run of each data set, split and target, and which of its nets go, in all runs, by the level
    of what they have learned from.
    """
    first: dict[Question, RunConfig] = {}
    follows: dict[Question, dict[str, bool]] = defaultdict(lambda: defaultdict(bool))
    for config in _differently_treated(runs):
        question: Question = (config.dataset, config.split, config.target)
        first.setdefault(question, config)
        for net in config.nets().values():
            follows[question][net.net.name] |= net.net.follows_level or net.transform in CHANGES
    for question, config in first.items():
        if names := [name for name, free in follows[question].items() if not free]:
            yield config, names


def _differently_treated(runs: Iterable[Run]) -> Iterable[RunConfig]:
    """Of runs that do the same with their targets' levels one; none of baselines."""
    of_nets = (run.config for run in runs if run.role == "net")
    return {
        (it.dataset, it.split, it.target, it.net, it.transform, it.decompose, it.components): it
        for it in of_nets
    }.values()


def _trends(config: RunConfig, facts: DatasetFacts) -> Iterator[Trend]:
    *_, split = config.split.splits(facts)  # of folds the last one, whose test part is farthest off
    start = f"{config.series}: " if config.series else ""
    for column in config.target:
        train, test = (_known(column, split.targets(part), facts) for part in ("train", "test"))
        if train.size and test.size:
            low, high = np.quantile(train, [1 - USUAL, USUAL])
            above, below = float((test > high).mean()), float((test < low).mean())
            share, side = max((above, "above"), (below, "below"))
            if share > BEYOND:
                yield Trend(share, side, start + column)


def _known(column: str, rows: tuple[int, int], facts: DatasetFacts) -> Floats:
    values = facts.content.columns[column][slice(*rows)]
    return values[np.isfinite(values)]


def _notes(config: RunConfig, facts: DatasetFacts) -> Iterator[str]:
    columns = (*config.target, *config.exog)
    start = f"{config.series}: " if config.series else ""
    for column in columns:
        if column in facts.meaning.changed:
            yield start + _changed(column, config, facts)
        if column in facts.meaning.declared:
            yield f"{column} is known ahead because the sweep says so."


def _changed(column: str, config: RunConfig, facts: DatasetFacts) -> str:
    rows = np.asarray(facts.meaning.changed[column])
    folds = config.split.splits(facts)
    used = {part: _within(rows, [fold.targets(part) for fold in folds]) for part in PARTS}
    counts = [f"{part} {np.count_nonzero(inside):,}" for part, inside in used.items()]
    if unused := np.count_nonzero(~np.any(list(used.values()), axis=0)):
        counts.append(f"unused {unused:,}")
    of_all = f"{len(rows):,} of {facts.rows:,} values are not the file's"
    return f"{column}: {of_all} ({', '.join(counts)})."


def _within(rows: NDArray[np.intp], spans: Iterable[tuple[int, int]]) -> NDArray[np.bool_]:
    """Which of these rows lie in one of the spans."""
    inside = np.zeros(len(rows), dtype=np.bool_)
    for start, stop in spans:
        inside |= (rows >= start) & (rows < stop)
    return inside


def split_notes(runs: Iterable[Run], facts: Mapping[Section, DatasetFacts]) -> tuple[str, ...]:
    """Which rows rolling origins leave out. The runs fit their data."""
    return _at_most(_of_each_origin(runs, facts, _left_out))


def split_remarks(runs: Iterable[Run], facts: Mapping[Section, DatasetFacts]) -> tuple[str, ...]:
    """How the folds of rolling origins are measured together. The runs fit their data."""
    return _at_most(_of_each_origin(runs, facts, _measured))


def _of_each_origin(
    runs: Iterable[Run],
    facts: Mapping[Section, DatasetFacts],
    said: Callable[[Sequence[Split], int], Iterable[str]],
) -> Collection[str]:
    """What is said of the folds and the rows of their data set, each sentence once."""
    splits = {(run.config.dataset, run.config.split): run for run in runs}
    written: dict[str, None] = {}
    for (dataset, split), run in splits.items():
        if split.folds:
            start = f"{run.config.series}: " if run.config.series else ""
            sentences = said(split.splits(facts[dataset]), facts[dataset].rows)
            written |= dict.fromkeys(start + sentence for sentence in sentences)
    return written


def _left_out(folds: Sequence[Split], rows: int) -> Iterator[str]:
    first, last = folds[0], folds[-1]
    if unused := first.train[0]:
        yield f"the first {unused:,} of {rows:,} rows are before the first of {_count(folds)}."
    if unused := rows - last.stop:
        yield f"the last {unused:,} of {rows:,} rows are after the last of {_count(folds)}."
    if between := sum(max(0, start - end) for end, start in _from_test_to_test(folds)):
        yield f"{between:,} rows between the test parts of {_count(folds)} are not tested on."


def _measured(folds: Sequence[Split], _rows: int) -> Iterator[str]:
    yield f"{_count(folds)} are measured together, unless a report has them apart (--rows fold)."
    if (most := max((end - start for end, start in _from_test_to_test(folds)), default=0)) > 0:
        yield f"test parts overlap, by {most:,} rows: such a row counts more than once."


def _from_test_to_test(folds: Sequence[Split]) -> Iterator[tuple[int, int]]:
    """Where each fold's test part ends, and where the next one begins."""
    for one, two in pairwise(fold.targets("test") for fold in folds):
        yield one[1], two[0]


def _count(folds: Sequence[Split]) -> str:
    return f"{len(folds):,} folds" if len(folds) > 1 else "1 fold"
