"""What a user asks of a report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyheta.pipeline.metrics import SKILL
from pyheta.report.metrics import usual_metric
from pyheta.store.seam import RunRow
from pyheta.sweep.given import FOLD


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """Metrics, and the dotted keys that head rows and columns.

    No `rows` stands for every axis of the sweep that is not among `cols`. What else is empty is
    left to the sweep's `report` section: see `completed`.
    """

    metrics: Sequence[str] = ()
    rows: Sequence[str] = ()
    cols: Sequence[str] = ()
    split: str = "test"

    def pools(self, section: Mapping[str, Any]) -> bool:
        """Whether folds are shown together: nothing is laid out by them.

        Training is not pooled, since folds train on the same rows again and again.
        """
        rows, cols = (
            asked or section.get(side, ())
            for side, asked in (("rows", self.rows), ("cols", self.cols))
        )
        return FOLD not in (*rows, *cols) and self.split != "train"

    def completed(self, section: Mapping[str, Any], runs: Sequence[RunRow]) -> "ReportQuery":
        """The same with what the sweep's `report` section says where nothing is asked.

        Skill stands beside a metric that nobody asked for, unless there are columns.
        """
        cols = tuple(self.cols or section.get("cols", ()))
        metric = section.get("metric") or usual_metric(runs)
        metrics = self.metrics or ((metric,) if cols else (metric, SKILL.name))
        rows = tuple(self.rows or section.get("rows", ()))
        return ReportQuery(tuple(dict.fromkeys(metrics)), rows, cols, self.split)
