"""Every report says what was done to the data, and calls series by their name."""

from builders import run_row, sweep_row

from pyheta.report.formats import as_json, to_markdown
from pyheta.report.query import ReportQuery
from pyheta.report.table import build

REMARK = "load: 3 of 100 values are not the file's (train 3, val 0, test 0)."
SERIES = [
    run_row({"dataset": {"path": "p.csv", "pick": name}, "net": {"name": "ridge"}}, metrics=metrics)
    for name, metrics in (("MSFT", {"rmse": 1.0}), ("AAPL", {"rmse": 3.0}))
]


def test_what_was_done_to_the_data_stands_below_every_table() -> None:
    sweep = sweep_row("net.name", report={"remarks": [REMARK]})

    table = build(sweep, SERIES[:1], ReportQuery(("rmse",)))

    assert table.remarks == (REMARK,)
    assert as_json(table)["remarks"] == (REMARK,)
    assert to_markdown(table).endswith(f"- {REMARK}\n")


def test_an_axis_of_series_has_its_own_name() -> None:
    table = build(sweep_row("series"), SERIES, ReportQuery(("rmse",)))

    assert table.row_keys == ("series",)
    assert [row.labels for row in table.rows] == [("MSFT",), ("AAPL",)]


def test_a_mean_over_series_is_said_to_be_one() -> None:
    table = build(sweep_row("series"), SERIES, ReportQuery(("rmse",), rows=("net.name",)))

    (cell,) = table.rows[0].cells
    assert cell
    assert (cell.mean, cell.n) == (2.0, 2)
    assert table.averaged == ("series",)
    assert "Mean ± standard deviation over seeds, series" in to_markdown(table)
