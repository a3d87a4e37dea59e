"""Runs of decomposed series: components are forecast apart and add up by time."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file

from pyheta.pipeline.data.synthetic import generate
from pyheta.pipeline.splits import PARTS
from pyheta.plan.prepare import prepare
from pyheta.plan.probe import execute, small_runs
from pyheta.task import Result

BASE = """
name: s
leakage: allow
baselines: []
config:
  dataset: {name: synthetic, rows: 900}
  target: load
  split: {train: 0.6, val: 0.2, test: 0.2}
  window: {input: 6, horizon: 2}
  net: ridge
  decompose: {method: emd, window: 64, max_imf: 2}
"""
ROWS, TEST, HORIZON = 900, 720, 2
TEST_ROWS = np.arange(TEST, ROWS - HORIZON + 1)[:, None] + np.arange(HORIZON)


def computed(
    tmp_path: Path, overrides: Sequence[str] = (), added: str = ""
) -> tuple[dict[str, Result], pl.DataFrame]:
    """Every step of a sweep's single run with its result, by operation and component."""
    path = tmp_path / "sweep.yaml"
    path.write_text(BASE + added, encoding="utf-8")
    prepared = prepare(path, overrides, None)
    ((_, small),) = small_runs(prepared.runs, prepared.datasets, prepared.files)
    results = execute(small.steps, small.frame, tmp_path / "out")
    steps = {
        f"{step.op} {step.params.get('component', step.params.get('column', ''))}".strip(): results[
            step.key
        ]
        for step in small.steps
    }
    return steps, small.frame


def metrics(result: Result) -> dict[tuple[str, str], float]:
    return {(m.split, m.name): m.value for m in result.metrics if m.horizon == 0}


MODES = [
    "decompose.mode=causal",
    "decompose.mode=full",
    "decompose.mode=parts",
    "decompose.grow=true",
]


@pytest.mark.parametrize("mode", MODES)
def test_the_components_last_values_add_up_to_the_forecast_of_the_last_value(
    tmp_path: Path, mode: str
) -> None:
    # Given components that are each forecast by their own last value
    (tmp_path / "parts").mkdir()
    (tmp_path / "whole").mkdir()
    each, frame = computed(tmp_path / "parts", [mode], "  components: {'*': {net: last}}\n")
    plain, _ = computed(tmp_path / "whole", ["decompose.method=none", "net=last"])

    # Then the recombined forecast is the series' last value, as if nothing had been decomposed
    load = frame["load"].to_numpy()
    arrays = load_file(each["forecast"].products["forecast"])
    rows = np.arange(TEST, ROWS - HORIZON + 1)
    np.testing.assert_allclose(
        arrays["test/forecast"], load[rows - 1, None].repeat(2, 1), rtol=1e-5
    )
    for name in ("rmse", "mae", "mase", "rmse_scaled"):
        assert metrics(each["score"])["test", name] == pytest.approx(
            metrics(plain["score"])["test", name], rel=1e-5
        )


@pytest.mark.parametrize("mode", MODES)
def test_forecasts_of_different_windows_meet_at_their_times(tmp_path: Path, mode: str) -> None:
    steps, frame = computed(
        tmp_path, [mode], "  components: {IMF0: {window.input: 2}, Residue: {window.input: 13}}\n"
    )

    arrays = load_file(steps["forecast"].products["forecast"])
    times = frame["time"].to_physical().to_numpy()
    for part, start, stop in (("val", 540, 720), ("test", 720, 900)):
        assert arrays[f"{part}/time"].tolist() == times[start : stop - HORIZON + 1].tolist()
        added = sum(arrays[f"{part}/{name}/forecast"] for name in ("IMF0", "IMF1", "Residue"))
        np.testing.assert_allclose(arrays[f"{part}/forecast"], added, rtol=1e-4)
        rows = np.arange(start, stop - HORIZON + 1)[:, None] + np.arange(HORIZON)
        error = arrays[f"{part}/forecast"] - frame["load"].to_numpy()[rows]
        found = metrics(steps["score"])[part, "rmse"]
        assert found == pytest.approx(np.sqrt(np.square(error).mean()), rel=1e-4)


def test_every_component_has_metrics_of_its_own(tmp_path: Path) -> None:
    steps, _ = computed(tmp_path)

    found = metrics(steps["score"])
    arrays = load_file(steps["forecast"].products["forecast"])
    came = load_file(steps["decompose load"].products["components"])
    for component in ("IMF0", "IMF1", "Residue"):
        error = arrays[f"test/{component}/forecast"] - came[f"{component}/values"][TEST_ROWS]
        assert found["test", f"{component}/rmse"] == pytest.approx(
            np.sqrt(np.square(error).mean()), rel=1e-4
        )
        assert {("val", f"{component}/mae"), ("test", f"{component}/skill")} <= found.keys()
    assert {name for split, name in found if split == "test" and "/" not in name} >= {
        "rmse",
        "skill",
        "mase",
    }


def test_an_undecomposed_run_has_no_component_metrics(tmp_path: Path) -> None:
    steps, _ = computed(tmp_path, ["decompose.method=none"])

    assert not [name for _, name in metrics(steps["score"]) if "/" in name]


def test_one_net_reads_all_components_and_forecasts_the_series(tmp_path: Path) -> None:
    steps, frame = computed(tmp_path, ["decompose.nets=one"])

    arrays = load_file(steps["forecast"].products["forecast"])
    assert set(arrays) == {f"{p}/{name}" for p in PARTS for name in ("time", "forecast")}
    # Weights, intercepts, and the penalty that validation chose
    assert steps["fit target"].summary["parameters"] == 6 * 4 * HORIZON + HORIZON + 1
    error = arrays["test/forecast"] - frame["load"].to_numpy()[TEST_ROWS]
    expected = np.sqrt(np.square(error).mean())
    assert metrics(steps["score"])["test", "rmse"] == pytest.approx(expected, rel=1e-4)


def test_the_scaler_of_a_component_is_its_own(tmp_path: Path) -> None:
    # Given last values of components that are scaled in three ways
    own = "'*': {net: last}, IMF0: {scale: minmax}, Residue: {scale: none}"
    steps, frame = computed(tmp_path, [], f"  components: {{{own}}}\n")

    # Then each was de-scaled with the scaler that scaled it: the sum is the series' last value
    load = frame["load"].to_numpy()
    rows = np.arange(TEST, ROWS - HORIZON + 1)
    forecast = load_file(steps["forecast"].products["forecast"])["test/forecast"]
    np.testing.assert_allclose(forecast, load[rows - 1, None].repeat(2, 1), rtol=1e-5)


def test_permuting_a_column_tells_how_much_the_net_relies_on_it(tmp_path: Path) -> None:
    # Given a target that `leading` drives and `noise` does not
    path = tmp_path / "sweep.yaml"
    path.write_text(
        BASE + "  exog: [leading, noise]\nexplain: {permutations: 3}\n", encoding="utf-8"
    )
    prepared = prepare(path, ["decompose.method=none", "window.horizon=1"], None)
    ((_, small),) = small_runs(prepared.runs, prepared.datasets, prepared.files)
    importance = [step for step in prepared.plan.steps.values() if step.op == "importance"]

    # When each is permuted
    fit = next(step for step in small.steps if step.op == "fit")
    step = replace(importance[0], needs={**fit.needs, "fit": fit.key})
    results = execute([*small.steps, step], small.frame, tmp_path / "out")

    # Then the error rises with the one and hardly with the other
    columns = results[step.key].summary["columns"]
    assert set(columns) == {"leading", "noise"}
    assert columns["leading"]["rise"] > 0.1 > 5 * abs(columns["noise"]["rise"])


# ---- several targets -----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_components_of_several_targets_add_up_to_each(tmp_path: Path, mode: str) -> None:
    # Given two targets, a net for each component of both, and windows of different length
    added = "  components: {IMF0: {window.input: 2}}\n"
    steps, frame = computed(tmp_path, ["target=[load,leading]", mode], added)

    # Then what was forecast of a target is the sum of what was of its components
    arrays = load_file(steps["forecast"].products["forecast"])
    parts = sum(arrays[f"test/{name}/forecast"] for name in ("IMF0", "IMF1", "Residue"))
    np.testing.assert_allclose(arrays["test/forecast"], parts, rtol=1e-4, atol=1e-5)

    # And every target, and every component of it, has metrics of its own
    found = metrics(steps["score"])
    for number, name in enumerate(("load", "leading")):
        came = load_file(steps[f"decompose {name}"].products["components"])["IMF1/values"]
        for owner, truth in ((name, frame[name].to_numpy()), (f"{name}/IMF1", came)):
            kind = "IMF1/forecast" if "/" in owner else "forecast"
            error = arrays[f"test/{kind}"][:, number] - truth[TEST_ROWS]
            expected = np.sqrt(np.square(error).mean())
            assert found["test", f"{owner}/rmse"] == pytest.approx(expected, rel=1e-4)
    assert not {"IMF1/rmse", "rmse"} & {name for _, name in found}


def test_the_importance_of_a_column_is_that_to_all_targets(tmp_path: Path) -> None:
    # Given a net that forecasts two series, and two columns, of which one leads the first of them
    overrides = ["target=[load,noise]", "exog=[leading,coincident]", "decompose.method=none"]
    path = tmp_path / "sweep.yaml"
    path.write_text(BASE + "explain: {permutations: 3}\n", encoding="utf-8")
    prepared = prepare(path, overrides, None)
    steps = list(prepared.plan.steps.values())

    results = execute(steps, generate(ROWS, 0), tmp_path / "out")

    (summary,) = (results[step.key].summary for step in steps if step.op == "importance")
    assert set(summary["columns"]) == {"leading", "coincident"}
    assert summary["columns"]["leading"]["rise"] > 0.05


@pytest.mark.parametrize("nets", ["each", "one"])
def test_a_decomposition_in_parts_ends_with_a_test_part_in_rows(tmp_path: Path, nets: str) -> None:
    # Given a split that leaves the last fifty rows over
    path = tmp_path / "sweep.yaml"
    path.write_text(BASE, encoding="utf-8")
    split = "split={train: 500, val: 200, test: 150}"
    prepared = prepare(path, [split, "decompose.mode=parts", f"decompose.nets={nets}"], None)
    steps = list(prepared.plan.steps.values())

    # When it is decomposed part by part, fitted and scored
    results = execute(steps, generate(ROWS, 0), tmp_path / "out")

    # Then there is a forecast for every window of the test part
    (scored,) = (results[step.key] for step in steps if step.op == "score")
    assert scored.summary["forecasts"] == 150 - HORIZON + 1


def test_with_a_stride_components_of_other_windows_have_the_same_origins(tmp_path: Path) -> None:
    # Given components whose nets see windows of other lengths, so that they begin in other rows
    text = BASE + "  components: {Residue: {window.input: 17}, IMF0: {net: last}}\n"
    (tmp_path / "sweep.yaml").write_text(text, encoding="utf-8")
    load = generate(ROWS, 0)

    def forecasts(stride: int) -> dict[str, np.ndarray]:
        chosen = [f"window.stride={stride}", "split.final=train+val"]
        steps = list(prepare(tmp_path / "sweep.yaml", chosen, None).plan.steps.values())
        results = execute(steps, load, tmp_path / f"every-{stride}")
        (made,) = (results[step.key] for step in steps if step.op == "forecast")
        return load_file(made.products["forecast"])

    every, thinned = forecasts(1), forecasts(7)

    # Then every seventh row of each part is forecast, as it is among all of them
    times = load["time"].to_physical().to_numpy()
    for part, start in (("train", 0), ("val", 540), ("test", TEST)):
        rows = np.searchsorted(times, every[f"{part}/time"])
        taken = (rows - start) % 7 == 0
        assert 10 < taken.sum() == len(thinned[f"{part}/time"])
        for name in (name for name in every if name.startswith(part)):
            np.testing.assert_array_equal(thinned[name], every[name][taken])
