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
    measures = tuple(
        dict.fromkeys(name for step in done for name in (step.summary or {})["measures"])
    )
    return Grid(
        title=f"{sweep.title}: relevance to {', '.join(targets)}",
        keys=keys,
        columns=measures,
        rows=tuple(_row(step, keys, measures, varied_options(done)) for step in done),
        notes=(
            *missing(steps, len(done)),
            *NOTES,
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
        marked(_word(measured[name]), leaked) if name in measured else Word() for name in measures
    )
    labels = {**step.params, "decompose": decomposition(step.params, varied)}
    return GridRow(tuple(labels[key] for key in keys), words, facts | {"leaks": bool(leaked)})


def _word(measured: Mapping[str, Any]) -> Word:
    lag = f" lag {measured['lag']}" if measured["lag"] else ""
    chance = f"({measured['chance']:.3f} … {measured['chance_high']:.3f})"
    beyond = measured["beats_chance"]
    text = f"{measured['value']:.3f}{BEYOND if beyond else ' '}{lag} {chance}"
    return Word(text, "green" if beyond else "dim")
