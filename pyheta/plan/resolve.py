"""A run, as its data complete it: which columns are meant, and how many rows make a season.

What is recorded of a run is what comes out here. So a data set that gets a column changes the runs
that ask for all of them, and no other.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pyheta.errors import SweepError
from pyheta.nets.configs.base import NetConfig, SeasonalNetConfig
from pyheta.nets.configs.union import NETS
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.plan.checks import check_runs
from pyheta.section import Section
from pyheta.steps import canonical
from pyheta.sweep import Run
from pyheta.sweep.components import Changes
from pyheta.sweep.config import RunConfig
from pyheta.sweep.expand import is_as_it_is
from pyheta.sweep.problems import Problems
from pyheta.sweep.selection import Offer, would_take

Facts = Mapping[Section, DatasetFacts]


@dataclass(frozen=True, slots=True)
class Completed:
    """Runs with nothing left open, and what was decided for them: a sentence each."""

    runs: Sequence[Run]
    notes: Sequence[str]


def offer_of(facts: DatasetFacts) -> Offer:
    """The columns that a run may read. A mask is one, but no pattern means it."""
    masks = set(facts.meaning.masks.values())
    offered = [name for name in facts.columns if name not in masks]
    return Offer(offered, (*facts.columns, *facts.left_out), facts.meaning.groups)


def offer_of_subsets(facts: DatasetFacts) -> Offer:
    """The same, with one name for all columns of a group."""
    whole, groups = offer_of(facts), facts.meaning.groups
    inside = {name for columns in groups.values() for name in columns}
    offered = [*(name for name in whole.offered if name not in inside), *groups]
    return Offer(offered, (*whole.named, *groups))


def complete(runs: Iterable[Run], facts: Facts, *, default_baselines: bool) -> Completed:
    """Complete the runs, which keep their order.

    A baseline that turns out to be a run of the sweep, or another baseline, is left out. So is one
    that does not fit the data, if nobody asked for it. Raises SweepError or SweepErrors.
    """
    completion = _Completion(facts)
    nets: list[Run] = []
    baselines: list[Run] = []
    for run in runs:
        by_default = run.role == "baseline" and default_baselines
        if completed := completion.of(run, by_default=by_default):
            (baselines if run.role == "baseline" else nets).append(completed)
    completion.problems.raise_any()
    distinct = _distinct(nets, baselines)
    if default_baselines:
        distinct = [run for run in distinct if completion.fits(run)]
    kept = [replace(run, ordinal=len(nets) + index) for index, run in enumerate(distinct)]
    return Completed((*nets, *kept), (*completion.said_of_seasons(), *completion.notes))


def equal_to_baselines(runs: Iterable[Run], nets: Iterable[NetConfig], facts: Facts) -> list[int]:
    """The ordinals of the completed runs of a sweep that its `baselines` would be, had they to run.

    They are left out of the baselines, and reports hold the others against them all the same.
    """
    by_name = defaultdict[str, list[NetConfig]](list)
    for net in nets:
        by_name[net.name].append(net)
    return [
        run.ordinal
        for run in runs
        if run.role == "net" and (alike := by_name.get(run.config.net.name))
        if run.config.net in (_with_season(net, facts[run.config.dataset]) for net in alike)
        if is_as_it_is(run.config)
    ]


def _with_season(net: NetConfig, facts: DatasetFacts) -> NetConfig:
    if not isinstance(net, SeasonalNetConfig) or net.period:
        return net
    return net.model_copy(update={"period": facts.cadence.season})


def _distinct(nets: Iterable[Run], baselines: Iterable[Run]) -> list[Run]:
    """The baselines that are neither a run of the sweep nor there already."""
    names = {run.config.net.name for run in baselines}
    seen = {_identity(run) for run in nets if run.config.net.name in names}
    kept: list[Run] = []
    for run in baselines:
        if (identity := _identity(run)) not in seen:
            seen.add(identity)
            kept.append(run)
    return kept


def _identity(run: Run) -> str:
    return canonical([run.config.reduced().as_json(), run.fold])


class _NoSeasonError(SweepError):
    """Nothing says how many rows of a data set make a season."""


@dataclass
class _Completion:
    """Completes configurations, each once in however many runs."""

    facts: Facts
    problems: Problems = field(default_factory=Problems)
    notes: dict[str, None] = field(default_factory=dict)  # in order, each once
    nets: dict[NetConfig, NetConfig] = field(default_factory=dict)
    seasons: dict[int, dict[str, None]] = field(default_factory=dict)  # rows -> data sets
    last: tuple[RunConfig, RunConfig] | None = (
        None  # runs that differ in seed and fold follow each other
    )

    def of(self, run: Run, *, by_default: bool) -> Run | None:
        """The completed run; None where it cannot be, which is noted."""
        if self.last and self.last[0] is run.config:
            return replace(run, config=self.last[1])
        try:
            config = self._config(run)
        except _NoSeasonError as error:
            if by_default:
                self._note(f"baseline {run.config.net.name} is left out: {error.what}")
            else:
                self.problems.note(error)
            return None
        except SweepError as error:
            self.problems.note(error)
            return None
        self.last = run.config, config
        return replace(run, config=config)

    def fits(self, run: Run) -> bool:
        """Whether a baseline that nobody asked for fits the data."""
        try:
            check_runs([run], self.facts)
        except SweepError as error:
            self._note(f"baseline {run.config.net.name} is left out: {error.what}")
            return False
        return True

    def _config(self, run: Run) -> RunConfig:
        config, facts = run.config, self.facts[run.config.dataset]
        offer = offer_of(facts)
        target = _select(run, "target", offer, config.target)
        beside = offer.without(target)
        changes: dict[str, Any] = {
            "target": target,
            "exog": tuple(sorted(_select(run, "exog", beside, config.exog))),
            "components": tuple(
                (pattern, tuple(self._change(run, beside, changes)))
                for pattern, changes in config.components
            ),
            "net": self._net(run),
        }
        if config.decompose.lacks_season:
            period = self._season(run, "decompose", config.decompose.method)
            changes["decompose"] = config.decompose.model_copy(update={"period": period})
        self._note_left_out(config, facts)
        changes = {key: value for key, value in changes.items() if value != getattr(config, key)}
        return config.model_copy(update=changes) if changes else config

    def _net(self, run: Run) -> NetConfig:
        net = run.config.net
        if not isinstance(net, SeasonalNetConfig) or net.period:
            return net
        season = self._season(run, "net", net.name)
        completed = net.model_copy(update={"period": season})
        return self.nets.setdefault(completed, completed)  # runs share their sections

    def _change(self, run: Run, offer: Offer, changes: Changes) -> Iterator[tuple[str, Any]]:
        """What is different for a component, completed as the run is."""
        written = dict(changes)
        for key, value in changes:
            names = tuple(value) if key == "exog" and isinstance(value, list | tuple) else ()
            yield key, tuple(sorted(_select(run, "components", offer, names))) if names else value
        named = NETS.get(str(written.get("net.name")))
        if named and named.seasonal and "net.period" not in written:
            yield "net.period", self._season(run, "components", str(written["net.name"]))

    def _season(self, run: Run, key: str, name: str) -> int:
        facts = self.facts[run.config.dataset]
        season = facts.cadence.season
        if season is None or season == 1:
            what = f"nothing says how many rows make a season, and {name} goes by one"
            cure = f"write `season: …` under dataset, or `period: …` beside {name}"
            raise _NoSeasonError(what, where=run.where(key), cure=cure)
        self.seasons.setdefault(season, {})[_named(run.config.dataset)] = None
        return season

    def said_of_seasons(self) -> Iterator[str]:
        """How many rows make a season; of which data sets, where they differ."""
        for season, names in self.seasons.items():
            of_whom = f" of {', '.join(names)}" if len(self.seasons) > 1 else ""
            yield f"a season{of_whom} is {season:,} rows"

    def _note(self, text: str) -> None:
        self.notes[text] = None

    def _note_left_out(self, config: RunConfig, facts: DatasetFacts) -> None:
        """A pattern means columns that can be used; which others it fits is said."""
        for column, error in facts.left_out.items():
            if would_take(config.exog, column) or would_take(config.target, column):
                self._note(f"column '{column}' is not taken: {error.where}: {error.what}")


def _named(dataset: Section) -> str:
    """Which data set it is: the series, else its name or path."""
    names = (getattr(dataset, key, None) for key in ("pick", "name", "path"))
    return str(next(filter(None, names)))


def _select(run: Run, key: str, offer: Offer, written: Sequence[str]) -> tuple[str, ...]:
    """Raises SweepError, with its place, where nothing is meant."""
    try:
        names = offer.select(written)
    except SweepError as error:
        where = run.where(key)
        raise SweepError(f"{key}: {error.what}", where=where, cure=error.cure) from error
    if key == "target" and not names:
        raise SweepError("target: no column is left", where=run.where(key))
    return names
