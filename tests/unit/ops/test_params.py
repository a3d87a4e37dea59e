"""Parameters of steps: what a plan writes is what the operation reads, and nothing else fits."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from pyheta.errors import StepError
from pyheta.ops.params import DecomposeParams, ImportanceParams, LoadParams, ScoreParams, timed_as
from pyheta.ops.registry import OPS, fit_on
from pyheta.pipeline.leakage import DECISIVE
from pyheta.plan.prepare import prepare
from pyheta.report.views import About
from pyheta.steps import canonical

SWEEP = """
name: all-operations
leakage: allow
explain: {relevance: [pearson], permutations: 2}
config:
  dataset: {name: synthetic, rows: 2000}
  target: load
  exog: [leading]
  window: {input: 6}
  shaping: farm
  decompose: {method: emd, window: 200}
parameters:
  net.name: [mlp, ridge]
  decompose.mode: [causal, full, parts]
  shaping.relevance: [trailing, centred]
"""


def test_every_operation_reads_what_the_plan_has_written(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(SWEEP, encoding="utf-8")
    steps = list(prepare(path, (), None).plan.steps.values())

    assert {step.op for step in steps} == set(OPS)
    for step in steps:
        params = OPS[step.op].params.of(step.params)
        assert canonical(params.as_params()) == canonical(step.params)


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(StepError, match="without the parameters column, rows, method"):
        DecomposeParams.of({"mode": "full"})


def test_an_unknown_parameter_is_named() -> None:
    folds = [{"train": [0, 6], "val": [6, 7], "test": [7, 10]}]
    params = {"targets": ["a"], "components": ["target"], "folds": folds}
    with pytest.raises(StepError, match="unknown parameters: tme"):
        ScoreParams.of({**params, "scale": "standard", "tme": "date"})


def test_what_is_none_is_no_parameter_of_a_step() -> None:
    assert LoadParams(options={"time": "date"}).as_params() == {"time": "date"}


def test_an_old_step_still_says_what_it_may_learn_from() -> None:
    assert fit_on("importance", {"target": "OT"}) == "train"  # version 1 had no `targets`


def test_importance_has_all_that_decides_whether_its_net_saw_the_future() -> None:
    names = {field.name for field in fields(ImportanceParams)}

    assert set(DECISIVE) - names == {"components"}  # each net has its own step


def test_every_operation_that_explains_has_a_view() -> None:
    assert {name for name, op in OPS.items() if op.explains} <= set(About)


def test_durations_are_told_apart_by_nets_and_decompositions() -> None:
    assert timed_as({"net": {"name": "mlp"}}) == ("mlp", None, None)
    assert timed_as({"method": "emd", "mode": "full", "net": "mlp"}) == (None, "emd", "full")


def test_the_list_of_operations_loads_nothing_heavy() -> None:
    heavy = "{'numba', 'numpy', 'polars', 'pydantic', 'safetensors', 'torch'}"
    code = f"import sys, pyheta.ops.registry; assert not {heavy} & set(sys.modules)"

    subprocess.run([sys.executable, "-c", code], check=True)
