"""A run with a transform learns from the transformed target and is judged in the target's units."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from pyheta.errors import StepError
from pyheta.nets.checkpoint import Checkpoint
from pyheta.pipeline.arrays import Floats
from pyheta.plan.prepare import prepare
from pyheta.plan.probe import execute
from pyheta.steps import Step
from pyheta.task import Result

ROWS, HORIZON, VAL_STOP = 400, 3, 300
SWEEP = """
name: s
baselines: []
config:
  dataset: data.csv
  target: y
  exog: [beside]
  split: {train: 200, val: 100, test: 100}
  window: {input: 6, horizon: 3}
  net: {name: ridge, alpha: 0.001}
  train: {epochs: 3, lr: 0.01}
"""
NETS = ["{name: ridge, alpha: 0.001}", "{name: mlp, hidden: [8]}", "{name: lstm, hidden: 4}"]
BY_HAND: Mapping[str, Callable[[Floats], Floats]] = {
    "diff": lambda y: y[1:] - y[:-1],
    "log": np.log,
    "log_diff": lambda y: np.log(y[1:] / y[:-1]),
    "returns": lambda y: (y[1:] - y[:-1]) / y[:-1],
}
every_method = pytest.mark.parametrize("method", BY_HAND)

Columns = Mapping[str, Floats]


def columns(seed: int = 0) -> dict[str, Floats]:
    """A series that grows, far from 0, and a column beside it."""
    random, hours = np.random.default_rng(seed), np.arange(ROWS)
    wave = 8 * np.sin(2 * np.pi * hours / 24)
    walk = random.normal(size=(2, ROWS))
    return {"y": 60 + 0.1 * hours + wave + walk[0], "beside": wave + walk[1]}


def hours() -> pl.Series:
    return pl.datetime_range(
        pl.datetime(2020, 1, 1), pl.datetime(2021, 1, 1), "1h", time_unit="us", eager=True
    ).head(ROWS)


def computed(
    folder: Path, series: Columns, overrides: Sequence[str] = (), first: Columns | None = None
) -> list[tuple[Step, Result]]:
    """The steps of all runs with their results. `first` is what the plan reads, where that is not
    what the steps do.
    """
    folder.mkdir()
    pl.DataFrame({"date": hours()} | dict(first or series)).write_csv(folder / "data.csv")
    (folder / "sweep.yaml").write_text(SWEEP, encoding="utf-8")
    steps = list(prepare(folder / "sweep.yaml", overrides, None).plan.steps.values())
    results = execute(steps, pl.DataFrame({"time": hours()} | dict(series)), folder / "out")
    return [(step, results[step.key]) for step in steps]


def forecasts(made: Sequence[tuple[Step, Result]]) -> NDArray[np.float64]:
    (path,) = (it.products["forecast"] for _, it in made if "forecast" in it.products)
    return load_file(path)["test/forecast"].astype(np.float64)


def metrics(made: Sequence[tuple[Step, Result]], name: str) -> list[float]:
    """The test part's, over all steps, of each run."""
    return [
        m.value
        for step, it in made
        for m in it.metrics
        if step.op == "score" and (m.split, m.name, m.horizon) == ("test", name, 0)
    ]


def origins() -> NDArray[np.intp]:
    return np.arange(VAL_STOP, ROWS - HORIZON + 1)


def back(method: str, changes: Floats, last: Floats) -> Floats:
    """Step by step to the target's own units."""
    values = np.empty_like(changes)
    for step in range(changes.shape[1]):
        before = values[:, step - 1] if step else last
        change = changes[:, step]
        values[:, step] = {
            "diff": before + change,
            "log": np.exp(change),
            "log_diff": before * np.exp(change),
            "returns": before * (1 + change),
        }[method]
    return values


@pytest.mark.parametrize("net", NETS)
@every_method
def test_a_net_learns_what_it_would_of_a_column_that_is_transformed_by_hand(
    tmp_path: Path, method: str, net: str
) -> None:
    # Given a series, and a column that holds its transform
    series = columns()
    by_hand = np.full(ROWS, np.nan)
    changes = BY_HAND[method](series["y"])
    by_hand[ROWS - len(changes) :] = changes

    # When a net forecasts the one by way of a transform, and another one the other as it is
    named = [f"net={net}", "seeds=1"]
    through = computed(tmp_path / "through", series, [*named, f"transform={method}"])
    plain = {**series, "y": by_hand}
    known = {**series, "y": np.nan_to_num(by_hand)}
    alone = computed(tmp_path / "alone", plain, named, first=known)

    # Then both have learned the same, and the forecasts of one lead to those of the other
    weights = [
        Checkpoint.read(it.products["weights"]).state
        for made in (through, alone)
        for step, it in made
        if step.op == "fit"
    ]
    for name, learned in weights[0].items():
        np.testing.assert_allclose(learned, weights[1][name], rtol=1e-3, atol=1e-5)
    want = back(method, forecasts(alone), series["y"][origins() - 1])
    np.testing.assert_allclose(forecasts(through), want, rtol=1e-4)


@every_method
def test_metrics_are_those_of_the_forecasts_in_the_targets_own_units(
    tmp_path: Path, method: str
) -> None:
    series = columns()

    made = computed(tmp_path / "run", series, [f"transform={method}"])

    truth = series["y"][origins()[:, np.newaxis] + np.arange(HORIZON)]
    last = series["y"][origins() - 1, np.newaxis]
    errors, naive = forecasts(made) - truth, last - truth
    (mae,), (rmse,), (skill,) = (metrics(made, name) for name in ("mae", "rmse", "skill"))
    assert mae == pytest.approx(np.abs(errors).mean(), rel=1e-4)
    assert rmse == pytest.approx(np.sqrt(np.square(errors).mean()), rel=1e-4)
    assert skill == pytest.approx(1 - rmse / np.sqrt(np.square(naive).mean()), rel=1e-4)
    # What is scaled is scaled as the target is, not as its transform
    (scaled,) = metrics(made, "rmse_scaled")
    assert scaled == pytest.approx(rmse / series["y"][:200].std(), rel=1e-9)


def test_several_targets_are_all_transformed_and_nothing_else(tmp_path: Path) -> None:
    # Given two targets, each of which the net forecasts alone, and so as well as alone
    series = columns() | {"z": columns(1)["y"]}
    net = "net={name: ridge, per_channel: true, alpha: 0.001}"

    both = computed(tmp_path / "both", series, [net, "target=[y,z]", "exog=[]", "transform=diff"])

    stored = forecasts(both)
    assert stored.shape == (len(origins()), 2, HORIZON)
    (fitted,) = (it for step, it in both if step.op == "fit")
    for scaler, name in zip(
        Checkpoint.read(fitted.products["weights"]).scalers, ("y", "z"), strict=True
    ):
        assert scaler.offset == pytest.approx(np.diff(series[name][:200]).mean())
        assert scaler.unit == pytest.approx(np.diff(series[name][:200]).std())
    for number, name in enumerate(("y", "z")):
        truth = series[name][origins()[:, np.newaxis] + np.arange(HORIZON)]
        assert np.abs(stored[:, number] - truth).mean() < np.diff(series[name]).std()


def test_columns_beside_the_target_stay_as_they_are(tmp_path: Path) -> None:
    series = columns()

    made = computed(tmp_path / "run", series, ["transform=log_diff"])

    (fitted,) = (it for step, it in made if step.op == "fit")
    _, beside = Checkpoint.read(fitted.products["weights"]).scalers
    assert beside.offset == pytest.approx(series["beside"][:200].mean())


def test_a_transform_of_changes_makes_a_trend_learnable(tmp_path: Path) -> None:
    """An LSTM's output is bounded by what it has learned; a series that rises leaves that."""
    named = ["net={name: lstm, hidden: 8}", "exog=[]", "train.epochs=40", "seeds=1"]

    made = computed(tmp_path / "run", columns(), [*named, "transform=none,diff"])

    plain, differenced = metrics(made, "rmse")
    assert differenced < plain / 2


def test_a_level_that_float32_would_lose_is_forecast_as_well(tmp_path: Path) -> None:
    series = columns()
    high = {**series, "y": series["y"] + 2.0**33}

    for method in ("diff", "returns"):
        low, far = (
            forecasts(computed(tmp_path / f"{method} {name}", it, [f"transform={method}"]))
            for name, it in (("low", series), ("high", high))
        )
        if method == "diff":
            np.testing.assert_allclose(far - 2.0**33, low, atol=1e-4)
        errors = far - high["y"][origins()[:, np.newaxis] + np.arange(HORIZON)]
        assert np.abs(errors).mean() < np.diff(series["y"]).std() * 2


def test_a_value_that_is_carried_on_leaves_its_windows_out_as_without_a_transform(
    tmp_path: Path,
) -> None:
    # Given a target that lacks the values of rows 320 to 322
    series = columns()
    lacking = series["y"].copy()
    lacking[320:323] = np.nan
    folder = tmp_path / "run"
    folder.mkdir()
    pl.DataFrame({"date": hours()} | series | {"y": lacking}).with_columns(
        pl.col("y").fill_nan(None)
    ).write_csv(folder / "data.csv")
    (folder / "sweep.yaml").write_text(SWEEP, encoding="utf-8")

    # When its last value is carried on under a mask
    overrides = ["dataset.missing=mask", "transform=none,diff"]
    steps = list(prepare(folder / "sweep.yaml", overrides, None).plan.steps.values())
    carried = np.where(np.isnan(lacking), lacking[319], lacking)
    (mask,) = {
        source["mask"]
        for step in steps
        for source in step.params.get("sources", ())
        if "mask" in source
    }
    frame = pl.DataFrame(
        {"time": hours()} | series | {"y": carried, mask: np.isnan(lacking).astype(float)}
    )
    results = execute(steps, frame, folder / "out")

    # Then both forecast the same windows, and the first after the gap starts at the carried value
    stored = [
        load_file(it.products["forecast"]) for it in results.values() if "forecast" in it.products
    ]
    plain, differenced = stored
    np.testing.assert_array_equal(plain["test/time"], differenced["test/time"])
    assert len(plain["test/time"]) == len(origins()) - 3 - (HORIZON - 1)


def test_a_step_refuses_a_value_that_has_no_logarithm(tmp_path: Path) -> None:
    series = columns()
    broken = {**series, "y": np.where(np.arange(ROWS) == 150, -1.0, series["y"])}

    with pytest.raises(StepError, match="row 151 is -1, and log needs values above 0"):
        computed(tmp_path / "run", broken, ["transform=log"], first=series)
