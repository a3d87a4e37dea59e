"""The cells of a table: what the runs of one configuration came to, and how cells compare."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

from pyheta.pipeline.leakage import leaks
from pyheta.report.labels import BASELINE, QUESTION, named_targets, question, value_at
from pyheta.report.metrics import Meaning
from pyheta.steps import OPEN, State, canonical
from pyheta.store.seam import RunRow


@dataclass(frozen=True, slots=True)
class Cell:
    """The distinct results of one configuration.

    `mean` is over `n` of them, `std` has n - 1 below the line and needs two. Of `asked` results
    some may have failed, been cancelled, or be open still; none of these is ever made up.
    `beaten_by` names the baselines of the same question that are at least as good. `leaks` says how
    its runs may have seen the future: then it is compared with nothing.
    """

    asked: int
    n: int = 0
    mean: float | None = None
    std: float | None = None
    failed: int = 0
    cancelled: int = 0
    open: int = 0
    best: bool = False
    beaten_by: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()

    @property
    def undefined(self) -> int:
        """Finished results for which the metric has no value."""
        return self.asked - self.failed - self.cancelled - self.open - self.n


@dataclass(frozen=True, slots=True)
class Entry:
    """A cell on its way into a table: where it goes and whom it competes with."""

    place: tuple[int, int]  # row, column
    contest: str  # cells of one contest answer the same question by the same metric
    metric: str
    baseline: str | None  # what it is called, for a baseline
    beside: bool  # it stands beside the sweep's own runs, so it is not marked for its baselines
    meaning: Meaning
    cell: Cell

    @property
    def loss(self) -> float | None:
        """The mean, turned so that less is better."""
        mean = self.cell.mean
        if mean is None:
            return None
        return self.meaning.loss(mean)


def entry_of(
    place: tuple[int, int],
    runs: Sequence[RunRow],
    metric: str,
    meaning: Meaning,
    *,
    split: str,
    baseline: str | None,
) -> Entry:
    """The entry of one configuration's runs, or of several's where the table leaves an axis out."""
    return Entry(
        place=place,
        contest=_contest(runs, metric, meaning),
        metric=metric,
        baseline=baseline,
        beside=all(run.role == BASELINE for run in runs),
        meaning=meaning,
        cell=_cell(runs, metric, split),
    )


def with_metric(runs: Sequence[RunRow], metric: str) -> Sequence[RunRow]:
    """The runs that have a metric or may come to have it.

    A metric of one target or component: only the runs that have this target or component.
    """
    owner, own, _ = metric.rpartition("/")
    return [run for run in runs if _has(run, owner)] if own else runs


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


def _contest(runs: Sequence[RunRow], metric: str, meaning: Meaning) -> str:
    keys = [*QUESTION, *(["scale"] if meaning.unscaled else [])]
    if meaning.of_quantiles:
        keys.append("train.quantile")
    owner, own, _ = metric.rpartition("/")
    if own and not any(owner in named_targets(run) for run in runs):
        # Components are the same series only where they were decomposed in the same way.
        keys.append("decompose")
    questions = {question(run, keys) for run in runs}
    return canonical([metric, *sorted(questions)])


def mark(entries: Sequence[Entry]) -> Mapping[tuple[int, int], Cell]:
    """The cells by place, with the best of each contest and the nets that baselines beat marked.

    What saw the future takes part in no contest.
    """
    contests: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if not entry.cell.leaks:
            contests[entry.contest].append(entry)
    compared = {place: cell for rivals in contests.values() for place, cell in _compared(rivals)}
    return {entry.place: compared.get(entry.place, entry.cell) for entry in entries}


def _compared(rivals: Sequence[Entry]) -> Iterator[tuple[tuple[int, int], Cell]]:
    losses = [rival.loss for rival in rivals if rival.loss is not None]
    least = min(losses) if len(losses) > 1 else None
    baselines = _baselines(rivals)
    for rival in rivals:
        if (loss := rival.loss) is None:
            yield rival.place, rival.cell
        else:
            others = () if rival.beside else baselines.items()
            beaten_by = tuple(
                name for name, bar in others if bar <= loss and name != rival.baseline
            )
            yield rival.place, replace(rival.cell, best=loss == least, beaten_by=beaten_by)


def _baselines(rivals: Sequence[Entry]) -> Mapping[str, float]:
    """The best loss of each baseline."""
    bars: dict[str, float] = {}
    for rival in rivals:
        if rival.baseline and rival.loss is not None:
            bars[rival.baseline] = min(rival.loss, bars.get(rival.baseline, rival.loss))
    return bars
