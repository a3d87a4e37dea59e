"""How much nets rely on each exogenous column: how the error rises when it is permuted."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any, NamedTuple

from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.pipeline.leakage import leaks
from pyheta.report.grid import (
    Grid,
    GridRow,
    Word,
    decomposition,
    finished,
    marked,
    missing,
    varied_options,
)
from pyheta.report.wording import leak_notes
from pyheta.store.seam import StepRow, SweepRow

NOTES = (
    (
        "Rise of the validation RMSE when the windows of a column are permuted (Breiman 2001), in "
        "percent:"
    ),
    (
        "mean ± standard deviation over the nets of the sweep that read the column; n of them in "
        "brackets."
    ),
)

SHAPED = " shaped"

Rises = Mapping[str, Sequence[float]]  # by the channel's label


class Group(NamedTuple):
    """Nets whose rises are averaged: alike in what they forecast, their kind and what they saw."""

    target: str  # with the horizon, where it is not one row
    component: str
    net: str
    decompose: str
    leaks: tuple[str, ...]


def importance_grid(sweep: SweepRow, steps: Sequence[StepRow]) -> Grid:
    """A row for each component and net, a column for each channel.

    Raises InputError without any step.
    """
    done = finished(steps, "importance", "permutations: 5")
    rises = _rises(done)
    leaked = [group.leaks for group in rises]
    columns = tuple(sorted({label for by_label in rises.values() for label in by_label}))
    return Grid(
        title=f"{sweep.title}: importance of columns",
        keys=("target", "component", "net.name", "decompose"),
        columns=columns,
        rows=tuple(_row(group, by_label, columns) for group, by_label in rises.items()),
        notes=(*missing(steps, len(done)), *NOTES, *leak_notes(leaked, sweep.leakage)),
    )


def _rises(steps: Sequence[StepRow]) -> Mapping[Group, Rises]:
    rises: dict[Group, defaultdict[str, list[float]]] = {}
    varied = varied_options(steps)
    for step in steps:
        by_label = rises.setdefault(_group(step.params, varied), defaultdict(list))
        for label, risen in (step.summary or {})["columns"].items():
            by_label[_without_component(label, step.params["component"])].append(risen["rise"])
    return rises


def _group(params: Mapping[str, Any], varied: Sequence[str]) -> Group:
    # Version 1 of the operation knew a single target.
    targets = " ".join(params["targets"]) if "targets" in params else params["target"]
    target = targets if params["horizon"] == 1 else f"{targets}, {params['horizon']} rows"
    treated = decomposition(params, varied)
    return Group(target, params["component"], params["net"]["name"], treated, leaks(params))


def _without_component(label: str, component: str) -> str:
    """ "HUFL IMF0 shaped" is HUFL shaped in the row of IMF0."""
    form = SHAPED if label.endswith(SHAPED) else ""
    own = "" if component == WHOLE else f" {component}"
    return label.removesuffix(form).removesuffix(own) + form


def _row(group: Group, rises: Rises, columns: Sequence[str]) -> GridRow:
    facts: dict[str, Any] = {"leaks": bool(group.leaks)}
    for label in columns:
        if values := rises.get(label):
            facts |= {f"{label}.rise": fmean(values), f"{label}.n": len(values)}
            facts |= {f"{label}.std": stdev(values)} if len(values) > 1 else {}
    words = (marked(_word(rises.get(label, ())), group.leaks) for label in columns)
    return GridRow(group[:4], tuple(words), facts)


def _word(values: Sequence[float]) -> Word:
    if not values:
        return Word()
    mean = 100 * fmean(values)
    if len(values) == 1:  # one net has no spread to judge its mean by
        return Word(f"{mean:.1f} (1)")
    spread = 100 * stdev(values)
    return Word(f"{mean:.1f} ± {spread:.1f} ({len(values)})", "green" if mean > spread else "dim")
