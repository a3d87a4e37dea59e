"""Runs to steps: what has to be computed, each distinct piece once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.plan.checks import check_runs
from pyheta.plan.graph import Fold, RunGraph, load_step
from pyheta.section import Section
from pyheta.steps import Key, Step
from pyheta.sweep import Explain, Run


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps of some runs, each once."""

    steps: Mapping[Key, Step]  # after all that they need
    scores: Sequence[Key]  # one for each run, in the runs' order
    pooled: Sequence[Key | None]  # for each run the score of all its folds, where it is one
    asked: Counter[str]  # by label: how many steps there were, had every run its own
    labels: Mapping[Key, str]  # the operation, with a note where only baselines need the step

    @property
    def distinct(self) -> Counter[str]:
        """How many steps there are under each label."""
        return Counter(self.labels.values())


def compile_plan(
    runs: Sequence[Run], datasets: Mapping[str, DatasetFacts], explain: Explain | None = None
) -> Plan:
    """Check all runs against their data sets and compile them.

    `datasets` has the facts of each data set under its `RunConfig.dataset_key()`. Raises SweepError
    or SweepErrors where a run does not fit its data.
    """
    facts = _facts_by_section(runs, datasets)
    check_runs(runs, facts, explain)
    extents = _extents(runs, facts)
    steps: dict[Key, Step] = {}
    labels: dict[Key, str] = {}
    scores: list[Key] = []
    pooled: list[Key | None] = []
    asked: Counter[str] = Counter()
    for repetition in _graphs(runs, facts, extents, explain or Explain()):
        scores += [fold.graph.score([fold]) for fold in repetition.folds]
        pooled += repetition.pool()
        for run, fold in zip(repetition.runs, repetition.folds, strict=True):
            for key, step in fold.graph.steps.items():
                steps.setdefault(key, step)
                asked[labels.setdefault(key, _label(step, run))] += 1
    return Plan(steps, scores, pooled, asked, labels)


def _extents(runs: Sequence[Run], facts: Mapping[Section, DatasetFacts]) -> Mapping[Section, int]:
    """How many rows of each data set the runs use, from the first one on."""
    extents: dict[Section, int] = {}
    for dataset, split in {(run.config.dataset, run.config.split): None for run in runs}:
        stop = max(fold.stop for fold in split.splits(facts[dataset]))
        extents[dataset] = max(stop, extents.get(dataset, 0))
    return extents


@dataclass(frozen=True, slots=True)
class _Repetition:
    """A configuration with one seed: the runs of its folds, or its only run."""

    runs: Sequence[Run]
    folds: Sequence[Fold]

    def pool(self) -> Sequence[Key | None]:
        """For each run the score of all folds together; None where there is no rolling origin."""
        if self.runs[0].fold is None:
            return [None]
        return len(self.runs) * [self.folds[-1].graph.score(self.folds)]


def _graphs(
    runs: Sequence[Run],
    facts: Mapping[Section, DatasetFacts],
    extents: Mapping[Section, int],
    explain: Explain,
) -> Iterator[_Repetition]:
    """A graph for each run, in order. Runs that differ in seed and fold are reduced once."""
    loads = {section: load_step(dataset) for section, dataset in facts.items()}
    for config, of_config in groupby(runs, key=lambda run: run.config):
        reduced, nets = config.reduced(), config.nets()
        load, data = loads[config.dataset], facts[config.dataset]
        splits, extent = config.split.splits(data), extents[config.dataset]
        for repetition in _repetitions(of_config):
            explained = explain if repetition[0].role == "net" else Explain()
            graphs = (RunGraph(reduced, nets, load, data, explained, extent) for _ in repetition)
            pairs = zip(repetition, graphs, strict=True)
            folds = [Fold(graph, splits[run.fold or 0], run.seed) for run, graph in pairs]
            yield _Repetition(repetition, folds)


def _repetitions(runs: Iterable[Run]) -> Iterator[Sequence[Run]]:
    """Each run alone or, of a rolling origin, with those of its other folds."""
    together: list[Run] = []
    for run in runs:
        if together and not run.fold:
            yield together
            together = []
        together.append(run)
    yield together


def _facts_by_section(
    runs: Sequence[Run], datasets: Mapping[str, DatasetFacts]
) -> Mapping[Section, DatasetFacts]:
    """The facts by the `dataset` sections themselves: quicker to find than by their texts."""
    first = {run.config.dataset: run.config for run in runs}
    return {section: datasets[config.dataset_key()] for section, config in first.items()}


def _label(step: Step, run: Run) -> str:
    """Runs of nets come first, so a step that a baseline brings is the baselines' alone."""
    return step.op if run.role == "net" else f"{step.op} (baselines)"
