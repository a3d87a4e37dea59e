"""Replace the future by noise: no honest step may notice, and the probe does find those that look ahead."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pyheta import probe as probing
from pyheta.ops import OPS, FitOn, Op, Result, Task, fit_on
from pyheta.probe import probe, scenes, spoil
from pyheta.submit import prepare

BASE = """
name: probed
leakage: allow
baselines: []
config:
  dataset: {name: synthetic, rows: 900}
  target: load
  exog: [leading, noise]
  split: {train: 0.6, val: 0.2, test: 0.2}
  window: {input: 6}
  net: {name: mlp}
  train: {epochs: 2}
  decompose: {window: 64, max_imf: 2, trials: 2}
"""


def verdicts(tmp_path, overrides=()):
    """What the probe says of every step of the one way in which a sweep treats its series."""
    path = tmp_path / "sweep.yaml"
    path.write_text(BASE, encoding="utf-8")
    prepared = prepare(path, overrides, None)
    found = []
    for _, scene in scenes(prepared.runs, prepared.datasets, prepared.files):
        small = replace(scene, frame=scene.frame[:900])
        found += probe(small)
    return found


HONEST = [
    [],
    ["net.name=lstm"],
    ["net.name=ridge"],
    ["net.name=last"],
    ["net.name=seasonal"],
    ["scale=minmax"],
    ["decompose.method=emd"],
    ["decompose.method=eemd"],
    ["decompose.method=ceemdan"],
    ["decompose.method=wavelet"],
    ["decompose.method=ceemdan", "decompose.grow=true", "decompose.max_imf=1"],
    ["decompose.method=emd", "decompose.nets=one"],
    ["shaping.method=farm"],
    ["shaping.method=farm", "shaping.relevance=end_spot", "exog_form=both"],
    ["shaping.method=farm", "shaping.factor=binary", "shaping.fuzzy=false"],
    ["decompose.method=emd", "shaping.method=farm", "shaping.factor=soft"],
]


@pytest.mark.parametrize("overrides", HONEST, ids=" ".join)
def test_nothing_that_claims_to_be_honest_changes_with_what_comes_later(tmp_path, overrides):
    found = verdicts(tmp_path, overrides)

    assert {verdict.step.op for verdict in found} >= {"fit", "score"}
    assert not [verdict for verdict in found if verdict.changed]
    assert not any(verdict.allowed for verdict in found)


@pytest.mark.parametrize(
    ("overrides", "op"),
    [
        (["decompose.method=emd", "decompose.mode=full"], "decompose"),
        (["decompose.method=ceemdan", "decompose.mode=parts"], "decompose"),
        (["shaping.method=farm", "shaping.relevance=centred"], "shape"),
        (["shaping.method=farm", "shaping.relevance=centred", "shaping.align=true"], "shape"),
    ],
)
def test_what_looks_at_the_whole_series_is_found_to_do_so_and_says_so(tmp_path, overrides, op):
    found = verdicts(tmp_path, overrides)

    assert any(verdict.changed for verdict in found if verdict.step.op == op)
    assert all(verdict.fit_on is FitOn.WHOLE for verdict in found if verdict.step.op == op)
    assert any(verdict.changed for verdict in found if verdict.step.op == "score")
    assert not any(verdict.leaks for verdict in found)


def leaky_fit(task: Task) -> Result:
    """A fit that scales by the whole series: the mistake that the probe is for."""
    (table,) = task.inputs["load"].values()
    path = task.out / "weights.safetensors"
    path.write_bytes(pl.read_parquet(table)["load"].to_numpy().mean().tobytes())
    return Result({"weights": path})


def test_a_step_that_leaks_unasked_is_found(tmp_path, monkeypatch):
    # Given an operation that looks at the test part although it is declared not to
    honest = OPS["fit"]
    leaky = Op(honest.kind, honest.version, "tests.unit.test_probe:leaky_fit", honest.fit_on)
    monkeypatch.setattr(Op, "load", lambda op: leaky_fit if op is leaky else _load(op))
    monkeypatch.setattr(probing, "OPS", {**OPS, "fit": leaky, "score": _silent()})

    # When the probe runs, Then it names it
    found = verdicts(tmp_path)
    assert [verdict.step.op for verdict in found if verdict.leaks] == ["fit"]


_load = Op.load


def _silent() -> Op:
    return Op(OPS["score"].kind, 1, "tests.unit.test_probe:silent_score", FitOn.NONE)


def silent_score(task: Task) -> Result:
    """A score that says nothing: the spoilt fit is no checkpoint."""
    from safetensors.numpy import save_file

    path = task.out / "forecast.safetensors"
    save_file({"val/time": np.zeros(1, np.int64), "test/time": np.zeros(1, np.int64)}, path)
    return Result({"forecast": path})


def test_noise_begins_at_its_row_and_in_every_column():
    frame = pl.DataFrame({"time": range(50), "a": np.arange(50.0), "b": np.ones(50)})

    spoilt = spoil(frame, 30)

    assert spoilt[:30].equals(frame[:30])
    assert spoilt["time"].equals(frame["time"])
    for column in ("a", "b"):
        assert not np.isclose(spoilt[column][30:].to_numpy(), frame[column][30:].to_numpy()).any()


def test_every_operation_says_what_it_may_learn_from():
    assert {op: OPS[op].fit_on for op in OPS} == {
        "load": FitOn.NONE,
        "decompose": FitOn.CAUSAL,
        "relevance": FitOn.TRAIN,
        "shape": FitOn.CAUSAL,
        "fit": FitOn.TRAIN,
        "score": FitOn.CAUSAL,
        "importance": FitOn.NONE,
    }
    assert fit_on("decompose", {"mode": "full"}) is FitOn.WHOLE
    assert fit_on("shape", {"relevance": "centred"}) is FitOn.WHOLE
    assert fit_on("decompose", {"mode": "causal"}) is FitOn.CAUSAL
