"""Rows that are missing between two others, by the grid on which the rows lie."""

from dataclasses import replace

import numpy as np
import polars as pl

from pyheta.pipeline.data.draft import TIME, Draft
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.steps.cadence import Cadence, Unit
from pyheta.pipeline.data.steps.finding import find_cadence
from pyheta.pipeline.data.steps.grids import find_grid


def with_missing_rows(draft: Draft, cadence: Cadence) -> Draft:
    """The draft with a row at each step, null where the file has none."""
    times = draft.frame[TIME].to_physical().to_numpy()
    grid = None if cadence.unit is Unit.ROW else find_grid(times)
    if grid is None or grid.whole:
        return draft
    index = np.full(grid.numbers[-1] - grid.numbers[0] + 1, -1, dtype=np.intp)
    index[grid.numbers - grid.numbers[0]] = np.arange(len(times))
    moments = pl.Series(TIME, np.where(index < 0, grid.full(), times[index]))
    full = draft.take(index)
    frame = full.frame.with_columns(moments.cast(draft.frame.schema[TIME]))
    return full.with_frame(frame, _told(int(grid.missing.sum())))


def _told(count: int) -> str:
    return f"{count:,} rows that the file lacks" if count > 1 else "1 row that the file lacks"


def recounted(draft: Draft, cadence: Cadence, options: DataOptions) -> Cadence:
    """The cadence of a draft after rows were dropped: rows are counted where some lack inside."""
    grid = find_grid(draft.frame[TIME].to_physical().to_numpy(), counted=draft.counted)
    if cadence.unit is Unit.ROW or (grid and grid.whole and grid.cadence.unit is cadence.unit):
        return cadence
    counted = find_cadence(draft, options.model_copy(update={"step": "rows"}))
    note = "rows that were dropped leave gaps, so rows are counted: times are labels"
    return replace(counted, notes=(*counted.notes, note))
