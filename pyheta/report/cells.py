"""The cells of a table: what the runs of one configuration came to."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from pyheta.pipeline.leakage import leaks
from pyheta.report.labels import BASELINE, QUESTION, named_targets, question, value_at
from pyheta.report.metrics import Judge, Meaning, judge_of
from pyheta.steps import OPEN, Key, State, canonical, digest
from pyheta.store.seam import RunRow, SweepRow

#: Where a sweep's `report` says how many rows make a season, by `season_key` of the data set.
SEASONS = "seasons"


@dataclass(frozen=True, slots=True)
class Cell:
    """The distinct results of one configuration.

    `mean` is over `n` of them, `std` has n - 1 below the line and needs two. Of `asked` results
    some may have failed, been cancelled, or be open still; none of these is ever made up.
    `best`: no result of the same question has a better mean; `tied`: another has, and this one
    cannot be told apart from it. Each baseline of the same question is in one of three lists.
    `leaks` says how its runs may have seen the future: then it is compared with nothing.
    """

    asked: int
    n: int = 0
    mean: float | None = None
    std: float | None = None
    failed: int = 0
    cancelled: int = 0
    open: int = 0
    best: bool = False
    tied: bool = False
    worse_than: tuple[str, ...] = ()
    tied_with: tuple[str, ...] = ()
    better_than: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()

    @property
    def undefined(self) -> int:
        """Finished results for which the metric has no value."""
        return self.asked - self.failed - self.cancelled - self.open - self.n


Place = tuple[int, int]  # row, column


@dataclass(frozen=True, slots=True)
class Entry:
    """A cell on its way into a table: where it goes and whom it competes with."""

    place: Place
    contest: str  # cells of one contest answer the same question by the same metric
    metric: str
    baseline: str | None  # what it is called, for a baseline
    beside: bool  # it stands beside the sweep's own runs, so it is not marked for its baselines
    meaning: Meaning
    cell: Cell
    scores: Sequence[Key]  # the steps of its results
    span: int  # rows over which its windows depend on each other: a season or a horizon
    unjudged: str  # why no losses of single windows say how it compares

    @property
    def loss(self) -> float | None:
        """The mean, turned so that less is better."""
        mean = self.cell.mean
        if mean is None:
            return None
        return self.meaning.loss(mean)

    @property
    def judge(self) -> Judge | None:
        return judge_of(self.meaning)

    @property
    def target(self) -> str | None:
        """The one of several targets that the metric is about."""
        return self.metric.rpartition("/")[0] or None


def entry_of(
    place: Place,
    runs: Sequence[RunRow],
    metric: str,
    meaning: Meaning,
    *,
    split: str,
    baseline: str | None,
    sweep: SweepRow,
) -> Entry:
    """The entry of one configuration's runs, or of several's where the table leaves an axis out."""
    questions = {question(run, QUESTION) for run in runs}
    return Entry(
        place=place,
        contest=_contest(runs, metric, meaning, questions),
        metric=metric,
        baseline=baseline,
        beside=all(run.role == BASELINE for run in runs),
        meaning=meaning,
        cell=_cell(runs, metric, split),
        scores=tuple({run.score: None for run in runs if (split, metric, 0) in run.metrics}),
        span=max(_span(run, sweep) for run in runs),
        unjudged=_unjudged(runs, metric, meaning, split, questions),
    )


def with_metric(runs: Sequence[RunRow], metric: str) -> Sequence[RunRow]:
    """The runs that have a metric or may come to have it.

    A metric of one target or component: only the runs that have this target or component.
    """
    owner, own, _ = metric.rpartition("/")
    return [run for run in runs if _has(run, owner)] if own else runs


def season_key(dataset: object) -> str:
    """What stands for the `dataset` section of a run, as plain data, under `SEASONS`."""
    return digest(dataset)[:16]


def _has(run: RunRow, owner: str) -> bool:
    """Whether a run has a target or component of this name.

    Nobody knows the components of a run that did not succeed, unless nothing is decomposed.
    """
    if run.state is State.SUCCEEDED:
        return any(name.startswith(f"{owner}/") for _, name, _ in run.metrics)
    decomposed = value_at(run.config, "decompose.method") not in {None, "none"}
    return decomposed or owner in named_targets(run)


def _cell(runs: Sequence[RunRow], metric: str, split: str) -> Cell:
    distinct = {run.score: run for run in runs}.values()
    states = Counter(run.state for run in distinct)
    values = [v for run in distinct if (v := run.metrics.get((split, metric, 0))) is not None]
    return Cell(
        leaks=tuple(dict.fromkeys(reason for run in runs for reason in leaks(run.config))),
        asked=len(distinct),
        n=len(values),
        mean=fmean(values) if values else None,
        std=stdev(values) if len(values) > 1 else None,
        failed=states[State.FAILED],
        cancelled=states[State.CANCELLED],
        open=sum(states[state] for state in OPEN),
    )


def _contest(
    runs: Sequence[RunRow], metric: str, meaning: Meaning, questions: Collection[str]
) -> str:
    keys = ["scale"] if meaning.unscaled else []
    if meaning.of_quantiles:
        keys.append("train.quantile")
    if _is_of_component(runs, metric):
        # Components are the same series only where they were decomposed in the same way.
        keys.append("decompose")
    conditions = {question(run, keys) for run in runs} if keys else ()
    return canonical([metric, *sorted(questions), *sorted(conditions)])


def _is_of_component(runs: Sequence[RunRow], metric: str) -> bool:
    owner, own, _ = metric.rpartition("/")
    return bool(own) and not any(owner in named_targets(run) for run in runs)


def _span(run: RunRow, sweep: SweepRow) -> int:
    """Rows over which windows depend on each other for sure."""
    horizon = value_at(run.config, "window.horizon")
    seasons = sweep.report.get(SEASONS, {})
    season = seasons.get(season_key(run.config["dataset"])) if seasons else None
    return max(horizon if isinstance(horizon, int) else 1, season or 1)


def _unjudged(
    runs: Sequence[RunRow], metric: str, meaning: Meaning, split: str, questions: Collection[str]
) -> str:
    """Why no losses of single windows say how these runs compare; empty if they do."""
    if split == "train":
        return "no losses are kept of the training part"
    if judge_of(meaning) is None:
        return "it has no losses of single windows"
    if _is_of_component(runs, metric):
        return "no losses are kept of components"
    if len(questions) > 1:
        return "a cell is a mean over several data sets, targets or horizons"
    return ""
