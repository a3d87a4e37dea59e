"""`metrics` in a sweep file: how own metrics are written, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
from builders import complaint, sweep

from pyheta.nets.training.options import Train
from pyheta.pipeline.metrics import METRICS
from pyheta.steps import canonical
from pyheta.sweep import Sweep, json_schema


def text(config: str, added: str = "") -> str:
    data = "dataset: synthetic, target: load, net: lstm, window: {input: 8}"
    return f"name: a\nbaselines: [last]\nconfig: {{{data}, {config}}}\n{added}"


def written(folder: Path, metrics: str, added: str = "") -> Sweep:
    return sweep(folder, text(f"metrics: {metrics}", added))


def recorded(sweep: Sweep) -> list[dict[str, Any]]:
    metrics: list[dict[str, Any]] = sweep.runs()[0].config.as_json()["metrics"]
    return metrics


def test_a_name_is_short_for_a_mapping(tmp_path: Path) -> None:
    short = written(tmp_path, '["mine:asymmetric"]')
    long = written(tmp_path, "[{name: mine:asymmetric, version: 1, higher_is_better: false}]")
    assert recorded(short) == recorded(long)
    assert recorded(short) == [{"name": "mine:asymmetric", "version": 1, "higher_is_better": False}]


def test_runs_without_any_are_recorded_as_before(tmp_path: Path) -> None:
    assert "metrics" not in canonical(written(tmp_path, "[]").runs()[0].config.as_json())


def test_baselines_have_them_too(tmp_path: Path) -> None:
    runs = written(tmp_path, "[mine:asymmetric]").runs()
    assert {run.role for run in runs} == {"net", "baseline"}
    assert all(run.config.metrics for run in runs)


@pytest.mark.parametrize(
    ("metrics", "what"),
    [
        ("[mine:rmse]", "'rmse' is a metric of PyHeta; give the function another name"),
        ("[mine:odd, other:odd]", "two functions are called 'odd'; give one another name"),
        ("[mine:odd, mine:odd]", "two functions are called 'odd'"),
        ("[asymmetric]", "expected module:function, as mine:asymmetric, got 'asymmetric'"),
        ("mine:odd", "expected a list of module:function, got 'mine:odd'"),
        ("[{name: mine:odd, version: 0}]", "expected at least 1, got 0"),
    ],
)
def test_what_cannot_be_a_metric_is_refused(tmp_path: Path, metrics: str, what: str) -> None:
    said = complaint(tmp_path, text(f"metrics: {metrics}"))
    assert what in said
    assert "sweep.yaml:3:" in said


def test_a_report_may_show_them_by_the_name_of_the_function(tmp_path: Path) -> None:
    right = written(tmp_path, "[mine:asymmetric]", "report: {metric: asymmetric}\n")
    assert right.report.metric == "asymmetric"
    wrong = text("metrics: [mine:asymmetric]", "report: {metric: asymetric}\n")
    assert "did you mean 'asymmetric'?" in complaint(tmp_path, wrong)


def test_an_axis_of_metrics_names_them_too(tmp_path: Path) -> None:
    added = "parameters: {metrics: [[], [mine:asymmetric]]}\nreport: {metric: asymmetric}\n"
    assert sweep(tmp_path, text("exog: []", added)).report.metric == "asymmetric"


def test_the_schema_knows_both_ways_to_write_one() -> None:
    schema = json_schema()
    items = schema["properties"]["config"]["properties"]["metrics"]["items"]["anyOf"]
    assert {"type": "string"} in items
    assert {"$ref": "#/$defs/OwnMetric"} in items


def test_no_metric_of_the_house_could_be_a_function_of_that_name(tmp_path: Path) -> None:
    for name in METRICS:
        said = complaint(tmp_path, text(f"metrics: [mine:{name}]"))
        assert f"'{name}' is a metric of PyHeta" in said


# ---- quantiles -----------------------------------------------------------------------------------


def test_baselines_are_judged_by_the_quantile_of_the_runs_beside_them(tmp_path: Path) -> None:
    axis = "parameters: {train.quantile: [0.1, 0.9]}\n"
    runs = sweep(tmp_path, text("train: {loss: quantile}", axis)).runs()
    assert [run.config.quantile for run in runs if run.role == "baseline"] == [0.1, 0.9]


def test_other_baselines_are_told_nothing_of_training(tmp_path: Path) -> None:
    runs = sweep(tmp_path, text("train: {lr: 0.1, quantile: 0.2}")).runs()
    (baseline,) = [run for run in runs if run.role == "baseline"]
    assert baseline.config.quantile is None
    assert baseline.config.train == Train()
