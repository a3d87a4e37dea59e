"""How a report treats each metric: which one it shows first, in which units, and what is better."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from pyheta.pipeline.metrics import METRICS, RMSE, RMSE_SCALED, MetricDefinition
from pyheta.report.labels import targets_of
from pyheta.store.seam import RunRow

#: Which of a window's stored losses judges a metric.
Judge = Literal["square", "absolute"]

#: By the metric in the target's units. What is not named has no losses of single windows.
JUDGES: Final[Mapping[str, Judge]] = {
    **dict.fromkeys(("rmse", "mse", "rmsse", "r2", "skill"), "square"),
    **dict.fromkeys(("mae", "mase", "mape", "smape", "wape"), "absolute"),
}


def judge_of(name: str) -> Judge | None:
    """The losses whose mean is less where the metric is better; None where no such are stored."""
    definition = definition_of(name)
    return JUDGES.get(definition.unscaled or definition.name)


def usual_metric(runs: Sequence[RunRow]) -> str:
    """What is shown where nobody asks for a metric: several targets have no common unit."""
    several = any(len(targets_of(run)) > 1 for run in runs)
    return RMSE_SCALED.name if several else RMSE.name


def is_metric(name: str) -> bool:
    """Whether this is a metric, perhaps of a single target or component (`IMF0/skill`)."""
    return _base(name) in METRICS


def definition_of(name: str) -> MetricDefinition:
    """What is declared of a metric, or of one of a single target or component."""
    return METRICS[_base(name)]


def _base(name: str) -> str:
    return name.rpartition("/")[2]


def unit_of(name: str) -> str:
    """The units of a metric, in words."""
    _, owner, _ = name.rpartition("/")
    unit = definition_of(name).unit
    return unit.replace("the last value", "its own last value") if owner else unit
