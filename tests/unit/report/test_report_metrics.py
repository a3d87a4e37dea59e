"""Which metric a table shows, and what is best by it: quantiles, biases, metrics of one's own."""

from dataclasses import replace
from typing import Any

import pytest
from builders import run_row
from builders import sweep_row as sweep

from pyheta.errors import InputError
from pyheta.report.metrics import usual_metric
from pyheta.report.query import ReportQuery
from pyheta.report.shapley import shapley_grid
from pyheta.report.table import Table, build
from pyheta.report.wording import lines, notes
from pyheta.store.seam import RunRow

OWN = {"name": "mine:gain", "version": 1, "higher_is_better": True}
LOSS = {"name": "mine:cost", "version": 1, "higher_is_better": False}


def run(net: str, *own: dict[str, Any], **metrics: float) -> RunRow:
    config = {"net": {"name": net}} | ({"metrics": list(own)} if own else {})
    return run_row(config, metrics=metrics)


def baseline(net: str, *own: dict[str, Any], **metrics: float) -> RunRow:
    return replace(run(net, *own, **metrics), role="baseline")


def of_quantile(net: str, quantile: float, *, role: str = "net", **metrics: float) -> RunRow:
    train = {"loss": "quantile", "quantile": quantile}
    return run_row({"net": {"name": net}, "train": train}, role=role, metrics=metrics)


def table(*runs: RunRow, metric: str, axes: tuple[str, ...] = ("net.name",)) -> Table:
    return build(sweep(*axes), runs, ReportQuery((metric,)))


def marked(table: Table) -> list[tuple[str, ...]]:
    return [row.labels for row in table.rows for cell in row.cells if cell and cell.best]


# ---- metrics of one's own ------------------------------------------------------------------------


@pytest.mark.parametrize(("own", "best"), [(OWN, "gru"), (LOSS, "mlp")])
def test_ones_own_says_itself_what_is_better(own: dict[str, Any], best: str) -> None:
    name = own["name"].removeprefix("mine:")
    shown = table(run("mlp", own, **{name: 1.0}), run("gru", own, **{name: 2.0}), metric=name)
    assert marked(shown) == [(best,)]


def test_its_note_names_the_function() -> None:
    shown = table(run("mlp", OWN, gain=1.0), metric="gain")
    assert "gain: mine:gain, higher is better." in notes(shown)


def test_it_keeps_its_digits_whatever_its_size() -> None:
    shown = table(run("mlp", OWN, gain=1e-7), run("gru", OWN, gain=2e-7), metric="gain")
    assert [line.cells[0].mean for line in lines(shown)] == ["0.000000100", "0.000000200"]


def test_a_baseline_beats_a_net_by_it() -> None:
    shown = table(run("mlp", OWN, gain=1.0), baseline("last", OWN, gain=2.0), metric="gain")
    (net, _) = (cell for row in shown.rows for cell in row.cells if cell)
    assert net.worse_than == ("last",)


def test_a_target_has_it_under_its_name() -> None:
    runs = [run(net, OWN, **{"OT/gain": value}) for net, value in (("mlp", 1.0), ("gru", 2.0))]
    assert marked(table(*runs, metric="OT/gain")) == [("gru",)]


def test_before_any_result_it_may_be_asked_for_and_others_may_not() -> None:
    runs = [run("mlp", OWN)]
    assert table(*runs, metric="gain").columns[0].metric == "gain"
    with pytest.raises(InputError, match="no run has a metric 'gains'; did you mean 'gain'"):
        table(*runs, metric="gains")


def test_a_run_that_does_not_ask_for_it_has_none() -> None:
    shown = table(run("mlp", OWN, gain=1.0), run("gru", rmse=1.0), metric="gain")
    assert [line.cells[0].trouble for line in lines(shown)] == ["", "undefined 1/1"]


def test_what_columns_add_to_it_is_more_where_higher_is_better() -> None:
    def with_columns(*exog: str, gain: float) -> RunRow:
        return run_row(
            {"net": {"name": "mlp"}, "exog": list(exog), "metrics": [OWN]}, metrics={"gain": gain}
        )

    runs = [with_columns(gain=1.0), with_columns("a", gain=3.0)]
    grid = shapley_grid(sweep("exog"), runs, "gain", "test")
    assert grid.rows[0].facts["a"] == 2
    assert "+ raises gain" in grid.notes[0]


# ---- biases and quantiles ------------------------------------------------------------------------


def test_the_bias_nearest_to_zero_is_the_best() -> None:
    runs = [run("mlp", bias=-3.0), run("gru", bias=0.5), run("lstm", bias=1.0)]
    assert marked(table(*runs, metric="bias")) == [("gru",)]


@pytest.mark.parametrize(("target", "metric"), [("OT", "pinball"), (["A", "B"], "pinball_scaled")])
def test_runs_that_are_trained_for_a_quantile_are_judged_by_it(target: Any, metric: str) -> None:
    train = {"loss": "quantile", "quantile": 0.9}
    config = {"net": {"name": "mlp"}, "train": train, "target": target}
    runs = [run_row(config, metrics={}), run_row(config, role="baseline", metrics={})]

    assert usual_metric(runs) == metric
    assert ReportQuery().completed({}, runs).metrics == (metric, "skill")
    assert usual_metric([*runs, run("mlp")]) != metric


def test_losses_of_different_quantiles_are_not_compared() -> None:
    runs = [
        of_quantile(net, quantile, role=role, pinball=pinball)
        for net, role, pinball in (("mlp", "net", 2.0), ("last", "baseline", 1.0))
        for quantile in (0.1, 0.5)
    ]
    shown = table(*runs, metric="pinball", axes=("net.name", "train.quantile"))

    assert {row.labels for row in shown.rows} == {
        (net, quantile) for net in ("mlp", "last") for quantile in ("0.1", "0.5")
    }
    assert {cell.n for row in shown.rows for cell in row.cells if cell} == {1}
    assert marked(shown) == [("last", "0.1"), ("last", "0.5")]
