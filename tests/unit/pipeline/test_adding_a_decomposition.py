"""A decomposition is added by declaring it: in one file, and on one line of the list."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from builders import BASE, WINDOW, complaint, run_row, small, sweep_row
from numpy.lib.stride_tricks import sliding_window_view
from safetensors.numpy import load_file

from pyheta.ops.registry import compute
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.data.sources import inspect
from pyheta.pipeline.data.table import read_table
from pyheta.pipeline.decomposition.linear import Linear
from pyheta.pipeline.decomposition.method import Computation, Method, Options
from pyheta.pipeline.decomposition.methods import METHODS
from pyheta.plan.compile import Plan, compile_plan
from pyheta.report.query import ReportQuery
from pyheta.report.table import build
from pyheta.steps import Step
from pyheta.store.seam import RunRow
from pyheta.sweep import Run, json_schema
from pyheta.task import Task

SWEEP = """
  decompose: {window: 100, period: 24}
parameters: {decompose.method: [none, average]}
"""
ASKED = "  decompose: average\n"


def _averages(values: Floats, options: Options) -> Floats:
    """The mean of the last `period` values, and what moves around it."""
    padded = np.concatenate([np.full(options["period"] - 1, values[0]), values])
    level = sliding_window_view(padded, options["period"]).mean(axis=1)
    return np.stack([level, values - level])


def _names(_options: Options) -> tuple[str, ...]:
    return ("Level", "Rest")


def _load() -> Computation:
    return Linear(_averages)


AVERAGE = Method(
    "average", _names, _load, options=("period",), least_rows=lambda options: options["period"]
)


@pytest.fixture
def average(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setitem(METHODS, AVERAGE.name, AVERAGE)  # the one line
        yield


def plan(runs: Sequence[Run], folder: Path) -> Plan:
    facts, _ = inspect({"name": "synthetic", "rows": 300}, base=folder, data=None)
    return compile_plan(runs, {run.config.dataset_key(): facts for run in runs})


def result(step: Step, made: dict[str, Path], out: Path) -> dict[str, Path]:
    out.mkdir()
    return dict(compute(step.op, Task(step.params, {"load": made}, out)).products)


def row(run: Run, rmse: float) -> RunRow:
    return run_row(run.config.as_json(), metrics={"rmse": rmse, "Level/rmse": rmse})


def names_in_schema() -> list[str]:
    return list(json_schema()["$defs"]["Decompose"]["properties"]["method"]["enum"])


@pytest.mark.usefixtures("average")
def test_a_sweep_may_use_it_and_its_steps_hold_the_options_that_it_reads(tmp_path: Path) -> None:
    runs = small(tmp_path, SWEEP).runs()
    (step,) = (step for step in plan(runs, tmp_path).steps.values() if step.op == "decompose")

    assert runs[1].config.component_names() == ("Level", "Rest")
    assert {step.params[name] for name in ("method", "mode")} == {"average", "causal"}
    assert step.params["period"] == 24
    assert not {"max_imf", "trials", "noise", "wavelet"} & set(step.params)
    assert "average" in names_in_schema()


@pytest.mark.usefixtures("average")
def test_a_step_computes_it(tmp_path: Path) -> None:
    # Given the steps of a run that decomposes so
    steps = {step.op: step for step in plan(small(tmp_path, SWEEP).runs(), tmp_path).steps.values()}

    # When they are computed
    table = result(steps["load"], {}, tmp_path / "load")
    components = load_file(result(steps["decompose"], table, tmp_path / "decompose")["components"])

    # Then the components of each row add up to it
    names = {name.partition("/")[0] for name in components if "/" in name}
    assert names == {"Level", "Rest"}
    summed = components["Level/values"] + components["Rest/values"]
    series = read_table(table["table"]).columns["load"]
    np.testing.assert_allclose(summed[99:], series[99:], rtol=1e-12)


@pytest.mark.usefixtures("average")
def test_a_report_tells_it_apart_and_shows_its_components(tmp_path: Path) -> None:
    runs = small(tmp_path, SWEEP).runs()
    rows = [row(run, rmse) for run, rmse in zip(runs, (0.5, 0.4), strict=True)]

    table = build(sweep_row("decompose.method"), rows, ReportQuery(("rmse", "Level/rmse")))

    assert [row.labels for row in table.rows] == [("none",), ("average",)]
    assert [row.cells[0].best for row in table.rows if row.cells[0]] == [False, True]


def test_it_is_gone_afterwards(tmp_path: Path) -> None:
    assert "average" not in names_in_schema()
    assert "unknown decompose.method 'average'" in complaint(tmp_path, BASE + WINDOW + ASKED)
