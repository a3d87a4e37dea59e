"""With noise for the future no honest step changes, and the probe finds those that look ahead."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
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
from pyheta.pipeline import features
from pyheta.pipeline import windows as windowing
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.data import read as reading
from pyheta.pipeline.data.draft import ROW, TIME, Draft
from pyheta.pipeline.data.roles import assign
from pyheta.pipeline.decomposition import compute
from pyheta.pipeline.features.feature import Given, Made
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


START = datetime.fromisoformat("2020-01-01")


def hours(rows: int) -> pl.Series:
    last = START + timedelta(hours=rows - 1)
    return pl.datetime_range(START, last, "1h", time_unit="us", eager=True)


def test_noise_begins_at_its_time_and_in_every_column_but_the_known_ones() -> None:
    # Given a table in no order, with a missing value and a column that is declared as known
    values = np.arange(50.0)
    frame = pl.DataFrame({TIME: hours(50), "a": values, "b": np.ones(50), "plan": values})
    frame = frame.with_row_index(ROW)
    frame = frame.with_columns(pl.col("a").replace(40.0, None)).sample(50, shuffle=True, seed=1)

    # When all after a time becomes noise
    draft = Draft(name="f", frame=frame, times="time", counted=False)
    spoilt = with_noise(draft, START + timedelta(hours=30), {"plan"}).frame

    # Then it does there, and nowhere else
    late = frame[ROW] >= 30
    assert spoilt.filter(~late).equals(frame.filter(~late))
    assert spoilt.select(TIME, ROW, "plan").equals(frame.select(TIME, ROW, "plan"))
    assert spoilt["a"].is_null().equals(frame["a"].is_null())
    for column in ("a", "b"):
        before, after = frame[column].filter(late), spoilt[column].filter(late)
        assert not np.isclose(before.to_numpy(), after.to_numpy()).any()


def test_every_operation_says_what_it_may_learn_from() -> None:
    assert {op: OPS[op].params.FIT_ON for op in OPS} == {
        "load": FitOn.CAUSAL,
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
    assert fit_on("load", {"missing": {"fill": "forward"}}) is FitOn.CAUSAL
    assert fit_on("load", {"missing": {"fill": "linear"}}) is FitOn.WHOLE
    assert fit_on("load", {"missing": {"a": {"fill": "seasonal"}}}) is FitOn.WHOLE


# ---- what is made of a file's cells ----------------------------------------------------------


def leaking(tmp_path: Path, overrides: Sequence[str] = ()) -> set[str]:
    return {verdict.step.op for verdict in verdicts(tmp_path, overrides) if verdict.leaks}


FEATURES = {
    "calendar": "calendar: [hour, weekday]",
    "fourier": "fourier: {24: 2}",
    "holidays": "holidays: CH",
    "lags": "lags: {load: [3, 24]}",
    "rolling": "rolling: {24: [mean, std], load: {5: median}}",
    "returns": "returns: load",
    "range": "range: [load, coincident]",
    "noise": "noise: {like: load}",
    "shuffled": "shuffled: leading",
}
MADE = {
    "calendar": "hour",
    "fourier": "fourier 24 sin 1",
    "holidays": "holiday",
    "lags": "load lag 3",
    "rolling": "load mean 24",
    "returns": "load return",
    "range": "load-coincident range",
    "noise": "noise",
    "shuffled": "leading shuffled",
}


def with_feature(kind: str) -> list[str]:
    """Overrides for a net that reads a column of this kind."""
    return [f"dataset.features={{{FEATURES[kind]}}}", f"exog=['{MADE[kind]}']", "window.horizon=2"]


def test_every_kind_of_feature_is_probed() -> None:
    assert FEATURES.keys() == MADE.keys() == features.FEATURES.keys()


@pytest.mark.parametrize("kind", [kind for kind in FEATURES if kind != "noise"])
def test_every_kind_of_feature_is_made_of_the_past(tmp_path: Path, kind: str) -> None:
    assert leaking(tmp_path, with_feature(kind)) == set()


def test_noise_is_made_of_the_past(tmp_path: Path) -> None:
    # Given a file, since the synthetic data have a column of that name
    dataset = f"dataset={gappy(tmp_path)}"

    assert leaking(tmp_path, [dataset, *with_feature("noise")]) == set()


def earlier(rows: int) -> Callable[[Made], Made]:
    """A column that stands so many rows too early."""

    def plant(made: Made) -> Made:
        values = np.append(made.values[rows:], np.full(rows, made.values[-1]))
        return replace(made, values=values)

    return plant


def permuted(made: Made) -> Made:
    return replace(made, values=np.random.default_rng(0).permutation(made.values))


@pytest.mark.parametrize(
    ("kind", "plant"),
    [
        ("lags", earlier(4)),  # one more than the lag
        ("rolling", earlier(1)),
        ("returns", earlier(1)),
        ("range", earlier(1)),
        ("shuffled", permuted),
    ],
)
def test_a_future_in_a_feature_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, plant: Callable[[Made], Made]
) -> None:
    planted(monkeypatch, kind, plant)

    # When the probe runs, Then the table itself is found to know its future
    assert "load" in leaking(tmp_path, with_feature(kind))


def planted(monkeypatch: pytest.MonkeyPatch, kind: str, plant: Callable[[Made], Made]) -> None:
    """A kind of feature of which every column is changed."""
    right = features.FEATURES[kind]

    def wrong(wanted: Any, given: Given) -> Iterator[Made]:
        return map(plant, right(wanted, given))

    monkeypatch.setitem(features.FEATURES, kind, wrong)


def test_a_lag_that_is_seen_further_ahead_than_it_is_known_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides = ["dataset.features={lags: {load: 1}}", "exog=['load lag 1']", "window.horizon=2"]
    assert leaking(tmp_path, overrides) == set()

    planted(monkeypatch, "lags", lambda made: replace(made, reach=2))

    assert "score" in leaking(tmp_path, overrides)


def test_a_past_column_that_nets_see_ahead_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a column that is taken for known although nobody declared it so
    def known(draft: Draft, options: Any) -> Draft:
        draft = assign(draft, options)
        return replace(draft, meaning=replace(draft.meaning, known=frozenset({"leading"})))

    monkeypatch.setattr("pyheta.pipeline.data.synthetic.assign", known)

    # When the probe runs, Then the forecasts change with it
    assert "score" in leaking(tmp_path)


def test_what_is_declared_as_known_keeps_its_future(tmp_path: Path) -> None:
    assert leaking(tmp_path, ["dataset.columns={leading: {role: known}}"]) == set()
    assert leaking(tmp_path, ["dataset.columns={leading: {delay: 5}}"]) == set()


def gappy(folder: Path) -> Path:
    """A file with a gap in one column, in the middle of training."""
    values = np.random.default_rng(0).normal(size=(900, 2)).round(4).astype(object)
    values[200:204, 1] = ""
    lines = [f"{t},{a},{b}" for t, (a, b) in zip(hours(900), values, strict=True)]
    path = folder / "gappy.csv"
    path.write_text("date,load,leading\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("backward", [False, True])
def test_a_gap_that_is_filled_with_a_later_value_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backward: bool
) -> None:
    # Given a policy that fills a gap, with the value before it or with the one after it
    def fill(draft: Draft, *_: Any) -> Draft:
        column = draft.frame["leading"]
        changed = {"leading": column.is_null().arg_true().to_numpy().astype(np.intp)}
        filled = column.fill_null(strategy="backward" if backward else "forward")
        meaning = replace(draft.meaning, changed=changed)
        return replace(draft.with_frame(draft.frame.with_columns(filled)), meaning=meaning)

    monkeypatch.setattr(reading, "settle", fill)

    # When the probe runs, Then it finds the later value, although no part ends near the gap
    found = leaking(tmp_path, [f"dataset={gappy(tmp_path)}", "exog=[leading]"])
    assert found == ({"load"} if backward else set())
