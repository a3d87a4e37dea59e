"""Regular grids on which the times of rows lie: constant, months, days of the week, sessions.

Each way to look at times gives each row's number on a grid, or nothing. Numbers that grow by one
from row to row are a regular series; where they sometimes grow by more, rows are missing.
"""

from dataclasses import replace

from pyheta.pipeline.data.steps import cadence
from pyheta.pipeline.data.steps.cadence import Unit
from pyheta.pipeline.data.steps.grids.even import even
from pyheta.pipeline.data.steps.grids.grid import Grid, Times
from pyheta.pipeline.data.steps.grids.months import months
from pyheta.pipeline.data.steps.grids.sessions import sessions
from pyheta.pipeline.data.steps.grids.weekdays import weekdays

__all__ = ["Grid", "Times", "find_grid"]


def find_grid(times: Times, *, counted: bool = False) -> Grid | None:
    """The grid on which all rows lie, the most natural one first; None where there is none.

    One on which rows are missing is taken if no other is whole. Where rows are `counted`, times
    are no moments, and have no calendar.
    """
    if counted:
        grid = even(times)
        return replace(grid, cadence=cadence.counted()) if grid and grid.mostly else None
    mostly: list[Grid] = []
    for way in (months, even, weekdays, sessions):
        if (grid := way(times)) and grid.whole:
            return grid
        mostly += [grid] if grid and grid.mostly else []
    return next(
        (grid for grid in mostly if grid.cadence.unit != Unit.SECOND), next(iter(mostly), None)
    )
