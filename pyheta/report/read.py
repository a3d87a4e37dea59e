"""From a sweep in the store to its table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyheta.report.table import Layout, Table, build
from pyheta.store.seam import Reads

DEFAULT_METRIC = "rmse"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user asked of a report; what is empty is left to the sweep's `report` section."""

    metrics: Sequence[str] = ()
    rows: Sequence[str] = ()
    cols: Sequence[str] = ()
    split: str = "test"


async def read_table(reads: Reads, text: str | None, wish: Wish) -> Table:
    """The table of the sweep that `text` names, as it stands now.

    Raises InputError for a sweep that is not there, and for a metric or a key that no run has.
    """
    sweep = await reads.find_sweep(text)
    return build(sweep, await reads.runs(sweep.id), layout(sweep.report, wish))


def layout(section: Mapping[str, Any], wish: Wish) -> Layout:
    """A wish, completed by a sweep's `report` section. A single metric gets skill beside it."""
    cols = tuple(wish.cols or section.get("cols", ()))
    metric = section.get("metric", DEFAULT_METRIC)
    metrics = wish.metrics or ((metric,) if cols else (metric, "skill"))
    rows = wish.rows or section.get("rows", ())
    return Layout(tuple(dict.fromkeys(metrics)), tuple(rows) or None, cols, wish.split)
