"""How a report treats each metric: which one it shows first, in which units, and what is better."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from pyheta.pipeline.metrics import (
    METRICS,
    PINBALL,
    PINBALL_SCALED,
    RMSE,
    RMSE_SCALED,
    MetricDefinition,
)
from pyheta.pipeline.own_metrics import OwnMetric, asked_for, own_metric, titles
from pyheta.report.labels import targets_of, value_at
from pyheta.store.seam import RunRow

Meaning = MetricDefinition | OwnMetric

#: Which of a window's stored losses judges a metric.
Judge = Literal["square", "absolute"]

#: By the metric in the target's units. What is not named has no losses of single windows.
JUDGES: Final[Mapping[str, Judge]] = {
    **dict.fromkeys(("rmse", "mse", "rmsse", "r2", "skill"), "square"),
    **dict.fromkeys(("mae", "mase", "mape", "smape", "wape"), "absolute"),
}


def judge_of(meaning: Meaning) -> Judge | None:
    """The losses whose mean is less where the metric is better; None where no such are stored."""
    return JUDGES.get(meaning.unscaled or meaning.name)


def usual_metric(runs: Sequence[RunRow]) -> str:
    """What is shown where nobody asks for a metric.

    Runs that are trained for quantiles are judged by their loss. Several targets have no common
    unit.
    """
    several = any(len(targets_of(run)) > 1 for run in runs)
    if runs and all(_is_of_quantile(run) for run in runs):
        return PINBALL_SCALED.name if several else PINBALL.name
    return RMSE_SCALED.name if several else RMSE.name


def _is_of_quantile(run: RunRow) -> bool:
    """Whether its nets are trained for a quantile; a baseline keeps that of the runs beside it."""
    return value_at(run.config, "train.loss") == "quantile"


def definition_of(name: str, runs: Sequence[RunRow]) -> Meaning:
    """What is declared of a metric, or of one of a single target or component (`IMF0/skill`).

    One's own is declared where runs ask for it. Raises KeyError for one that nobody declares.
    """
    _, _, name = name.rpartition("/")
    own = None if name in METRICS else own_metric(name, (run.config for run in runs))
    return own or METRICS[name]


def own_names(runs: Sequence[RunRow]) -> Iterator[str]:
    """The metrics of one's own that the runs ask for."""
    return iter(dict.fromkeys(title for run in runs for title in titles(asked_for(run.config))))


def unit_of(name: str, meaning: Meaning) -> str:
    """The units of a metric, in words."""
    _, owner, _ = name.rpartition("/")
    return meaning.unit.replace("the last value", "its own last value") if owner else meaning.unit
