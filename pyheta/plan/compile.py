"""Runs to steps: what has to be computed, each distinct piece once."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.plan.checks import check_runs
from pyheta.plan.graph import RunGraph, load_step
from pyheta.section import Section
from pyheta.steps import Key, Step
from pyheta.sweep import Explain, Run


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps of some runs, each once."""

    steps: Mapping[Key, Step]  # after all that they need
    scores: Sequence[Key]  # one for each run, in the runs' order
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
    asked: Counter[str] = Counter()
    for run, graph in _graphs(runs, facts, extents, explain or Explain()):
        scores.append(graph.score(run.seed))
        for key, step in graph.steps.items():
            steps.setdefault(key, step)
            asked[labels.setdefault(key, _label(step, run))] += 1
    return Plan(steps, scores, asked, labels)


def _extents(runs: Sequence[Run], facts: Mapping[Section, DatasetFacts]) -> Mapping[Section, int]:
    """How many rows of each data set the runs use, from the first one on."""
    extents: dict[Section, int] = {}
    for dataset, split in {(run.config.dataset, run.config.split): None for run in runs}:
        stop = split.rows(facts[dataset]).stop
        extents[dataset] = max(stop, extents.get(dataset, 0))
    return extents


def _graphs(
    runs: Sequence[Run],
    facts: Mapping[Section, DatasetFacts],
    extents: Mapping[Section, int],
    explain: Explain,
) -> Iterator[tuple[Run, RunGraph]]:
    """An empty graph for each run. Runs that differ in the seed alone are reduced once."""
    loads = {section: load_step(dataset) for section, dataset in facts.items()}
    for config, repetitions in groupby(runs, key=lambda run: run.config):
        reduced, nets = config.reduced(), config.nets()
        load, data = loads[config.dataset], facts[config.dataset]
        for run in repetitions:
            explained = explain if run.role == "net" else Explain()
            extent = extents[config.dataset]
            yield run, RunGraph(reduced, nets, load, data, explained, extent)


def _facts_by_section(
    runs: Sequence[Run], datasets: Mapping[str, DatasetFacts]
) -> Mapping[Section, DatasetFacts]:
    """The facts by the `dataset` sections themselves: quicker to find than by their texts."""
    first = {run.config.dataset: run.config for run in runs}
    return {section: datasets[config.dataset_key()] for section, config in first.items()}


def _label(step: Step, run: Run) -> str:
    """Runs of nets come first, so a step that a baseline brings is the baselines' alone."""
    return step.op if run.role == "net" else f"{step.op} (baselines)"
