"""With noise for the future no honest step changes, and the probe finds those that look ahead."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pyheta.ops import decompose as decomposing
from pyheta.ops import fit as fitting
from pyheta.ops import relevance as relevances
from pyheta.ops.params import FitOn
from pyheta.ops.registry import OPS, fit_on
from pyheta.pipeline import windows as windowing
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.decomposition import compute
from pyheta.pipeline.scaling import Scaler
from pyheta.pipeline.splits import Split
from pyheta.plan.prepare import prepare
from pyheta.plan.probe import Verdict, probe, small_runs, with_noise

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


def verdicts(tmp_path: Path, overrides: Sequence[str] = ()) -> list[Verdict]:
    """What the probe says of every step of the one way in which a sweep treats its series."""
    path = tmp_path / "sweep.yaml"
    path.write_text(BASE, encoding="utf-8")
    prepared = prepare(path, overrides, None)
    found = []
    for _, small in small_runs(prepared.runs, prepared.datasets, prepared.files):
        found += probe(replace(small, frame=small.frame[:900]))
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
    ["target=[load,leading]", "exog=[noise]"],
    ["target=[load,leading]", "exog=[noise]", "decompose.method=emd"],
    [
        "target=[load,leading]",
        "net={name: ridge, per_channel: true, instance_norm: true, alpha: [0.1, 10]}",
    ],
    ["split={train: 500, val: 150, test: 150}"],
    ["keep=metrics"],
]


@pytest.mark.parametrize("overrides", HONEST, ids=" ".join)
def test_nothing_that_claims_to_be_honest_changes_with_what_comes_later(
    tmp_path: Path, overrides: list[str]
) -> None:
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
def test_what_looks_at_the_whole_series_is_found_to_do_so_and_says_so(
    tmp_path: Path, overrides: list[str], op: str
) -> None:
    found = verdicts(tmp_path, overrides)

    assert any(verdict.changed for verdict in found if verdict.step.op == op)
    assert all(verdict.fit_on is FitOn.WHOLE for verdict in found if verdict.step.op == op)
    assert any(verdict.changed for verdict in found if verdict.step.op == "score")
    assert not any(verdict.leaks for verdict in found)


def scaled_by_all_rows(method: Any, channel: Channel, split: Split) -> Scaler:
    """A scaler that looks at all it can see, not at training rows alone."""
    return Scaler.fit(method, channel.values[channel.first :].astype(float))


def test_a_scaler_that_sees_validation_rows_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a fit that scales by all rows that it has, those of validation among them
    monkeypatch.setattr(fitting, "_scaler", scaled_by_all_rows)

    # When the probe runs, Then it names the fit, and the score that needs nothing of the future
    # stays clean
    assert {verdict.step.op for verdict in verdicts(tmp_path) if verdict.leaks} == {"fit"}


def test_a_fit_that_sees_test_rows_is_found_and_so_is_the_score_that_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a fit that in addition forgets to leave the test part out
    monkeypatch.setattr(fitting, "_scaler", scaled_by_all_rows)
    monkeypatch.setattr(Channel, "head", lambda channel, rows: channel)

    assert {verdict.step.op for verdict in verdicts(tmp_path) if verdict.leaks} == {"fit", "score"}


def test_relevance_that_sees_later_rows_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relevances, "share", lambda rows, _train: rows)

    assert {verdict.step.op for verdict in verdicts(tmp_path) if verdict.leaks} == {"relevance"}


def test_a_fit_that_trains_on_validation_rows_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a fit whose training windows go on through validation
    right = windowing.cut
    monkeypatch.setattr(
        fitting,
        "cut",
        lambda series, targets, shape: right(series, (0, len(series[0].values)), shape),
    )

    for net in ("mlp", "ridge"):
        found = verdicts(tmp_path, [f"net.name={net}"])
        assert {verdict.step.op for verdict in found if verdict.leaks} == {"fit"}


def test_a_decomposition_that_looks_into_validation_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a decomposition that moves what nets see by a mean which it knows from validation
    right = compute.causal

    def late(values: Any, params: Any, **options: Any) -> Any:
        found = right(values, params, **options)
        return replace(found, tails=found.tails + np.float32(values[600:700].mean()))

    monkeypatch.setattr(decomposing, "causal", late)

    found = verdicts(tmp_path, ["decompose.method=emd"])
    assert "decompose" in {verdict.step.op for verdict in found if verdict.leaks}


def test_inputs_that_see_the_row_they_forecast_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given windows of which each is the one that its successor should get
    right = windowing._inputs

    def late(channels: Any, rows: Any, lookback: Any) -> Any:
        windows = right(channels, rows, lookback)
        return np.concatenate([windows[1:], windows[-1:]])

    monkeypatch.setattr(windowing, "_inputs", late)

    assert "score" in {verdict.step.op for verdict in verdicts(tmp_path) if verdict.leaks}


def test_noise_begins_at_its_row_and_in_every_column() -> None:
    frame = pl.DataFrame({"time": range(50), "a": np.arange(50.0), "b": np.ones(50)})

    spoilt = with_noise(frame, 30)

    assert spoilt[:30].equals(frame[:30])
    assert spoilt["time"].equals(frame["time"])
    for column in ("a", "b"):
        assert not np.isclose(spoilt[column][30:].to_numpy(), frame[column][30:].to_numpy()).any()


def test_every_operation_says_what_it_may_learn_from() -> None:
    assert {op: OPS[op].params.FIT_ON for op in OPS} == {
        "load": FitOn.NONE,
        "decompose": FitOn.CAUSAL,
        "relevance": FitOn.TRAIN,
        "shape": FitOn.CAUSAL,
        "fit": FitOn.TRAIN,
        "score": FitOn.CAUSAL,
        "importance": FitOn.TRAIN,
    }
    assert fit_on("decompose", {"mode": "full"}) is FitOn.WHOLE
    assert fit_on("shape", {"relevance": "centred"}) is FitOn.WHOLE
    assert fit_on("decompose", {"mode": "causal"}) is FitOn.CAUSAL
