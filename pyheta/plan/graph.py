"""The steps of one run: what its nets read, back to the data set, and what its score needs.

    load ─► decompose(column) ─► shape(column, component) ─► fit(component) ─► score(run)
                     └──► relevance(column, component)            └──► importance(component)

A step's parameters hold what can change its outcome and nothing else. So two runs that differ in an
option that cannot matter to their nets, as the seed of a ridge regression, share their steps.
`relevance` and `importance` explain; no run needs them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from pyheta.nets.configs.base import NetConfig
from pyheta.nets.configs.own import OwnNetConfig
from pyheta.ops.registry import OPS
from pyheta.pipeline.channels import Source
from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.steps import Key, Step, digest
from pyheta.sweep import Explain
from pyheta.sweep.config import RunConfig

LEAST_KEPT = 32  # rows of a causal decomposition's tail: shorter windows share one

#: In these parameters of a fit, and options of its training, nets may differ that are trained
#: together.
LANE_PARAMS = {"component", "sources", "scale", "seed", "train"}
LANE_OPTIONS = {
    "lr",
    "epochs",
    "weights",
    "patience",
    "min_delta",
    "weight_decay",
    "clip",
    "resumable",
}

#: These options of a training say how far it goes, and what it leaves, …
REACH_OPTIONS = {"epochs", "patience", "resumable"}

#: … unless its learning rate follows a schedule that is made for so many epochs.
WHOLE_SCHEDULES = {"cosine", "one_cycle"}

FORMS = {"original": (False,), "shaped": (True,), "both": (False, True)}


def step_of(
    op: str,
    params: Mapping[str, Any],
    needs: Mapping[str, Key],
    files: Mapping[str, str] | None = None,
    *,
    bundle: str | None = None,
    course: str | None = None,
) -> Step:
    """A step of this version of its operation."""
    return Step(op, OPS[op].version, OPS[op].kind, params, needs, files or {}, bundle, course)


@dataclass
class RunGraph:
    """The steps of one run while they are made, each after those that it needs.

    `config` is reduced; `nets` are the configurations of its nets by component; the rows of its
    data set are `step_seconds` apart; `made` has the keys of its data steps by their roles.
    """

    config: RunConfig
    nets: Mapping[str, RunConfig]
    load: Step
    step_seconds: float
    explain: Explain
    steps: dict[Key, Step] = field(default_factory=dict)
    made: dict[str, Key] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.steps[self.load.key] = self.load
        self.made["load"] = self.load.key

    def score(self, seed: int) -> Key:
        """The run's score with all that it needs."""
        config = self.config
        fits = {name: self._fit(name, seed) for name in self.nets}
        params = {
            "targets": list(config.target),
            "components": list(fits),
            "split": self._split,
            "scale": config.scale,
            "keep": config.keep,
        }
        read = {role: key for fit in fits.values() for role, key in self.steps[fit].needs.items()}
        needs = {
            "load": self.load.key,
            **read,
            **{f"fit/{name}": key for name, key in fits.items()},
        }
        return self._add("score", params, needs)

    def _fit(self, component: str, seed: int) -> Key:
        """The fit of one net, with all that it needs and all that explains it."""
        config = self.nets[component]
        sources = _sources(config, component)
        needs = self._needs(sources)
        params: dict[str, Any] = {
            "component": component,
            "sources": [source.as_params() for source in sources],
            "targets": len(config.target),
            "split": self._split,
            **config.model_dump(mode="json", include={"window", "scale", "net"}),
        }
        if config.net.trained_by_gradient:
            params["train"] = config.train.model_dump(mode="json")
        if config.net.stochastic:
            params["seed"] = seed
        bundle, course = self._bundle(params, config.net), _course(params, needs, config.net)
        key = self._keep(step_of("fit", params, needs, bundle=bundle, course=course))
        self._explain(config, component, sources, needs | {"fit": key})
        return key

    @property
    def _split(self) -> dict[str, float]:
        return self.config.split.as_params(self.step_seconds)

    def _bundle(self, params: Mapping[str, Any], net: NetConfig) -> str | None:
        """What fits have in common that may be trained together: their net, its shape and its
        batches.

        Not the number of columns, where zeros can stand for those that a net lacks.
        """
        if "train" not in params:
            return None
        alike = {name: value for name, value in params.items() if name not in LANE_PARAMS}
        train = {
            option: value for option, value in params["train"].items() if option not in LANE_OPTIONS
        }
        channels = None if net.paddable else len(params["sources"])
        return digest(
            {"op": "fit", **alike, "channels": channels, "train": train, "load": self.load.key}
        )

    def _add(self, op: str, params: Mapping[str, Any], needs: Mapping[str, Key]) -> Key:
        return self._keep(step_of(op, params, needs))

    def _keep(self, made: Step) -> Key:
        self.steps.setdefault(made.key, made)
        return made.key

    def _needs(self, sources: Iterable[Source]) -> dict[str, Key]:
        return {source.role: self._made(source) for source in sources}

    def _made(self, source: Source) -> Key:
        """The step that makes a channel; made once in a run, since its role says all about it."""
        if source.role not in self.made:
            self.made[source.role] = (
                self._shape(source) if source.shaped else self._decompose(source)
            )
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
        """The longest window of the run's nets, rounded up to a power of two: nearby windows
        share.
        """
        longest = max(LEAST_KEPT, *(net.window.input for net in self.nets.values()))
        return min(1 << (longest - 1).bit_length(), self.config.decompose.window)

    def _shape(self, source: Source) -> Key:
        shaping = self.config.shaping
        (target,) = self.config.target  # a column is shaped for one of them: see `plan.checks`
        params = _pair(target, source) | shaping.as_params()
        if shaping.causal:  # otherwise the whole series is known, whatever is called training
            params["train"] = self._split["train"]
        return self._add("shape", params, self._pair_needs(target, source))

    def _pair_needs(self, target: str, source: Source) -> dict[str, Key]:
        return self._needs(Source(column, source.component) for column in (target, source.column))

    def _explain(
        self, config: RunConfig, component: str, sources: Sequence[Source], needs: Mapping[str, Key]
    ) -> None:
        others = {(one.column, one.component) for one in sources if one.column not in config.target}
        if self.explain.relevance:
            for target, (column, part) in product(config.target, sorted(others)):
                self._relevance(target, Source(column, part))
        if self.explain.permutations and others:
            params = {
                "component": component,
                "net": {"name": config.net.name},
                "targets": list(config.target),
                "horizon": config.window.horizon,
                **_treatment(config),
                "split": self._split,
                "permutations": self.explain.permutations,
                "seed": 0,
            }
            self._add("importance", params, needs)

    def _relevance(self, target: str, source: Source) -> None:
        explain = self.explain
        params = _pair(target, source) | {
            "decompose": self.config.decompose.as_params(),
            "train": self._split["train"],
            "measures": sorted(set(explain.relevance)),
            "max_lag": explain.max_lag,
            "draws": explain.draws,
            "seed": 0,
        }
        self._add("relevance", params, self._pair_needs(target, source))


def _course(params: Mapping[str, Any], needs: Mapping[str, Key], net: NetConfig) -> str | None:
    """What fits have in common whose epochs are the same ones, as far as each goes.

    Nobody knows what else a net of one's own remembers from epoch to epoch.
    """
    if isinstance(net, OwnNetConfig) or not net.trained_by_gradient:
        return None
    if params["train"]["schedule"] in WHOLE_SCHEDULES:
        return None
    train = {
        option: value for option, value in params["train"].items() if option not in REACH_OPTIONS
    }
    return digest(
        {"op": "fit", "version": OPS["fit"].version, **params, "train": train, "needs": needs}
    )


def _pair(target: str, source: Source) -> dict[str, Any]:
    return {"target": target, "column": source.column, "component": source.component}


def _treatment(config: RunConfig) -> dict[str, Any]:
    """How a net's series are treated, for those who read what explains it: see `leakage.leaks`."""
    shaping = config.shaping.model_dump(include={"method", "relevance"})
    exog = {"exog": list(config.exog), "exog_form": config.exog_form}
    return {"decompose": config.decompose.as_params(), "shaping": shaping, **exog}


def _sources(config: RunConfig, component: str) -> list[Source]:
    """What the net of a component reads, that component of its targets first.

    A net that forecasts the series themselves from the components reads the series too, as its
    targets.
    """
    targets = [Source(column, component) for column in config.target]
    if component == WHOLE and config.decompose.method != "none":
        parts = config.component_names()
        return [*targets, *(one for part in parts for one in _sources(config, part))]
    exog = [
        Source(column, component, form)
        for column in config.exog
        for form in FORMS[config.exog_form]
    ]
    return [*targets, *exog]
