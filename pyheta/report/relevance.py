"""How relevant each exogenous column is to the target, beside what chance reaches."""

from collections.abc import Mapping, Sequence
from typing import Any

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

BEYOND = "+"

#: What stands where there is nothing to measure: see the operation `relevance`.
CONSTANT = Word("constant", "dim")
CONSTANT_NOTE = (
    "constant: the column or the target, or this component of it, does not move in training, so "
    "there is nothing to measure."
)

NOTES = (
    (
        "In brackets: mean and 95 % bound of the same measure for the column shifted in time at "
        "random;"
    ),
    (
        f"what is beyond is marked {BEYOND}. Lag: rows by which the column leads the target. "
        "Training rows only."
    ),
)


def relevance_grid(sweep: SweepRow, steps: Sequence[StepRow]) -> Grid:
    """A row for each column and component, a column for each measure.

    Raises InputError without any step.
    """
    done = finished(steps, "relevance", "relevance: [pearson, farm]")
    targets = list(dict.fromkeys(step.params["target"] for step in steps))
    keys = (*(["target"] if len(targets) > 1 else []), "column", "component", "decompose")
    measures = tuple(dict.fromkeys(name for step in done for name in step.params["measures"]))
    rows = tuple(_row(step, keys, measures, varied_options(done)) for step in done)
    return Grid(
        title=f"{sweep.title}: relevance to {', '.join(targets)}",
        keys=keys,
        columns=measures,
        rows=rows,
        notes=(
            *missing(steps, len(done)),
            *NOTES,
            *([CONSTANT_NOTE] if any(CONSTANT in row.words for row in rows) else []),
            *leak_notes([leaks(step.params) for step in done], sweep.leakage),
        ),
    )


def _row(
    step: StepRow, keys: Sequence[str], measures: Sequence[str], varied: Sequence[str]
) -> GridRow:
    measured: Mapping[str, Mapping[str, Any]] = (step.summary or {})["measures"]
    facts = {
        f"{name}.{fact}": value
        for name, values in measured.items()
        for fact, value in values.items()
    }
    leaked = leaks(step.params)
    words = tuple(
        marked(_word(measured[name]), leaked) if name in measured else _without(name, step)
        for name in measures
    )
    labels = {**step.params, "decompose": decomposition(step.params, varied)}
    return GridRow(tuple(labels[key] for key in keys), words, facts | {"leaks": bool(leaked)})


def _without(measure: str, step: StepRow) -> Word:
    """Where a step has no value of a measure, it was not asked for, or there is none."""
    return CONSTANT if measure in step.params["measures"] else Word()


def _word(measured: Mapping[str, Any]) -> Word:
    lag = f" lag {measured['lag']}" if measured["lag"] else ""
    chance = f"({measured['chance']:.3f} … {measured['chance_high']:.3f})"
    beyond = measured["beats_chance"]
    text = f"{measured['value']:.3f}{BEYOND if beyond else ' '}{lag} {chance}"
    return Word(text, "green" if beyond else "dim")
