"""The steps of one run: what its nets read, back to the data set, and what its score needs.

    load ─► decompose(column) ─► shape(column, component) ─► fit(component) ─► forecast ─► score
                     └──► relevance(column, component)            └──► importance(component)

A step's parameters hold what can change its outcome and nothing else. So runs share their steps
where they differ only in options that cannot matter to their nets, such as the seed of a ridge
regression. `relevance` and `importance` explain; no run needs them.

What a step sees of others is told by content (`plan.sight`), up to its own border: a fit is the
same whatever the test part is, and whatever file its rows came from.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any, Literal, assert_never

from pyheta.nets.configs.base import NetConfig
from pyheta.nets.training.options import EXTENT, PER_NET
from pyheta.nets.training.schedules import SCHEDULES
from pyheta.ops.params import (
    DecomposeParams,
    FitParams,
    ForecastParams,
    ImportanceParams,
    LoadParams,
    Mode,
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
from pyheta.pipeline.splits import Split
from pyheta.plan.course import course_of_decompose
from pyheta.plan.sight import Sight
from pyheta.steps import Key, Step, digest
from pyheta.sweep import Explain
from pyheta.sweep.config import RunConfig

LEAST_KEPT = 32  # rows of a causal decomposition's tail: shorter windows share one

#: Nets trained in one bundle may differ in these parameters, and in the training options PER_NET.
LANE_PARAMS = {"component", "sources", "scale", "seed", "train", "split"}

#: The bundles of what takes milliseconds whatever it is about.
FORECASTS, SCORES = digest("forecast"), digest("score")


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
    sees: Mapping[str, str] | None = None,
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
        sees,
    )


@dataclass
class RunGraph:
    """The steps of one run while they are made, each after those that it needs.

    A run of a rolling origin is one of its folds.

    `extent`: how many rows of its columns are decomposed and shaped: as many as any run of the
    sweep uses, so that runs with other borders share these steps.
    """

    config: RunConfig  # reduced
    nets: Mapping[str, RunConfig]  # by component
    load: Step
    facts: DatasetFacts
    explain: Explain
    extent: int
    steps: dict[Key, Step] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.steps[self.load.key] = self.load

    def score(self, folds: Sequence["Fold"]) -> Key:
        """The score of these folds' forecasts together, with all that it needs.

        The other folds than the last may be of other graphs of the same configuration and seed.
        """
        config, first = self.config, folds[0]
        params = ScoreParams(
            targets=list(config.target),
            components=list(self.nets),
            folds=[fold.split.as_params() for fold in folds],
            scale=config.scale,
            season=self.facts.cadence.season,
            counted=self.facts.counted or None,
            masks=first.masks or None,
            stride=config.window.thinned,
            quantile=config.quantile,
            metrics=as_params(config.metrics) or None,
        )
        needs = {"load": self.load.key}
        for number, fold in enumerate(folds):
            needs |= {f"{number}/{role}": key for role, key in self._scored(fold).items()}
        # Its forecasts, be they kept or not
        sees = {f"{number}/forecast": fold.forecast.key for number, fold in enumerate(folds)}
        return self.keep(_step("score", params, needs, bundle=SCORES, sees=sees))

    def _scored(self, fold: "Fold") -> Mapping[str, Key]:
        """What a score reads of a fold: its forecasts, or what makes them where none are kept."""
        if self.config.keep == "metrics":
            return fold.forecast.needs
        components = {
            role: key for role, key in fold.forecast.needs.items() if role.startswith("decompose/")
        }
        return components | {"forecast": fold.graph.keep(fold.forecast)}

    def keep(self, step: Step) -> Key:
        """Take a step into the graph."""
        self.steps.setdefault(step.key, step)
        return step.key


@dataclass
class Fold:
    """The steps of one fold of a run: all that depends on where its parts begin and end."""

    graph: RunGraph
    split: Split
    seed: int
    made: dict[str, Key] = field(default_factory=dict)  # data steps by their roles

    def __post_init__(self) -> None:
        self.made["load"] = self.graph.load.key

    @cached_property
    def forecast(self) -> Step:
        """The step that makes the fold's forecasts, with all that it needs."""
        graph = self.graph
        fits = {name: self._fit(name) for name in graph.nets}
        params = ForecastParams(
            targets=list(graph.config.target),
            components=list(fits),
            split=self.split.as_params(),
            stride=graph.config.window.thinned,
        )
        inputs = {
            role: key for fit in fits.values() for role, key in graph.steps[fit].needs.items()
        }
        needs = {
            "load": graph.load.key,
            **inputs,
            **{f"fit/{name}": key for name, key in fits.items()},
        }
        sources = [source for name in fits for source in self._sources(name)]
        sees = {
            "time": graph.facts.content.times((0, self.split.stop)),
            **self._sight.of_sources(
                [*(Source(target) for target in graph.config.target), *sources],
                (0, self.split.stop),
            ),
            **{f"fit/{name}": key for name, key in fits.items()},
        }
        return _step("forecast", params, needs, bundle=FORECASTS, sees=sees)

    @cached_property
    def masks(self) -> dict[str, str]:
        """The column that says where a target's values are carried on, for those that have one."""
        masks = self.graph.facts.meaning.masks
        return {target: masks[target] for target in self.graph.config.target if target in masks}

    @cached_property
    def _sight(self) -> Sight:
        graph = self.graph
        return Sight(graph.facts.content, self._decomposed, self._shaped)

    def _sources(self, component: str) -> list[Source]:
        return sources_of(self.graph.nets[component], component, self.graph.facts.meaning)

    def _fit(self, component: str) -> Key:
        """The fit of one net, with all that it needs and all that explains it."""
        config = self.graph.nets[component]
        sources = self._sources(component)
        needs = self._needs(sources)
        net, window = config.net, config.window
        params = FitParams(
            component=component,
            sources=[source.as_params() for source in sources],
            targets=len(config.target),
            split=self.split.learning.as_params(),
            window={"input": window.input, "horizon": window.horizon},
            scale=None if net.in_own_units else config.scale,
            transform=None if config.transform == "none" else config.transform,
            net=net.model_dump(mode="json"),
            train=config.train.model_dump(mode="json") if net.trained_by_gradient else None,
            seed=self.seed if net.stochastic else None,
            final=config.split.final == "train+val" or None,
        )
        sees = self._sight.of_sources(sources, params.rows_seen)
        bundle, course = self._bundle(params, net), _course(params.as_params(), sees, net)
        key = self.graph.keep(_step("fit", params, needs, bundle=bundle, course=course, sees=sees))
        self._explain(config, component, sources, needs | {"fit": key}, sees)
        return key

    def _bundle(self, params: FitParams, net: NetConfig) -> str:
        """What fits share that may be trained together: their net, its shape and its batches.

        Not the number of columns, where zeros can stand for those that a net lacks; not where the
        parts begin, so folds that are as long as each other are lanes. Nets that are not trained by
        gradient are quick: a child takes several in turn.
        """
        if params.train is None:
            return digest({"op": "fit", "net": net.name})
        shared = _without(params.as_params(), LANE_PARAMS)
        train = _without(params.train, PER_NET)
        channels = None if net.paddable else len(params.sources)
        rows = [stop - start for start, stop in (self.split.train, self.split.val)]
        return digest({"op": "fit", **shared, "channels": channels, "train": train, "rows": rows})

    def _needs(self, sources: Iterable[Source]) -> dict[str, Key]:
        needs = {source.role: self._made(source) for source in sources}
        masked = any(source.mask for source in sources)  # masks stand in the table
        return needs | ({"load": self.graph.load.key} if masked else {})

    def _made(self, source: Source) -> Key:
        """The step that makes a channel. A fold has one for each role: the role says all of it."""
        if source.role not in self.made:
            self.made[source.role] = (
                self._shape(source) if source.shaped else self._decompose(source)
            )
        return self.made[source.role]

    def _decompose(self, source: Source) -> Key:
        params = self._decomposed(source)
        facts, column = self.graph.facts, source.column
        sees = {column: facts.content.column(column, (0, params.rows))}
        first_window = facts.by_column[column].first + params.options.get("window", 0)
        beginning = facts.content.column(column, (0, first_window))
        course = course_of_decompose(params, beginning)
        needs = {"load": self.graph.load.key}
        return self.graph.keep(_step("decompose", params, needs, course=course, sees=sees))

    def _decomposed(self, source: Source) -> DecomposeParams:
        """How a column is decomposed."""
        graph = self.graph
        decompose = graph.config.decompose
        causal = decompose.mode == "causal"
        return DecomposeParams(
            column=source.column,
            options=decompose.as_params(),
            rows=self._rows_decomposed(decompose.mode),
            keep=self._kept() if causal else None,
            split=self.split.as_params() if decompose.mode == "parts" else None,
        )

    def _rows_decomposed(self, mode: Mode) -> int:
        return {
            "causal": self.graph.extent,
            "full": self.graph.facts.rows,
            "parts": self.split.stop,
        }[mode]

    def _kept(self) -> int:
        """The longest window of the run's nets, up to a power of two: similar windows share."""
        longest = max(LEAST_KEPT, *(net.window.input for net in self.graph.nets.values()))
        return min(1 << (longest - 1).bit_length(), self.graph.config.decompose.window)

    def _shape(self, source: Source) -> Key:
        params = self._shaped(source)
        pair = self._pair(params.target, source)
        sees = self._sight.of_sources(pair, (0, params.rows))
        return self.graph.keep(_step("shape", params, self._needs(pair), sees=sees))

    def _shaped(self, source: Source) -> ShapeParams:
        """How a column, or a component of it, is shaped."""
        graph, shaping = self.graph, self.graph.config.shaping
        (target,) = graph.config.target  # a column is shaped for one of them: see `plan.checks`
        return ShapeParams(
            target=target,
            column=source.column,
            component=source.component,
            options=shaping.as_params(),
            rows=graph.extent if shaping.causal else graph.facts.rows,
            # What sees the whole series does not ask which of it is called training
            train=list(self.split.train) if shaping.causal else None,
        )

    def _pair(self, target: str, source: Source) -> list[Source]:
        return [Source(column, source.component) for column in (target, source.column)]

    def _explain(
        self,
        config: RunConfig,
        component: str,
        sources: Sequence[Source],
        needs: Mapping[str, Key],
        sees: Mapping[str, str],
    ) -> None:
        exog = {(s.column, s.component) for s in sources if s.column in config.exog}
        if self.graph.explain.relevance:
            for target, (column, part) in product(config.target, sorted(exog)):
                self._relevance(target, Source(column, part))
        if self.graph.explain.permutations and exog:
            self._importance(config, component, needs, sees)

    def _importance(
        self,
        config: RunConfig,
        component: str,
        needs: Mapping[str, Key],
        sees: Mapping[str, str],
    ) -> None:
        params = ImportanceParams(
            component=component,
            net={"name": config.net.name},
            targets=list(config.target),
            horizon=config.window.horizon,
            decompose=config.decompose.as_params(),
            shaping=config.shaping.model_dump(include={"method", "relevance"}),
            exog=list(config.exog),
            exog_form=config.exog_form,
            split=self.split.learning.as_params(),
            permutations=self.graph.explain.permutations,
            seed=0,
            dataset=self._leaky_data(),
        )
        seen = {**sees, "fit": needs["fit"]}
        self.graph.keep(_step("importance", params, needs, sees=seen))

    def _leaky_data(self) -> dict[str, Any] | None:
        """What of the data set lets nets see the future, for those who read the result."""
        source = self.graph.facts.source
        return {"missing": source["missing"]} if fills_from_later(source) else None

    def _relevance(self, target: str, source: Source) -> None:
        explain = self.graph.explain
        pair = self._pair(target, source)
        params = RelevanceParams(
            target=target,
            column=source.column,
            component=source.component,
            decompose=self.graph.config.decompose.as_params(),
            train=list(self.split.train),
            measures=sorted(set(explain.relevance)),
            max_lag=explain.max_lag,
            draws=explain.draws,
            seed=0,
            dataset=self._leaky_data(),
        )
        sees = self._sight.of_sources(pair, self.split.train)
        self.graph.keep(_step("relevance", params, self._needs(pair), sees=sees))


def _course(params: Mapping[str, Any], sees: Mapping[str, str], net: NetConfig) -> str | None:
    """Equal for fits whose epochs are the same, as far as each goes: one may resume another.

    None where a fit cannot be resumed. What comes after these epochs (`final`) has no part in it.
    """
    if not net.resumable:
        return None
    if SCHEDULES[params["train"]["schedule"]].depends_on_epochs:
        return None
    train = _without(params["train"], EXTENT)
    shared = _without(params, {"final"})
    return digest(
        {"op": "fit", "version": OPS["fit"].version, **shared, "train": train, "sees": sees}
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
