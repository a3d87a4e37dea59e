"""What a reader of results has to know: changed cells, columns declared as known, rows left out."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.splits import PARTS, Split
from pyheta.section import Section
from pyheta.sweep import Run, RunConfig

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
    """A sentence for each changed column that a run reads, and for each column declared as known.

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
    return _at_most(written)


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
    yield f"{_count(folds)} are measured together where nothing is laid out by fold (--rows fold)."
    if (most := max((end - start for end, start in _from_test_to_test(folds)), default=0)) > 0:
        yield f"test parts overlap, by {most:,} rows: such a row counts more than once."


def _from_test_to_test(folds: Sequence[Split]) -> Iterator[tuple[int, int]]:
    """Where each fold's test part ends, and where the next one begins."""
    for one, two in pairwise(fold.targets("test") for fold in folds):
        yield one[1], two[0]


def _count(folds: Sequence[Split]) -> str:
    return f"{len(folds):,} folds" if len(folds) > 1 else "1 fold"
