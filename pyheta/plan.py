"""Runs to steps: what has to be computed, each distinct piece once.

A step's parameters hold what can change its outcome and nothing else. So two runs that differ in an option
that cannot matter to their nets, as the seed of a ridge regression, share their steps.

    load ─► decompose(column) ─► shape(column, component) ─► fit(component) ─► score(run)
                     └──► relevance(column, component)            └──► importance(component)

`relevance` and `importance` explain; no run needs them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyheta.ops import OPS
from pyheta.pipeline.channels import Source
from pyheta.pipeline.components import WHOLE
from pyheta.pipeline.facts import DatasetFacts
from pyheta.run_checks import check_runs
from pyheta.steps import Key, Step
from pyheta.sweep import Explain, Run
from pyheta.sweep.config import RunConfig
from pyheta.sweep.section import Section

LEAST_KEPT = 16  # rows of a causal decomposition's tail: shorter windows share one

FORMS = {"original": (False,), "shaped": (True,), "both": (False, True)}


@dataclass(frozen=True, slots=True)
class Plan:
    """`steps` come after all that they need; `scores` has one key for each run, in the runs' order.

    `asked` counts steps as if every run had its own, under the names of `labels`: the operation, apart from
    steps that only baselines ask for.
    """

    steps: Mapping[Key, Step]
    scores: Sequence[Key]
    asked: Counter[str]
    labels: Mapping[Key, str]

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
    check_runs(runs, facts)
    loads = {section: _step("load", known.source, {}, known.files) for section, known in facts.items()}
    steps: dict[Key, Step] = {}
    labels: dict[Key, str] = {}
    scores: list[Key] = []
    asked: Counter[str] = Counter()
    graph = Graph(explain or Explain())
    for run in runs:
        own, score = graph.of_run(run, loads[run.config.dataset])
        for key, step in own.items():
            steps.setdefault(key, step)
            asked[labels.setdefault(key, _label(step, run))] += 1
        scores.append(score)
    return Plan(steps, scores, asked, labels)


def _facts_by_section(
    runs: Sequence[Run], datasets: Mapping[str, DatasetFacts]
) -> Mapping[Section, DatasetFacts]:
    """The facts under the `dataset` sections themselves: quicker to find than under their texts."""
    first = {run.config.dataset: run.config for run in runs}
    return {section: datasets[config.dataset_key()] for section, config in first.items()}


def _label(step: Step, run: Run) -> str:
    """Nets come first, so a step that a baseline brings is the baselines' alone."""
    return step.op if run.role == "net" else f"{step.op} (baselines)"


def _step(
    op: str,
    params: Mapping[str, Any],
    needs: Mapping[str, Key],
    files: Mapping[str, str] | None = None,
) -> Step:
    return Step(op, OPS[op].version, OPS[op].kind, params, needs, files or {})


class Graph:
    """Compiles runs one by one. Runs that differ in the seed alone come one after the other."""

    def __init__(self, explain: Explain) -> None:
        self.explain = explain
        self._reduced: tuple[RunConfig, Mapping[str, RunConfig]] | None = None

    def of_run(self, run: Run, load: Step) -> tuple[Mapping[Key, Step], Key]:
        """The steps of one run, each after those that it needs, and the key of its score."""
        explain = self.explain if run.role == "net" else Explain()
        own = _Own(run.config.reduced(), self._nets(run.config), load, explain)
        fits = {name: own.fit(name, run.seed) for name in own.nets}
        return own.steps, own.score(fits)

    def _nets(self, config: RunConfig) -> Mapping[str, RunConfig]:
        if self._reduced is None or self._reduced[0] is not config:
            self._reduced = (config, config.nets())
        return self._reduced[1]


@dataclass
class _Own:
    """The steps of one run while they are made. `made` has the keys of its data steps by their roles."""

    config: RunConfig
    nets: Mapping[str, RunConfig]
    load: Step
    explain: Explain
    steps: dict[Key, Step] = field(default_factory=dict)
    made: dict[str, Key] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.steps[self.load.key] = self.load
        self.made["load"] = self.load.key

    def fit(self, component: str, seed: int) -> Key:
        """The fit of one net, with all that it needs and all that explains it."""
        config = self.nets[component]
        sources = _sources(config, component)
        needs = self._needs(sources)
        params: dict[str, Any] = {
            "component": component,
            "sources": [source.as_params() for source in sources],
            "split": self._split,
            **config.model_dump(mode="json", include={"window", "scale", "net"}),
        }
        if config.net.trained_by_gradient:
            params["train"] = config.train.model_dump(mode="json")
        if config.net.stochastic:
            params["seed"] = seed
        key = self._add("fit", params, needs)
        self._explain(config, component, sources, needs | {"fit": key})
        return key

    def score(self, fits: Mapping[str, Key]) -> Key:
        config = self.config
        params = {
            "target": config.target,
            "components": list(fits),
            "split": self._split,
            "scale": config.scale,
        }
        read = {role: key for fit in fits.values() for role, key in self.steps[fit].needs.items()}
        needs = {"load": self.load.key, **read, **{f"fit/{name}": key for name, key in fits.items()}}
        return self._add("score", params, needs)

    @property
    def _split(self) -> dict[str, Any]:
        return self.config.split.model_dump()

    def _add(self, op: str, params: Mapping[str, Any], needs: Mapping[str, Key]) -> Key:
        step = _step(op, params, needs)
        self.steps.setdefault(step.key, step)
        return step.key

    def _needs(self, sources: Iterable[Source]) -> dict[str, Key]:
        return {source.role: self._made(source) for source in sources}

    def _made(self, source: Source) -> Key:
        """The step that makes a channel; made once in a run, since its role says all about it."""
        if source.role not in self.made:
            self.made[source.role] = self._shape(source) if source.shaped else self._decompose(source)
        return self.made[source.role]

    def _decompose(self, source: Source) -> Key:
        decompose = self.config.decompose
        params = {"column": source.column, **decompose.as_params()}
        if decompose.mode == "causal":
            params["keep"] = self._kept()
        if decompose.mode == "parts":
            params["split"] = self._split
        return self._add("decompose", params, {"load": self.load.key})

    def _kept(self) -> int:
        """The longest window of the run's nets, rounded up to a power of two: nearby windows share."""
        longest = max(LEAST_KEPT, *(net.window.input for net in self.nets.values()))
        return 1 << (longest - 1).bit_length()

    def _shape(self, source: Source) -> Key:
        params = self._pair(source) | self.config.shaping.as_params()
        return self._add("shape", params, self._pair_needs(source))

    def _pair(self, source: Source) -> dict[str, Any]:
        return {
            "target": self.config.target,
            "column": source.column,
            "component": source.component,
            "split": self._split,
        }

    def _pair_needs(self, source: Source) -> dict[str, Key]:
        columns = (self.config.target, source.column)
        return self._needs(Source(column, source.component) for column in columns)

    def _explain(
        self, config: RunConfig, component: str, sources: Sequence[Source], needs: Mapping[str, Key]
    ) -> None:
        others = {(source.column, source.component) for source in sources} - {
            (config.target, source.component) for source in sources
        }
        if self.explain.relevance:
            for column, part in sorted(others):
                self._relevance(Source(column, part))
        if self.explain.permutations and others:
            params = {
                "component": component,
                "net": {"name": config.net.name},
                "split": self._split,
                "permutations": self.explain.permutations,
                "seed": 0,
            }
            self._add("importance", params, needs)

    def _relevance(self, source: Source) -> None:
        explain = self.explain
        params = self._pair(source) | {
            "measures": sorted(explain.relevance),
            "max_lag": explain.max_lag,
            "draws": explain.draws,
            "seed": 0,
        }
        self._add("relevance", params, self._pair_needs(source))


def _sources(config: RunConfig, component: str) -> list[Source]:
    """What the net of a component reads, its target first.

    A net that forecasts the series itself from the components reads the series too, as its target.
    """
    if component == WHOLE and config.decompose.method != "none":
        parts = config.component_names()
        return [Source(config.target), *(one for part in parts for one in _sources(config, part))]
    exog = [Source(column, component, form) for column in config.exog for form in FORMS[config.exog_form]]
    return [Source(config.target, component), *exog]
