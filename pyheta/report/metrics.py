"""The metrics that a report can show, and in which units. Their formulas stand in
`pipeline/metrics.py`.
"""

from collections.abc import Sequence

from pyheta.report.labels import targets_of
from pyheta.store.seam import RunRow

UNITS = {
    "mae": "in the target's own units",
    "rmse": "in the target's own units",
    "mse": "in the target's own units, squared",
    "mae_scaled": "in units of the scaled target",
    "rmse_scaled": "in units of the scaled target",
    "mse_scaled": "in units of the scaled target, squared",
    "mape": "mean |error / truth|, a fraction",
    "smape": "mean 2 |error| / (|truth| + |forecast|), from 0 to 2",
    "wape": "sum |error| / sum |truth|",
    "mase": "mae / mae of the last value on the training rows",
    "r2": "share of the truth's variance that is explained",
    "skill": "1 - rmse / rmse of the last value on the same targets",
}


_HIGHER_IS_BETTER = frozenset({"r2", "skill"})


def usual_metric(runs: Sequence[RunRow]) -> str:
    """What is shown where nobody asks for a metric: several targets have no common unit."""
    return "rmse_scaled" if any(len(targets_of(run)) > 1 for run in runs) else "rmse"


def higher_is_better(metric: str) -> bool:
    """Whether more of a metric is better, also of one of a target's or component's own
    (`IMF0/skill`).
    """
    return metric.rpartition("/")[2] in _HIGHER_IS_BETTER


def unit_of(metric: str) -> str:
    """The units of a metric, also of one of a target's or component's own; empty if it is not
    known.
    """
    _, own, name = metric.rpartition("/")
    unit = UNITS.get(name, "")
    return unit.replace("the last value", "its own last value") if own else unit
