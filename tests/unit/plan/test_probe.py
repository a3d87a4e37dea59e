"""With noise for the future no honest step changes, and the probe finds those that look ahead."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pyheta.errors import SweepError
from pyheta.ops import decompose as decomposing
from pyheta.ops import fit as fitting
from pyheta.ops.params import FitOn, FitParams, RelevanceParams
from pyheta.ops.registry import OPS, fit_on
from pyheta.pipeline import features, transforms
from pyheta.pipeline import windows as windowing
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.data import read as reading
from pyheta.pipeline.data.draft import ROW, TIME, Draft
from pyheta.pipeline.data.options.missing import Missing
from pyheta.pipeline.data.roles import assign
from pyheta.pipeline.data.rows import missing, order
from pyheta.pipeline.data.rows import resample as resampling
from pyheta.pipeline.decomposition import compute
from pyheta.pipeline.features.feature import Given, Made
from pyheta.pipeline.scaling import Scaler
from pyheta.pipeline.splits import Split
from pyheta.plan.noise import moments, with_noise, without_holes
from pyheta.plan.prepare import prepare
from pyheta.plan.probe import Verdict, probe, small_runs

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
        found += probe(small)
    return found


HONEST = [
    [],
    ["net.name=lstm"],
    ["net.name=ridge"],
    ["net.name=last"],
    ["net.name=seasonal"],
    ["scale=minmax"],
    ["transform=diff"],
    ["transform=log"],
    ["transform=log_diff", "net.name=ridge"],
    ["transform=diff", "target=[load,leading]", "exog=[noise]"],
    ["transform=returns", "net.name=lstm"],
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
    ["split.final=train+val"],
    ["split.final=train+val", "net={name: ridge, alpha: [0.1, 10]}", "window.stride=7"],
]


@pytest.mark.parametrize("overrides", HONEST, ids=" ".join)
def test_nothing_that_claims_to_be_honest_changes_with_what_comes_later(
    tmp_path: Path, overrides: list[str]
) -> None:
    found = verdicts(tmp_path, overrides)

    assert "fit" in {verdict.step.op for verdict in found}
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
    assert any(verdict.changed for verdict in found if verdict.step.op == "forecast")
    assert not any(verdict.leaks for verdict in found)


def scaled_by_all_rows(method: Any, channel: Channel, split: Split) -> Scaler:
    """A scaler that looks at all it can see, not at training rows alone."""
    return Scaler.fit(method, channel.values[channel.first :].astype(float))


def test_a_scaler_that_sees_validation_rows_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a fit that scales by all rows that it has, those of validation among them
    monkeypatch.setattr(fitting, "_scaler", scaled_by_all_rows)

    # When the probe runs, Then it names the fit, and the forecast that needs nothing of the future
    # stays clean
    assert {verdict.step.op for verdict in verdicts(tmp_path) if verdict.leaks} == {"fit"}


def test_a_fit_that_sees_test_rows_is_found_and_so_is_the_forecast_that_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a fit that in addition has a border beyond its own
    monkeypatch.setattr(fitting, "_scaler", scaled_by_all_rows)
    monkeypatch.setattr(FitParams, "border", None)

    leaks = {verdict.step.op for verdict in verdicts(tmp_path) if verdict.leaks}
    assert leaks == {"fit", "forecast"}


def test_a_transform_that_sees_the_next_row_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given changes towards the next row, which end where the rows do
    monkeypatch.setattr(transforms, "transform", lambda _, it: np.diff(it, append=it[-1:]))

    found = verdicts(tmp_path, ["transform=diff"])

    assert "forecast" in {verdict.step.op for verdict in found if verdict.leaks}


def test_relevance_that_sees_later_rows_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RelevanceParams, "border", None)

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

    for net in ("mlp", "{name: ridge, alpha: 1}"):
        found = verdicts(tmp_path, [f"net={net}"])
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

    assert "forecast" in {verdict.step.op for verdict in verdicts(tmp_path) if verdict.leaks}


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


def test_noise_without_holes_has_every_row_and_cell_of_the_future() -> None:
    # Given a table without some rows and cells, before and after a time
    values = pl.Series(np.arange(50.0))
    frame = pl.DataFrame({TIME: hours(50), "a": values, "plan": values}).with_row_index(ROW)
    holes = pl.col(ROW).is_in([5, 35])
    frame = frame.with_columns(pl.when(~holes).then(name).alias(name) for name in ("a", "plan"))
    frame = frame.filter(~pl.col(ROW).is_in([10, 40, 41]))
    draft = Draft(name="f", frame=frame, times="time", counted=False)

    # When all after the time is filled with noise
    start = START + timedelta(hours=30)
    full = without_holes(draft, start, hours(50), {"plan"}).frame

    # Then nothing before has changed, and nothing lacks after it but what is known
    late = pl.col(TIME) >= start
    assert full.filter(~late).equals(frame.filter(~late))
    assert full.filter(late)[TIME].equals(hours(50)[30:])
    assert full.filter(late)["a"].null_count() == 0
    assert full.filter(late)["plan"].null_count() == 3


def test_noise_begins_where_something_is_done_about_a_file_and_after_it() -> None:
    # Given a gap in one column, a missing row, a double one and one that is late
    rows = [*range(20), 20, 20, *range(21, 30), 31, 32, 35, 33, 34, *range(36, 40)]
    frame = pl.DataFrame({TIME: hours(40)[rows], ROW: range(len(rows))})
    gap = pl.int_range(pl.len()).is_between(5, 7)
    frame = frame.with_columns(pl.when(~gap).then(1.0).alias("a"))
    draft = Draft(name="f", frame=frame, times="time", counted=False)

    found = moments(draft, hours(40), Missing())

    assert [(time - START) // timedelta(hours=1) for time in found] == [
        *(5, 8),  # the gap
        *(20, 21),  # twice
        *(30, 31),  # missing
        *(35, 36),  # stands too early
    ]


def test_every_operation_says_what_it_may_learn_from() -> None:
    assert {op: OPS[op].params.FIT_ON for op in OPS} == {
        "load": FitOn.CAUSAL,
        "decompose": FitOn.CAUSAL,
        "relevance": FitOn.TRAIN,
        "shape": FitOn.CAUSAL,
        "fit": FitOn.TRAIN,
        "forecast": FitOn.CAUSAL,
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

    assert "forecast" in leaking(tmp_path, overrides)


def test_a_past_column_that_nets_see_ahead_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a column that is taken for known although nobody declared it so
    def known(draft: Draft, options: Any) -> Draft:
        draft = assign(draft, options)
        return replace(draft, meaning=replace(draft.meaning, known=frozenset({"leading"})))

    monkeypatch.setattr("pyheta.pipeline.data.synthetic.assign", known)

    # When the probe runs, Then the forecasts change with it
    assert "forecast" in leaking(tmp_path)


def test_what_is_declared_as_known_keeps_its_future(tmp_path: Path) -> None:
    assert leaking(tmp_path, ["dataset.columns={leading: {role: known}}"]) == set()
    assert leaking(tmp_path, ["dataset.columns={leading: {delay: 5}}"]) == set()


def gappy(folder: Path) -> Path:
    """A file with a gap in one column, in the middle of training."""
    return written(folder, with_gap(table_of(900)))


# ---- what is done about missing cells, missing and double rows, rows out of order ----------------


def table_of(rows: int, step: str = "1h") -> pl.DataFrame:
    """Noise at regular times."""
    values = np.random.default_rng(0).normal(size=(rows, 3)).round(4)
    last = START + (rows - 1) * timedelta(hours=1 if step == "1h" else 0.25)
    times = pl.datetime_range(START, last, step, time_unit="us", eager=True)
    columns = {name: values[:, n] for n, name in enumerate(("load", "leading", "other"))}
    return pl.DataFrame({"date": times, **columns})


def with_gap(table: pl.DataFrame, *, first: int = 200, rows: int = 4) -> pl.DataFrame:
    missing = pl.int_range(pl.len()).is_between(first, first + rows - 1)
    return table.with_columns(pl.when(~missing).then("leading"))


def with_code(table: pl.DataFrame) -> pl.DataFrame:
    """The same gap, where a number stands for missing."""
    return with_gap(table).with_columns(pl.col("leading").fill_null(-999.0))


def with_two_gaps(table: pl.DataFrame) -> pl.DataFrame:
    missing = pl.int_range(pl.len()).is_between(310, 312)
    return with_gap(table).with_columns(pl.when(~missing).then("other"))


def without_rows(table: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([table[:200], table[204:]])


def with_doubles(table: pl.DataFrame) -> pl.DataFrame:
    """The rows from 200 on stand there twice, with other values."""
    again = table[200:203].with_columns(pl.col("load", "leading", "other") + 1)
    return pl.concat([table, again]).sort("date", maintain_order=True)


def out_of_order(table: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([table[:200], table[205:210], table[200:205], table[210:]])


def written(folder: Path, table: pl.DataFrame) -> Path:
    path = folder / "made.csv"
    table.write_csv(path)
    return path


Change = Callable[[pl.DataFrame], pl.DataFrame]

POLICIES: dict[str, tuple[Change, str]] = {
    "forward": (with_gap, "missing: {fill: forward}"),
    "forward with a limit": (with_gap, "missing: {fill: forward, limit: 4}"),
    "mask": (with_gap, "missing: mask"),
    "drop": (with_gap, "missing: drop"),
    "values": (with_code, "missing: {fill: forward, values: [-999]}"),
    "values and drop": (with_code, "missing: {how: drop, values: [-999]}"),
    "per column": (with_two_gaps, "missing: {leading: mask, other: {fill: forward, limit: 3}}"),
    "rows forward": (without_rows, "missing: {fill: forward, limit: 4}"),
    "rows masked": (without_rows, "missing: mask"),
    "rows dropped": (without_rows, "missing: drop"),
    "sort": (out_of_order, "sort: true"),
    "sort and mask": (lambda table: out_of_order(with_gap(table)), "sort: true, missing: mask"),
    "first": (with_doubles, "duplicates: first"),
    "last": (with_doubles, "duplicates: last"),
    "mean": (with_doubles, "duplicates: mean"),
}
OF_QUARTERS: dict[str, tuple[Change, str]] = {
    how: (lambda table: table, f"resample: {{every: 1h, how: {how}}}")
    for how in ("mean", "sum", "last", "min", "max")
} | {
    "with a gap": (with_gap, "resample: {every: 1h, how: {other: sum}}, missing: mask"),
    "with gaps of hours": (
        lambda table: with_gap(without_rows(table), first=300, rows=9),
        "resample: {every: 1h}, missing: {fill: forward, limit: 3}",
    ),
}


def leaks_of(tmp_path: Path, table: pl.DataFrame, options: str) -> set[str]:
    path = written(tmp_path, table)
    return leaking(tmp_path, [f"dataset={{path: {path}, {options}}}", "exog=[leading, other]"])


@pytest.mark.parametrize(("change", "options"), POLICIES.values(), ids=POLICIES)
def test_what_is_done_about_a_files_faults_is_causal(
    tmp_path: Path, change: Change, options: str
) -> None:
    assert leaks_of(tmp_path, change(table_of(900)), options) == set()


@pytest.mark.parametrize(("change", "options"), OF_QUARTERS.values(), ids=OF_QUARTERS)
def test_a_longer_step_is_causal(tmp_path: Path, change: Change, options: str) -> None:
    assert leaks_of(tmp_path, change(table_of(3600, "15m")), options) == set()


def earlier_rows(draft: Draft, *columns: str) -> Draft:
    """The draft with these columns, or all, a row too early."""
    there = [name for name in draft.columns if not columns or name in columns]
    moved = [draft.frame[name].shift(-1).fill_null(0.0) for name in there]
    return draft.with_frame(draft.frame.with_columns(moved))


def settled_by(change: Callable[[Draft], Draft]) -> Callable[..., Draft]:
    """`settle`, and then something wrong."""
    return lambda draft, *how: change(missing.settle(draft, *how))


def one_row_less(draft: Draft) -> Draft:
    """The row before each that is dropped is dropped too."""
    gaps = draft.frame[TIME].diff(-1).abs() > timedelta(hours=1)
    return draft.take(np.flatnonzero(~gaps.fill_null(value=False).to_numpy()))


def backward(_draft: Draft, column: pl.Series, *_: Any) -> pl.Series:
    return column.fill_null(strategy="backward")


@pytest.mark.parametrize(
    "policy", ["forward", "forward with a limit", "mask", "values", "per column", "rows forward"]
)
def test_a_gap_that_is_filled_with_a_later_value_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    monkeypatch.setattr(missing, "_values", backward)
    change, options = POLICIES[policy]

    # When the probe runs, Then it finds the later value, although no part ends near the gap
    assert "load" in leaks_of(tmp_path, change(table_of(900)), options)


def test_a_fault_behind_the_rows_that_are_computed_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = with_gap(table_of(4000), first=3700)
    assert leaks_of(tmp_path, table, "missing: {fill: forward}") == set()

    monkeypatch.setattr(missing, "_values", backward)

    assert leaks_of(tmp_path, table, "missing: {fill: forward}") == {"load"}


@pytest.mark.parametrize("gap", [1, 4])
def test_a_mask_that_begins_before_its_gap_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gap: int
) -> None:
    wrong = settled_by(lambda draft: earlier_rows(draft, "leading missing"))
    monkeypatch.setattr(reading, "settle", wrong)

    assert "load" in leaks_of(tmp_path, with_gap(table_of(900), rows=gap), "missing: mask")


def test_a_mask_that_begins_before_its_missing_row_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = settled_by(lambda draft: earlier_rows(draft, "leading missing"))
    monkeypatch.setattr(reading, "settle", wrong)

    assert "load" in leaks_of(tmp_path, without_rows(table_of(900)), "missing: mask")


def test_a_row_that_is_dropped_for_what_comes_after_it_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "settle", settled_by(one_row_less))

    assert "load" in leaks_of(tmp_path, with_gap(table_of(900)), "missing: drop")


def test_a_policy_of_one_column_among_several_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given many gaps that are filled as they should be, and one of another policy that is not
    right = missing._values

    def values(draft: Draft, column: pl.Series, policy: Any, season: int | None) -> pl.Series:
        wrong = policy.limit == 3
        return column.fill_null(strategy="backward") if wrong else right(draft, column, policy, 1)

    monkeypatch.setattr(missing, "_values", values)
    table = with_two_gaps(table_of(900)).with_columns(
        pl.when(pl.int_range(pl.len()) % 3 > 0).then("leading")
    )
    policies = "missing: {leading: {fill: forward}, other: {fill: forward, limit: 3}}"

    assert "load" in leaks_of(tmp_path, table, policies)


@pytest.mark.parametrize("which", ["first", "last", "mean"])
def test_a_double_row_that_knows_the_next_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    def arrange(draft: Draft, options: Any) -> Draft:
        times = draft.frame[TIME]
        several = times.filter(times.is_duplicated()).unique()
        single = order.arrange(draft, options)
        here = single.frame[TIME].is_in(several.implode())
        columns = [single.frame[name] for name in single.columns]
        means = [(column + column.shift(-1)) / 2 for column in columns]
        mixed = [mean.zip_with(here, own) for mean, own in zip(means, columns, strict=True)]
        return single.with_frame(single.frame.with_columns(mixed))

    monkeypatch.setattr(reading, "arrange", arrange)
    change, options = POLICIES[which]

    assert "load" in leaks_of(tmp_path, change(table_of(900)), options)


def test_times_that_are_sorted_without_their_values_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def arrange(draft: Draft, options: Any) -> Draft:
        in_order = order.arrange(draft, options)
        return draft.with_frame(draft.frame.with_columns(in_order.frame[TIME]))

    monkeypatch.setattr(reading, "arrange", arrange)
    change, options = POLICIES["sort"]

    assert "load" in leaks_of(tmp_path, change(table_of(900)), options)


@pytest.mark.parametrize("how", OF_QUARTERS)
def test_an_interval_that_stands_too_early_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(
        reading, "resample", lambda *given: earlier_rows(resampling.resample(*given))
    )
    change, options = OF_QUARTERS[how]

    assert "load" in leaks_of(tmp_path, change(table_of(3600, "15m")), options)


def test_an_interval_that_takes_the_row_at_its_end_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = pl.DataFrame.group_by_dynamic
    monkeypatch.setattr(
        pl.DataFrame,
        "group_by_dynamic",
        lambda frame, time, every: right(frame, time, every=every, closed="right"),
    )
    change, options = OF_QUARTERS["mean"]

    assert "load" in leaks_of(tmp_path, change(table_of(3600, "15m")), options)


@pytest.mark.parametrize("fill", ["linear", "seasonal"])
def test_a_fill_from_both_sides_is_found_to_be_so_and_says_so(tmp_path: Path, fill: str) -> None:
    path = written(tmp_path, with_gap(table_of(900)))
    overrides = [f"dataset={{path: {path}, missing: {{fill: {fill}}}}}", "exog=[leading]"]

    # Where leakage is allowed, the table changes with what comes later, and all that needs it may
    found = verdicts(tmp_path, overrides)
    (load,) = (verdict for verdict in found if verdict.step.op == "load")
    assert (load.changed, load.fit_on) == (True, FitOn.WHOLE)
    assert all(verdict.allowed for verdict in found)
    # Elsewhere it is refused
    with pytest.raises(SweepError, match="a fill from later values lets nets see the future"):
        verdicts(tmp_path, [*overrides, "leakage=forbid"])
