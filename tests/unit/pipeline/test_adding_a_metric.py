"""A metric is added by declaring it: in one file, and on one line of the list."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from builders import complaint, run_row, small, sweep_row

from pyheta.errors import InputError
from pyheta.pipeline.metrics import METRICS, MetricDefinition
from pyheta.pipeline.scoring import Evaluation, Scales, errors_of, measure
from pyheta.report.query import ReportQuery
from pyheta.report.table import Table, build
from pyheta.report.wording import notes
from pyheta.store.seam import RunRow
from pyheta.sweep import json_schema

TRUTH = np.array([[1.0], [2.0], [4.0]])
FORECAST = np.array([[1.0], [3.0], [4.0]])
LAST = np.array([[0.0], [1.0], [2.0]])

CLOSENESS = MetricDefinition(
    "closeness",
    lambda errors: 1 / (1 + errors.absolute.mean()),
    unit="1 / (1 + mae), from 0 to 1",
    higher_is_better=True,
)


@pytest.fixture
def closeness(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setitem(METRICS, CLOSENESS.name, CLOSENESS)  # the one line
        yield


def row(net: str, value: float) -> RunRow:
    return run_row({"net": {"name": net}}, metrics={"closeness": value})


def table() -> Table:
    return build(
        sweep_row("net.name"), [row("mlp", 0.9), row("gru", 0.2)], ReportQuery(("closeness",))
    )


def names_in_schema() -> list[str]:
    metric = json_schema()["$defs"]["Report"]["properties"]["metric"]
    return list(metric["anyOf"][0]["enum"])


@pytest.mark.usefixtures("closeness")
def test_a_sweep_may_report_it(tmp_path: Path) -> None:
    assert small(tmp_path, "report: {metric: closeness}").report.metric == "closeness"
    assert "closeness" in names_in_schema()
    assert "did you mean 'closeness'?" in complaint(
        tmp_path, "name: a\nconfig: {}\nreport: {metric: closenes}"
    )


@pytest.mark.usefixtures("closeness")
def test_a_score_has_it() -> None:
    scales = Scales(naive_mae=1.0, naive_mse=1.0, zero=0.0, still=0.0, unit=1.0)
    metrics, _ = measure("test", errors_of(Evaluation(TRUTH, FORECAST, LAST, scales)))

    assert {metric.name: metric.value for metric in metrics}["closeness"] == pytest.approx(0.75)


@pytest.mark.usefixtures("closeness")
def test_a_report_shows_it_in_its_unit_and_marks_the_highest_as_the_best() -> None:
    answer = table()

    best = {line.labels: [cell.best for cell in line.cells if cell] for line in answer.rows}
    assert best == {("mlp",): [True], ("gru",): [False]}
    assert "closeness: 1 / (1 + mae), from 0 to 1." in notes(answer)


def test_it_is_gone_afterwards(tmp_path: Path) -> None:
    assert "closeness" not in names_in_schema()
    assert "unknown report.metric 'closeness'" in complaint(
        tmp_path, "name: a\nconfig: {}\nreport: {metric: closeness}"
    )
    with pytest.raises(InputError, match="no run has a metric 'closeness'"):
        table()
