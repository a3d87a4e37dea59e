"""Folds of a rolling origin in reports: pooled, or each beside the others of its own."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from builders import run_row, sweep_row

from pyheta.report.query import ReportQuery
from pyheta.report.table import build
from pyheta.store.seam import RunRow


def fold(net: str, number: int | None, rmse: float) -> RunRow:
    row = run_row(
        {"net": {"name": net}, "split": {"folds": 2}}, number or 0, metrics={"rmse": rmse}
    )
    return replace(row, fold=number)


@pytest.mark.parametrize(
    ("query", "section", "pooled"),
    [
        (ReportQuery(), {}, True),
        (ReportQuery(rows=("net.name", "fold")), {}, False),
        (ReportQuery(cols=("fold",)), {}, False),
        (ReportQuery(), {"rows": ["fold"]}, False),
        (ReportQuery(rows=("net.name",)), {"rows": ["fold"]}, True),
    ],
)
def test_folds_are_pooled_where_nothing_is_laid_out_by_them(
    query: ReportQuery, section: dict[str, Any], *, pooled: bool
) -> None:
    assert query.pools(section) is pooled


def best_of(runs: Sequence[RunRow]) -> dict[tuple[str, ...], bool]:
    query = ReportQuery(("rmse",), ("net.name", "fold"))
    table = build(sweep_row("net.name"), runs, query)
    return {row.labels: bool(row.cells[0] and row.cells[0].best) for row in table.rows}


def test_what_forecasts_one_fold_competes_there_alone() -> None:
    runs = [
        fold(net, number, rmse + number)
        for net, rmse in (("lstm", 0.5), ("mlp", 0.6))
        for number in (0, 1)
    ]

    assert best_of(runs) == {
        ("lstm", "0"): True,
        ("lstm", "1"): True,
        ("mlp", "0"): False,
        ("mlp", "1"): False,
    }
