"""Whether the columns that a run names are there, and can be what it takes them for."""

import shlex
from collections.abc import Iterable, Sequence

import numpy as np

from pyheta.errors import SweepError, nearest
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.sweep import Run
from pyheta.sweep.overrides import COMMAND_LINE
from pyheta.sweep.problems import Problems

# Columns, each with the key of the sweep that asks for it
Asked = Iterable[tuple[str, str]]


def check_columns(run: Run, columns: Asked, facts: DatasetFacts, problems: Problems) -> None:
    for column, key in columns:
        where = run.where(key)
        if column in facts.left_out:
            error = facts.left_out[column]
            what = f"column '{column}' cannot be used: {error.where}: {error.what}"
            problems.add(what, where=where, cure=error.cure)
        elif column not in facts.columns:
            problems.note(_unknown(column, where, facts))
        elif key == "target":
            _check_target(column, where, facts, problems)
        elif what := _shared_with(column, run.config.target, facts):
            problems.add(what, where=where, cure="its past is seen anyway: take it out of exog")
        elif (delay := facts.meaning.delayed.get(column, 0)) > run.config.window.input:
            what = f"column '{column}' becomes known {delay:,} rows late, after a whole window"
            problems.add(what, where=where, cure="use a longer window, or leave it out")


def _unknown(column: str, where: str, facts: DatasetFacts) -> SweepError:
    """The error for a column that is not there; maybe a comma on the command line was its own."""
    key, _, written = where.removeprefix(f"{COMMAND_LINE}, ").partition("=")
    if where.startswith(COMMAND_LINE) and written in facts.columns:
        right = shlex.quote(f'{key}=["{written}"]')
        cure = f"for the column '{written}' write {right}"
        return SweepError("commas separate values here", where=where, cure=cure)
    what, cure = f"the data set has no column '{column}'", nearest(column, facts.columns)
    return SweepError(what, where=where, cure=cure)


def _check_target(column: str, where: str, facts: DatasetFacts, problems: Problems) -> None:
    """What is published late cannot be forecast: its truth is not that of its row. What is known
    ahead need not be.
    """
    if delay := facts.meaning.delayed.get(column):
        what = f"column '{column}' becomes known {delay:,} rows late, so it cannot be a target"
        problems.add(what, where=where, cure="take away its delay, or forecast another column")
    elif column in facts.meaning.known:
        role = "take away its role, or " if column in facts.meaning.declared else ""
        what = f"column '{column}' is known ahead, so there is nothing to forecast"
        problems.add(what, where=where, cure=f"{role}forecast another column")


def _shared_with(column: str, targets: Sequence[str], facts: DatasetFacts) -> str:
    """What an exogenous column has in common with a target; empty if nothing."""
    if column in targets:
        return f"'{column}' is the target and an exogenous column too"
    same = next((target for target in targets if _same(facts, column, target)), None)
    return f"column '{column}' holds the values of the target '{same}'" if same else ""


def _same(facts: DatasetFacts, first: str, second: str) -> bool:
    columns = facts.by_column
    return {first, second} <= columns.keys() and columns[first].digest == columns[second].digest


def check_categories(
    run: Run, columns: Asked, train_stop: int, facts: DatasetFacts, problems: Problems
) -> None:
    """A value of a category that training never saw, or saw throughout, says nothing.

    Of each category the first is told; of two at once the new one.
    """
    groups = {name: group for group, names in facts.meaning.groups.items() for name in names}
    late: dict[str, list[tuple[int, float, str, str]]] = {}
    for column, key in columns:
        series = facts.by_column.get(column)
        if column in groups and series and (series.changes_at or 0) >= train_stop:
            change = (series.changes_at or 0, series.at_first, column, key)
            late.setdefault(groups[column], []).append(change)
    for group, changes in late.items():
        row, before, column, key = min(changes)
        value, place = column.removeprefix(f"{group}="), row_in_words(row, facts)
        when = (
            f"throughout training, until {place}" if before else f"first in {place}, after training"
        )
        what = f"'{group}' is '{value}' {when}"
        cure = f"leave out '{group}' or train on more rows"
        problems.add(what, where=run.where(key), cure=cure)


def row_in_words(row: int, facts: DatasetFacts) -> str:
    """As in "row 501 of the table (2020-01-21 20:00:00)"; row 0 is the first."""
    words = f"row {row + 1:,} of the table"
    if facts.times is None or facts.counted:
        return words
    return f"{words} ({np.datetime64(int(facts.times[row]), 'us').item()})"
