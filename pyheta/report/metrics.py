"""How a report treats each metric: which one it shows first, in which units, and what is better."""

from collections.abc import Sequence

from pyheta.pipeline.metrics import METRICS, RMSE, RMSE_SCALED, MetricDefinition
from pyheta.report.labels import targets_of
from pyheta.store.seam import RunRow


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
