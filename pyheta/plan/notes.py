"""What a reader of results has to know of their data: changed cells, columns declared as known."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np

from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.splits import PARTS
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
    split = config.split.rows(facts)
    counts = [f"{part} {_within(rows, *split.targets(part)):,}" for part in PARTS]
    if unused := _within(rows, split.stop, facts.rows):
        counts.append(f"unused {unused:,}")
    of_all = f"{len(rows):,} of {facts.rows:,} values are not the file's"
    return f"{column}: {of_all} ({', '.join(counts)})."


def _within(rows: "np.ndarray[tuple[int], np.dtype[np.intp]]", start: int, stop: int) -> int:
    return int(np.count_nonzero((rows >= start) & (rows < stop)))
