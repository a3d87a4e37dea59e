"""What columns are changes what nets forecast: known ahead, late, masked, known from a row on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file

from pyheta.nets.checkpoint import Checkpoint
from pyheta.pipeline.data.content import Content
from pyheta.pipeline.data.draft import Meaning
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.sources import table
from pyheta.pipeline.data.synthetic import (
    BEST_LINEAR_RMSE,
    BEST_RMSE_WITHOUT_LEADING,
    generate,
    without_promo,
)
from pyheta.plan.graph import Fold, RunGraph, load_step
from pyheta.plan.prepare import prepare
from pyheta.plan.probe import execute
from pyheta.sweep import Explain
from pyheta.task import Result

PROMO = """
name: promo
baselines: []
config:
  dataset: {name: synthetic, rows: 8000, promo: true}
  target: load
  exog: [promo]
  split: {train: 0.7, val: 0.1, test: 0.2}
  window: {input: 24, horizon: 1}
  net: ridge
  train: {lr: 1e-3, batch_size: 64, epochs: 20, patience: 5}
"""


def computed(
    tmp_path: Path,
    text: str,
    overrides: list[str],
    frame: pl.DataFrame | None = None,
    meaning: Meaning | None = None,
) -> dict[str, Result]:
    """The results of one run's steps by operation, maybe on another table of another meaning."""
    tmp_path.mkdir(exist_ok=True)
    path = tmp_path / "sweep.yaml"
    path.write_text(text, encoding="utf-8")
    prepared = prepare(path, overrides, None)
    (run,) = prepared.runs
    facts = prepared.datasets[run.config.dataset_key()]
    given = prepared_table(facts) if frame is None else frame
    values = {column.name: column.to_numpy() for column in given.drop("time")}
    content = Content(given["time"].to_physical().to_numpy(), values)
    facts = replace(facts, rows=given.height, meaning=meaning or facts.meaning, content=content)
    graph = RunGraph(
        run.config.reduced(),
        run.config.nets(),
        load_step(facts),
        facts,
        Explain(permutations=3),
        facts.rows,
    )
    (split,) = run.config.split.splits(facts)
    graph.score([Fold(graph, split, run.seed)])
    steps = list(graph.steps.values())
    results = execute(steps, given, tmp_path / "out")
    return {step.op: results[step.key] for step in steps}


def prepared_table(facts: DatasetFacts) -> pl.DataFrame:
    return table(facts.source, None).frame


def metric(result: Result, name: str = "rmse") -> float:
    return next(
        m.value for m in result.metrics if (m.split, m.name, m.horizon) == ("test", name, 0)
    )


def rmse(tmp_path: Path, overrides: list[str]) -> float:
    return metric(computed(tmp_path, PROMO, overrides)["score"])


KNOWN = "dataset.columns={promo: {role: known}}"
NETS = [
    "ridge",
    "{name: mlp, hidden: 32}",
    "lstm",
    "gru",
    "{name: tide, hidden: 32, dropout: 0.1}",
    "{name: nhits, hidden: 64, dropout: 0.1}",
]


@pytest.mark.slow
@pytest.mark.parametrize("net", NETS)
def test_who_knows_the_promo_comes_to_its_bound_and_who_does_not_does_not(
    tmp_path: Path, net: str
) -> None:
    # A window of a day does not tell the phase of the week: that alone costs a sixth
    bound = BEST_RMSE_WITHOUT_LEADING
    known = rmse(tmp_path / "known", [f"net={net}", KNOWN])
    past = rmse(tmp_path / "past", [f"net={net}"])
    late = rmse(tmp_path / "late", [f"net={net}", "dataset.columns={promo: {delay: 20}}"])

    assert 0.95 * bound < known < 1.3 * bound
    for error in (past, late):
        assert 0.95 * without_promo(bound) < error < 1.3 * without_promo(bound)


def test_several_hours_ahead_are_all_seen(tmp_path: Path) -> None:
    # Given a window shorter than the horizon
    window = "window={input: 24, horizon: 60}"
    known, past = rmse(tmp_path / "known", [KNOWN, window]), rmse(tmp_path / "past", [window])

    assert known < 1.4 * BEST_RMSE_WITHOUT_LEADING
    assert past > without_promo(BEST_RMSE_WITHOUT_LEADING)


def test_a_column_that_comes_later_than_it_leads_is_worth_nothing(tmp_path: Path) -> None:
    # Given a column that leads by three hours, in time and twenty hours late
    options = ["dataset.promo=false", "exog=[leading]", "window={input: 168, horizon: 1}"]
    in_time = rmse(tmp_path / "in-time", options)
    late = rmse(tmp_path / "late", [*options, "dataset.columns={leading: {delay: 20}}"])

    assert in_time == pytest.approx(BEST_LINEAR_RMSE, rel=0.15)
    assert late == pytest.approx(BEST_RMSE_WITHOUT_LEADING, rel=0.15)


def test_a_fit_never_sees_what_is_known_of_the_test_part(tmp_path: Path) -> None:
    # Given two tables that differ from the first test row on
    frame = generate(900, 0, promo=True)
    later = frame.with_columns(
        pl.when(pl.int_range(pl.len()) < 720).then(pl.col(name)).otherwise(999.0).alias(name)
        for name in ("load", "promo")
    )
    overrides = [KNOWN, "dataset.rows=900", "window={input: 4, horizon: 6}"]
    weights = [
        computed(tmp_path / str(n), PROMO, overrides, table)["fit"].products["weights"].read_bytes()
        for n, table in enumerate((frame, later))
    ]

    assert weights[0] == weights[1]


def test_a_column_ahead_is_scaled_as_the_column_is(tmp_path: Path) -> None:
    fit = computed(tmp_path, PROMO, [KNOWN, "window={input: 2, horizon: 5}"])["fit"]

    checkpoint = Checkpoint.read(fit.products["weights"])
    assert [source.ahead for source in checkpoint.sources] == [0, 0, 5, 3, 1]
    assert len(set(checkpoint.scalers[1:])) == 1


def test_all_that_is_seen_of_a_column_is_permuted_together(tmp_path: Path) -> None:
    results = computed(tmp_path, PROMO, [KNOWN, "window={input: 2, horizon: 5}"])

    columns = results["importance"].summary["columns"]
    assert columns.keys() == {"promo"}
    assert columns["promo"]["rise"] > 0.3


# ---- masks, and columns that begin late ----------------------------------------------------------

MASK = Meaning(masks={"load": "load missing"})
SMALL = """
name: s
baselines: []
config:
  dataset: {name: synthetic, rows: 900}
  target: load
  exog: [leading]
  split: {train: 0.6, val: 0.2, test: 0.2}
  window: {input: 6, horizon: 2}
  net: ridge
  train: {epochs: 2}
  decompose: {window: 64, max_imf: 2}
"""


def masked(*, carried: float | None = None) -> tuple[pl.DataFrame, np.ndarray]:
    """The synthetic table where a tenth of the load is missing: its last value is carried on."""
    frame = generate(900)
    missing = np.random.default_rng(1).random(900) < 0.1
    missing[:3] = True
    load = frame["load"].set(pl.Series(missing), None)
    load = load.forward_fill() if carried is None else load.fill_null(carried)
    mask = pl.Series("load missing", missing.astype(float))
    return frame.with_columns(load.fill_null(np.nan), mask), ~missing


@pytest.mark.parametrize("net", ["ridge", "last", "mlp", "lstm", "dlinear"])
def test_only_what_was_observed_is_forecast_and_counted(tmp_path: Path, net: str) -> None:
    frame, observed = masked()
    results = computed(tmp_path, SMALL, [f"net.name={net}"], frame, MASK)

    # Then the forecasts are those of observed targets
    forecast = load_file(results["forecast"].products["forecast"])
    rows = np.searchsorted(frame["time"].to_physical().to_numpy(), forecast["test/time"])
    firsts = range(720, 899)
    assert rows.tolist() == [t for t in firsts if observed[t] and observed[t + 1]]
    # And the error is theirs
    truth = frame["load"].to_numpy()[rows[:, None] + np.arange(2)]
    error = np.sqrt(np.square(forecast["test/forecast"] - truth).mean())
    assert metric(results["score"]) == pytest.approx(error, rel=1e-5)


def test_the_scale_of_errors_is_that_of_observed_changes(tmp_path: Path) -> None:
    frame, observed = masked()
    results = computed(tmp_path, SMALL, [], frame, MASK)

    load = np.where(observed, frame["load"].to_numpy(), np.nan)[:540]
    naive = np.nanmean(np.abs(load[24:] - load[:-24]))  # hourly: a season is a day
    assert metric(results["score"], "mase") == pytest.approx(
        metric(results["score"], "mae") / naive, rel=1e-9
    )
    (scaler, *_) = Checkpoint.read(results["fit"].products["weights"]).scalers
    assert scaler.offset == pytest.approx(np.nanmean(load), rel=1e-12)


def test_what_is_carried_is_seen_but_never_a_target(tmp_path: Path) -> None:
    # Given two tables with other values where nothing was observed
    (near, _), (far, _) = masked(), masked(carried=50.0)
    fits = [
        Checkpoint.read(
            computed(tmp_path / str(n), SMALL, ["net.name=last"], frame, MASK)["fit"].products[
                "weights"
            ]
        )
        for n, frame in enumerate((near, far))
    ]

    # Then what is learned of the target is the same
    assert fits[0].scalers == fits[1].scalers


@pytest.mark.parametrize("method", ["emd", "ceemdan"])
@pytest.mark.parametrize("mode", ["causal", "full", "parts"])
def test_components_of_a_masked_target_add_up_at_observed_times(
    tmp_path: Path, method: str, mode: str
) -> None:
    frame, observed = masked()
    overrides = [f"decompose.method={method}", f"decompose.mode={mode}", "decompose.trials=2"]
    made = computed(tmp_path, SMALL + "leakage: allow\n", overrides, frame, MASK)["forecast"]

    forecast = load_file(made.products["forecast"])
    rows = np.searchsorted(frame["time"].to_physical().to_numpy(), forecast["test/time"])
    assert observed[rows].all()
    parts = [forecast[f"test/{part}/forecast"] for part in ("IMF0", "IMF1", "Residue")]
    np.testing.assert_allclose(forecast["test/forecast"], sum(parts), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["decompose.method=emd"],
        ["decompose.method=emd", "decompose.mode=full"],
        ["decompose.method=emd", "decompose.mode=parts"],
        ["shaping.method=farm", "exog_form=both"],
        ["decompose.method=emd", "shaping.method=farm"],
        ["net.name=lstm"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("late", ["load", "leading"])
def test_a_column_that_begins_late_is_read_from_there_on(
    tmp_path: Path, overrides: list[str], late: str
) -> None:
    # Given a column without its first hundred values
    begun = pl.when(pl.int_range(pl.len()) < 100).then(np.nan).otherwise(pl.col(late)).alias(late)
    frame = generate(900).with_columns(begun)
    results = computed(tmp_path, SMALL + "leakage: allow\n", overrides, frame)

    # Then the forecasts of a table that begins there are almost the same, and windows are as many
    assert 0 < metric(results["score"]) < 15
    lost = 100 + ("decompose.method=emd" in overrides) * 63
    if overrides == []:
        assert results["fit"].summary["windows"] == 540 - 1 - lost - 6


def test_a_column_that_begins_late_is_decomposed_as_if_it_began_there(tmp_path: Path) -> None:
    def decomposed(name: str, frame: pl.DataFrame) -> dict[str, Any]:
        results = computed(tmp_path / name, SMALL, ["decompose.method=emd", "exog=[]"], frame)
        return load_file(results["decompose"].products["components"])

    frame = generate(900)
    unknown = pl.int_range(pl.len()) < 100
    late = frame.with_columns(pl.when(unknown).then(np.nan).otherwise(pl.col("load")).alias("load"))
    short, padded = decomposed("short", frame[100:]), decomposed("late", late)

    for name, values in padded.items():
        assert np.isnan(values[:100]).all()
        np.testing.assert_array_equal(values[100:], short[name])
