"""The steps of one run: what its nets read, back to the data set, and what its score needs.

    load ─► decompose(column) ─► shape(column, component) ─► fit(component) ─► score(run)
                     └──► relevance(column, component)            └──► importance(component)

A step's parameters hold what can change its outcome and nothing else. So runs share their steps
where they differ only in options that cannot matter to their nets, such as the seed of a ridge
regression. `relevance` and `importance` explain; no run needs them.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Literal, assert_never

from pyheta.nets.configs.base import NetConfig
from pyheta.nets.training.options import EXTENT, PER_NET
from pyheta.nets.training.schedules import SCHEDULES
from pyheta.ops.params import (
    DecomposeParams,
    FitParams,
    ImportanceParams,
    LoadParams,
    Params,
    RelevanceParams,
    ScoreParams,
    ShapeParams,
)
from pyheta.ops.registry import OPS
from pyheta.pipeline.channels import Source
from pyheta.pipeline.data.draft import Meaning
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.pipeline.leakage import fills_from_later
from pyheta.pipeline.own_metrics import as_params
from pyheta.steps import Key, Step, digest
from pyheta.sweep import Explain
from pyheta.sweep.config import RunConfig

LEAST_KEPT = 32  # rows of a causal decomposition's tail: shorter windows share one

#: Nets trained in one bundle may differ in these parameters, and in the training options PER_NET.
LANE_PARAMS = {"component", "sources", "scale", "seed", "train"}


def load_step(facts: DatasetFacts) -> Step:
    """The step that loads a data set: every graph of its runs begins with it."""
    return _step("load", LoadParams.of(facts.source), {}, facts.files)


def _step(
    op: str,
    params: Params,
    needs: Mapping[str, Key],
    files: Mapping[str, str] | None = None,
    *,
    bundle: str | None = None,
    course: str | None = None,
) -> Step:
    """A step of this version of its operation."""
    operation = OPS[op]
    return Step(
        op,
        operation.version,
        operation.kind,
        params.as_params(),
        needs,
        files or {},
        bundle,
        course,
    )


@dataclass
class RunGraph:
    """The steps of one run while they are made, each after those that it needs."""

    config: RunConfig  # reduced
    nets: Mapping[str, RunConfig]  # by component
    load: Step
    facts: DatasetFacts
    explain: Explain
    steps: dict[Key, Step] = field(default_factory=dict)
    made: dict[str, Key] = field(default_factory=dict)  # data steps by their roles

    def __post_init__(self) -> None:
        self.steps[self.load.key] = self.load
        self.made["load"] = self.load.key

    def score(self, seed: int) -> Key:
        """The run's score with all that it needs."""
        config = self.config
        fits = {name: self._fit(name, seed) for name in self.nets}
        params = ScoreParams(
            targets=list(config.target),
            components=list(fits),
            split=self._split,
            scale=config.scale,
            keep=config.keep,
            season=self.facts.cadence.season,
            quantile=config.quantile,
            metrics=as_params(config.metrics) or None,
        )
        inputs = {role: key for fit in fits.values() for role, key in self.steps[fit].needs.items()}
        needs = {
            "load": self.load.key,
            **inputs,
            **{f"fit/{name}": key for name, key in fits.items()},
        }
        return self._add("score", params, needs)

    def _fit(self, component: str, seed: int) -> Key:
        """The fit of one net, with all that it needs and all that explains it."""
        config = self.nets[component]
        sources = sources_of(config, component, self.facts.meaning)
        needs = self._needs(sources)
        net, window = config.net, config.window
        params = FitParams(
            component=component,
            sources=[source.as_params() for source in sources],
            targets=len(config.target),
            split=self._split,
            window={"input": window.input, "horizon": window.horizon},
            scale=None if net.in_own_units else config.scale,
            net=net.model_dump(mode="json"),
            train=config.train.model_dump(mode="json") if net.trained_by_gradient else None,
            seed=seed if net.stochastic else None,
        )
        bundle, course = self._bundle(params, net), _course(params.as_params(), needs, net)
        key = self._keep(_step("fit", params, needs, bundle=bundle, course=course))
        self._explain(config, component, sources, needs | {"fit": key})
        return key

    @property
    def _split(self) -> dict[str, float]:
        return self.config.split.as_params(self.facts)

    def _bundle(self, params: FitParams, net: NetConfig) -> str | None:
        """What fits share that may be trained together: their net, its shape and its batches.

        Not the number of columns, where zeros can stand for those that a net lacks.
        """
        if params.train is None:
            return None
        shared = _without(params.as_params(), LANE_PARAMS)
        train = _without(params.train, PER_NET)
        channels = None if net.paddable else len(params.sources)
        return digest(
            {"op": "fit", **shared, "channels": channels, "train": train, "load": self.load.key}
        )

    def _add(self, op: str, params: Params, needs: Mapping[str, Key]) -> Key:
        return self._keep(_step(op, params, needs))

    def _keep(self, step: Step) -> Key:
        self.steps.setdefault(step.key, step)
        return step.key

    def _needs(self, sources: Iterable[Source]) -> dict[str, Key]:
        needs = {source.role: self._made(source) for source in sources}
        masked = any(source.mask for source in sources)  # masks stand in the table
        return needs | ({"load": self.load.key} if masked else {})

    def _made(self, source: Source) -> Key:
        """The step that makes a channel. A run has one for each role: the role says all of it."""
        if source.role not in self.made:
            self.made[source.role] = (
                self._shape(source) if source.shaped else self._decompose(source)
            )
        return self.made[source.role]

    def _decompose(self, source: Source) -> Key:
        decompose = self.config.decompose
        params = DecomposeParams(
            column=source.column,
            options=decompose.as_params(),
            keep=self._kept() if decompose.mode == "causal" else None,
            split=self._split if decompose.mode == "parts" else None,
        )
        return self._add("decompose", params, {"load": self.load.key})

    def _kept(self) -> int:
        """The longest window of the run's nets, up to a power of two: similar windows share."""
        longest = max(LEAST_KEPT, *(net.window.input for net in self.nets.values()))
        return min(1 << (longest - 1).bit_length(), self.config.decompose.window)

    def _shape(self, source: Source) -> Key:
        shaping = self.config.shaping
        (target,) = self.config.target  # a column is shaped for one of them: see `plan.checks`
        params = ShapeParams(
            target=target,
            column=source.column,
            component=source.component,
            options=shaping.as_params(),
            # What sees the whole series does not ask which of it is called training
            train=self._split["train"] if shaping.causal else None,
        )
        return self._add("shape", params, self._pair_needs(target, source))

    def _pair_needs(self, target: str, source: Source) -> dict[str, Key]:
        return self._needs(Source(column, source.component) for column in (target, source.column))

    def _explain(
        self, config: RunConfig, component: str, sources: Sequence[Source], needs: Mapping[str, Key]
    ) -> None:
        exog = {(s.column, s.component) for s in sources if s.column in config.exog}
        if self.explain.relevance:
            for target, (column, part) in product(config.target, sorted(exog)):
                self._relevance(target, Source(column, part))
        if self.explain.permutations and exog:
            self._importance(config, component, needs)

    def _importance(self, config: RunConfig, component: str, needs: Mapping[str, Key]) -> None:
        params = ImportanceParams(
            component=component,
            net={"name": config.net.name},
            targets=list(config.target),
            horizon=config.window.horizon,
            decompose=config.decompose.as_params(),
            shaping=config.shaping.model_dump(include={"method", "relevance"}),
            exog=list(config.exog),
            exog_form=config.exog_form,
            split=self._split,
            permutations=self.explain.permutations,
            seed=0,
            dataset=self._leaky_data(),
        )
        self._add("importance", params, needs)

    def _leaky_data(self) -> dict[str, Any] | None:
        """What of the data set lets nets see the future, for those who read the result."""
        source = self.facts.source
        return {"missing": source["missing"]} if fills_from_later(source) else None

    def _relevance(self, target: str, source: Source) -> None:
        explain = self.explain
        params = RelevanceParams(
            target=target,
            column=source.column,
            component=source.component,
            decompose=self.config.decompose.as_params(),
            train=self._split["train"],
            measures=sorted(set(explain.relevance)),
            max_lag=explain.max_lag,
            draws=explain.draws,
            seed=0,
            dataset=self._leaky_data(),
        )
        self._add("relevance", params, self._pair_needs(target, source))


def _course(params: Mapping[str, Any], needs: Mapping[str, Key], net: NetConfig) -> str | None:
    """Equal for fits whose epochs are the same, as far as each goes: one may resume another.

    None where a fit cannot be resumed.
    """
    if not net.resumable:
        return None
    if SCHEDULES[params["train"]["schedule"]].depends_on_epochs:
        return None
    train = _without(params["train"], EXTENT)
    return digest(
        {"op": "fit", "version": OPS["fit"].version, **params, "train": train, "needs": needs}
    )


def _without(values: Mapping[str, Any], names: Container[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def sources_of(config: RunConfig, component: str, meaning: Meaning) -> list[Source]:
    """What the net of a component reads, that component of its targets first.

    A net that forecasts the series themselves from the components reads the series too, as its
    targets.
    """
    series: list[Source] = []
    parts: Sequence[str] = (component,)
    if component == WHOLE and config.decompose.method != "none":
        series = [Source(column) for column in config.target]
        parts = config.component_names()
    for part in parts:
        series += [Source(column, part) for column in config.target]
        for column in config.exog:
            series += _exogenous(column, part, config, meaning)
    return _with_masks(series, config, meaning)


def _exogenous(column: str, part: str, config: RunConfig, meaning: Meaning) -> Iterator[Source]:
    """A column's past, then what is known of the horizon, which is never shaped.

    A shaped column follows the target, which is not known there.
    """
    yield from (Source(column, part, shaped) for shaped in _shaped(config.exog_form))
    horizon, lookback = config.window.horizon, config.window.input
    known = horizon if column in meaning.known else meaning.reach.get(column, 0)
    # A window that ends so many rows later: as many of them as show all that is known
    yield from (Source(column, part, ahead=n) for n in range(min(known, horizon), 0, -lookback))


def _with_masks(series: Iterable[Source], config: RunConfig, meaning: Meaning) -> list[Source]:
    """The same with their masks, which a net that reads other columns than targets reads too."""
    masked = [replace(source, mask=meaning.masks.get(source.column)) for source in series]
    if not config.net.uses_exog:
        return masked
    masks = (Source(source.mask, ahead=source.ahead) for source in masked if source.mask)
    return list(dict.fromkeys([*masked, *masks]))


def _shaped(form: Literal["original", "shaped", "both"]) -> Sequence[bool]:
    """For each channel that a net reads of an exogenous column, whether it is shaped."""
    match form:
        case "original":
            return (False,)
        case "shaped":
            return (True,)
        case "both":
            return (False, True)
        case _:
            assert_never(form)
