"""The steps `fit` and `score` from table to metrics: honest, repeatable, complete."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from safetensors.numpy import load_file

from pyheta.errors import Diverged, StepError
from pyheta.nets.checkpoint import Checkpoint
from pyheta.nets.configs.union import config_of
from pyheta.ops.fit import fit
from pyheta.ops.forecast import forecast
from pyheta.ops.load import load
from pyheta.ops.score import score
from pyheta.pipeline.channels import Source
from pyheta.pipeline.data.synthetic import generate
from pyheta.pipeline.splits import PARTS
from pyheta.task import Result, Task

ROWS = 500
LEARNING = {"train": [0, 300], "val": [300, 400]}
SPLIT = {**LEARNING, "test": [400, 500]}
TRAIN = {
    "optimizer": "adam",
    "lr": 1e-2,
    "batch_size": 32,
    "epochs": 2,
    "patience": 2,
    "min_delta": 0.0,
    "shuffle": True,
}
NETS: list[dict[str, Any]] = [
    {"name": "last"},
    {"name": "seasonal", "period": 24},
    {"name": "ridge", "alpha": 1e-3},
    {"name": "mlp", "hidden": [8], "dropout": 0.1},
    {"name": "lstm", "hidden": 8, "layers": 1, "dropout": 0.0},
]
LOOKBACK = {"last": 1, "seasonal": 24}
every_net = pytest.mark.parametrize("net", NETS, ids=lambda net: net["name"])
every_scale = pytest.mark.parametrize("scale", ["minmax", "standard", "none"])


class Bench:
    """One table, and the two steps on it, each in a folder of its own."""

    def __init__(self, folder: Path, frame: pl.DataFrame) -> None:
        self.folder = folder
        self.table = self.fresh() / "table.parquet"
        frame.write_parquet(self.table)

    def fresh(self) -> Path:
        path = self.folder / str(len(list(self.folder.iterdir())))
        path.mkdir()
        return path

    def params(
        self,
        net: dict[str, Any],
        *,
        target: str | Sequence[str] = "load",
        exog: Sequence[str] | None = None,
        **changed: Any,
    ) -> dict[str, Any]:
        targets = [target] if isinstance(target, str) else target
        window = {"input": LOOKBACK.get(net["name"], 8), "horizon": 2}
        default = [] if net["name"] in LOOKBACK else ["leading"]
        columns = [*targets, *(default if exog is None else exog)]
        params = {
            "sources": [Source(column).as_params() for column in columns],
            "targets": len(targets),
            "split": LEARNING,
            "window": window,
            "scale": "standard",
            "net": net,
            "component": "target",
        }
        if net["name"] in ("mlp", "lstm"):
            params |= {"train": TRAIN, "seed": 1}
        return params | changed

    def fit(self, params: dict[str, Any], **more: Any) -> Result:
        """Of a net to which the scale cannot matter, without it, as in a plan."""
        if config_of(params["net"]).in_own_units:
            params = {name: value for name, value in params.items() if name != "scale"}
        return fit(Task(params, {"load": {"table": self.table}}, self.fresh(), **more))

    def score(
        self,
        params: dict[str, Any],
        fitted: Result,
        *,
        keep: bool = True,
        test: Sequence[int] = SPLIT["test"],
        **more: Any,
    ) -> Result:
        """The score, with what was forecast for it among its products, if that is kept."""
        sources = params["sources"][: params["targets"]]
        asked = {"targets": [it["column"] for it in sources], "components": ["target"]}
        split = {**params["split"], "test": test}
        table = {"load": {"table": self.table}}
        inputs = {**table, "fit/target": dict(fitted.products)}
        made: dict[str, Path] = {}
        if keep:
            made = dict(forecast(Task({**asked, "split": split}, inputs, self.fresh())).products)
            inputs = {**table, "forecast": made}
        inputs = {role if role == "load" else f"0/{role}": of for role, of in inputs.items()}
        told = {**asked, "folds": [split], "scale": params["scale"], **more}
        scored = score(Task(told, inputs, self.fresh()))
        return replace(scored, products={**made, **scored.products})

    def both(self, params: dict[str, Any], **asked: Any) -> tuple[Result, Result]:
        fitted = self.fit(params)
        return fitted, self.score(params, fitted, **asked)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, generate(ROWS, 0))


def spoil(frame: pl.DataFrame, first: int) -> pl.DataFrame:
    """The same table with noise in every value from this row on."""
    noise = np.random.default_rng(9).normal(1e3, 1e3, size=(frame.height - first, frame.width - 1))
    late = pl.DataFrame(noise, schema=frame.columns[1:])
    return pl.concat([frame[:first], late.insert_column(0, frame["time"][first:])])


def metric(result: Result, split: str, name: str, horizon: int = 0) -> float:
    wanted = (split, name, horizon)
    return next(m.value for m in result.metrics if (m.split, m.name, m.horizon) == wanted)


@every_net
@every_scale
def test_no_test_row_reaches_the_weights(tmp_path: Path, net: dict[str, Any], scale: str) -> None:
    # Given the same series twice, once with noise in all rows of the test part
    for name in ("plain", "spoilt"):
        (tmp_path / name).mkdir()
    plain = Bench(tmp_path / "plain", generate(ROWS, 0))
    spoilt = Bench(tmp_path / "spoilt", spoil(generate(ROWS, 0), first=400))

    # When a net is fitted on each
    first, second = (b.fit(b.params(net, scale=scale)) for b in (plain, spoilt))

    # Then what was learned is the same to the last bit
    for product in first.products:
        assert first.products[product].read_bytes() == second.products[product].read_bytes()
    assert first.summary == second.summary


@every_net
@every_scale
def test_no_forecast_depends_on_what_comes_after_its_origin(
    tmp_path: Path, net: dict[str, Any], scale: str
) -> None:
    # Given a fitted net, and the series once more with noise from row 450 on
    for name in ("plain", "spoilt"):
        (tmp_path / name).mkdir()
    plain = Bench(tmp_path / "plain", generate(ROWS, 0))
    spoilt = Bench(tmp_path / "spoilt", spoil(generate(ROWS, 0), first=450))
    params = plain.params(net, scale=scale)
    fitted = plain.fit(params)

    # When both are scored
    forecasts = [
        load_file(b.score(params, fitted).products["forecast"])["test/forecast"]
        for b in (plain, spoilt)
    ]

    # Then all forecasts with first target up to row 450 agree, and later ones do not
    before = 450 - 400 + 1
    np.testing.assert_array_equal(forecasts[0][:before], forecasts[1][:before])
    assert not np.array_equal(forecasts[0][before:], forecasts[1][before:])


@every_net
def test_equal_parameters_give_equal_bytes(bench: Bench, net: dict[str, Any]) -> None:
    results = [bench.both(bench.params(net)) for _ in range(2)]

    for first, second in zip(*results, strict=True):
        assert first.metrics == second.metrics
        for name in first.products:
            assert first.products[name].read_bytes() == second.products[name].read_bytes()


@every_net
@every_scale
def test_metrics_are_those_of_the_stored_forecasts_in_the_targets_own_units(
    bench: Bench, net: dict[str, Any], scale: str
) -> None:
    _, scored = bench.both(bench.params(net, scale=scale))
    stored = load_file(scored.products["forecast"])
    table = pl.read_parquet(bench.table)

    lookback = bench.params(net)["window"]["input"]
    for part, start, stop in (("train", lookback, 300), ("val", 300, 400), ("test", 400, 500)):
        rows = np.arange(start, stop - 1)
        truth = table["load"].to_numpy()[rows[:, None] + np.arange(2)]
        times = table["time"].to_physical().to_numpy()[rows]
        np.testing.assert_array_equal(stored[f"{part}/time"], times)
        errors = stored[f"{part}/forecast"] - truth
        assert metric(scored, part, "mae") == pytest.approx(np.abs(errors).mean(), rel=1e-4)
        assert metric(scored, part, "rmse") == pytest.approx(
            np.sqrt(np.square(errors).mean()), rel=1e-4
        )
    assert scored.summary["forecasts"] == 99
    assert scored.summary["skill"] == metric(scored, "test", "skill")


RAISED = [*NETS[2:], {"name": "nlinear"}]


@pytest.mark.parametrize("net", RAISED, ids=lambda net: net["name"])
@pytest.mark.parametrize("level", [1e6, -1e8, 1e10])
def test_without_scaling_a_high_level_changes_nothing(
    tmp_path: Path, net: dict[str, Any], level: float
) -> None:
    # Given columns around 0 in training, and the same ones high above
    frame = generate(ROWS, 0)
    values = pl.col("load", "leading")
    flat = frame.with_columns(values - values.head(ROWS * 6 // 10).mean())
    forecasts, errors = [], []
    for name, each in (("flat", flat), ("raised", flat.with_columns(values + level))):
        (tmp_path / name).mkdir()
        bench = Bench(tmp_path / name, each)
        _, scored = bench.both(bench.params(net, scale="none", seed=1, train=TRAIN))
        stored = load_file(scored.products["forecast"])["test/forecast"]
        forecasts.append(stored - each["load"].to_numpy()[:300].mean())
        errors.append([metric(scored, "test", name) for name in ("rmse", "rmse_scaled", "skill")])

    # Then forecasts follow, within what float32 and so high a float64 can tell
    spread = float(flat["load"].to_numpy().std())
    tell = 1e-4 * spread + 1e-15 * abs(level)
    np.testing.assert_allclose(forecasts[1], forecasts[0], rtol=0, atol=tell)
    np.testing.assert_allclose(errors[1], errors[0], rtol=1e-4, atol=1e-4)


@hypothesis_settings(deadline=None, max_examples=10)
@given(level=st.floats(-1e10, 1e10))
def test_a_net_that_follows_levels_follows_every_level_without_scaling(
    tmp_path_factory: pytest.TempPathFactory, level: float
) -> None:
    bench, raised = (
        Bench(tmp_path_factory.mktemp("bench"), generate(ROWS, 0).with_columns(pl.col("load") + c))
        for c in (0, level)
    )
    params = bench.params({"name": "nlinear"}, exog=[], scale="none", seed=1, train=TRAIN)
    stored = [
        load_file(each.both(params)[1].products["forecast"])["test/forecast"]
        for each in (bench, raised)
    ]

    spread = float(pl.read_parquet(bench.table)["load"].to_numpy()[:300].std())
    np.testing.assert_allclose(stored[1] - level, stored[0], rtol=0, atol=1e-3 * spread)


@pytest.mark.parametrize("target", ["load", ["noise", "load"]], ids=str)
def test_a_score_that_has_no_forecasts_makes_the_same_ones(
    bench: Bench, target: str | list[str]
) -> None:
    params = bench.params(NETS[2], target=target)
    fitted, scored = bench.both(params)

    alone = bench.score(params, fitted, keep=False)

    assert (alone.metrics, alone.summary) == (scored.metrics, scored.summary)
    assert "forecast" in scored.products
    assert "forecast" not in alone.products


@every_scale
def test_the_last_value_is_the_same_forecast_in_every_scale(bench: Bench, scale: str) -> None:
    _, scored = bench.both(bench.params({"name": "last"}, scale=scale))
    load_column = pl.read_parquet(bench.table)["load"].to_numpy()
    rows = np.arange(400, 499)

    forecast = load_file(scored.products["forecast"])["test/forecast"]

    np.testing.assert_allclose(forecast, np.repeat(load_column[rows - 1, None], 2, 1), rtol=1e-6)
    assert metric(scored, "test", "skill") == 0


NAIVE = [{"name": "last"}, {"name": "seasonal", "period": 5}, {"name": "drift"}]
SIZES = st.just(0.0) | st.floats(0.01, 1e3) | st.floats(-1e3, -0.01)


def naive_forecasts(y: NDArray[np.float64], name: str, rows: NDArray[np.intp]) -> Any:
    """What the plain rules say of two rows from each of these on."""
    if name == "seasonal":
        return np.stack([y[rows - 5], y[rows - 4]], axis=1)
    slope = (y[rows - 1] - y[0]) / (rows - 1) if name == "drift" else np.zeros(len(rows))
    return y[rows - 1, None] + slope[:, None] * [1.0, 2.0]


@pytest.mark.parametrize("net", NAIVE, ids=lambda net: net["name"])
@hypothesis_settings(deadline=None, max_examples=15)
@given(y=arrays(np.float64, 80, elements=SIZES))
def test_naive_metrics_are_those_of_the_plain_rule_in_every_scale(
    tmp_path_factory: pytest.TempPathFactory, net: dict[str, Any], y: NDArray[np.float64]
) -> None:
    # Given a series with zeros, and an outlier in training
    y[7] = 1e9
    frame = generate(80, 0).with_columns(load=pl.Series(y))
    bench = Bench(tmp_path_factory.mktemp("bench"), frame)
    split = {"train": [0, 48], "val": [48, 64]}
    scales = ("minmax", "standard", "none")
    params = [bench.params(net, scale=scale, exog=[], split=split) for scale in scales]
    if net["name"] == "drift":
        params = [each | {"window": {"input": 1, "horizon": 2}} for each in params]

    # When a naive forecast is scored beside runs of each scale
    scored = [bench.both(each, test=(64, 80))[1] for each in params]

    # Then all metrics but the scaled ones are the same to the last bit
    own = [[m for m in result.metrics if not m.name.endswith("_scaled")] for result in scored]
    assert own[0] == own[1] == own[2]

    # And they are numpy's on the series itself; the last value has no skill of its own
    rows = np.arange(64, 79)
    forecast, truth = naive_forecasts(y, net["name"], rows), np.stack([y[rows], y[rows + 1]], 1)
    both = np.abs(truth) + np.abs(forecast)
    terms = np.divide(2 * np.abs(forecast - truth), both, out=np.zeros_like(both), where=both > 0)
    assert metric(scored[0], "test", "smape") == pytest.approx(terms.mean(), rel=1e-12)
    rmse = np.sqrt(np.square(forecast - truth).mean())
    assert metric(scored[0], "test", "rmse") == pytest.approx(rmse, rel=1e-12)
    if net["name"] == "last" and "test/skill" not in scored[0].summary["omitted"]:
        assert scored[0].summary["skill"] == 0


def test_the_target_may_stand_anywhere_in_the_table(bench: Bench) -> None:
    # Given columns of very different size, and the target not in first place
    params = bench.params({"name": "last"}, target="noise")
    _, scored = bench.both(params)

    forecast = load_file(scored.products["forecast"])["test/forecast"]
    expected = pl.read_parquet(bench.table)["noise"].to_numpy()[399:498]
    np.testing.assert_allclose(forecast[:, 0], expected, rtol=1e-6)
    assert metric(scored, "test", "rmse") < 3


def test_validation_loss_is_the_error_of_the_kept_weights_in_the_nets_units(bench: Bench) -> None:
    for net in NETS:
        fitted, scored = bench.both(bench.params(net))
        own = config_of(net).in_own_units
        expected = metric(scored, "val", "mse" if own else "mse_scaled")
        assert fitted.summary["val_mse"] == pytest.approx(expected, rel=1e-4), net["name"]


def test_a_gradient_fit_tells_its_training(bench: Bench) -> None:
    told: list[dict[str, Any]] = []
    fitted = bench.fit(bench.params(NETS[3]), progress=told.append)

    curves = load_file(fitted.products["curves"])
    summary = fitted.summary
    assert set(curves) == {"train_loss", "val_loss"}
    assert len(curves["val_loss"]) == len(told) == summary["epochs"] == 2
    assert curves["val_loss"].argmin() + 1 == summary["kept_epoch"]
    assert summary["windows"] == 300 - 8 - 1
    assert summary["parameters"] == 2 * 8 * 8 + 8 + 8 * 2 + 2
    assert summary["stopped"] in ("epochs", "patience")


def test_a_closed_form_fit_has_no_curves(bench: Bench) -> None:
    fitted = bench.fit(bench.params(NETS[2]))
    assert set(fitted.products) == {"weights"}
    assert set(fitted.summary) == {"windows", "parameters", "val_mse"}


def test_a_part_too_short_for_one_window_is_refused(bench: Bench) -> None:
    params = bench.params(NETS[2], window={"input": 8, "horizon": 150})
    with pytest.raises(StepError, match="no room for a window of 8 rows and 150 targets"):
        bench.fit(params)


def test_a_column_that_is_not_there_is_named(bench: Bench) -> None:
    with pytest.raises(StepError, match="no column 'laeding'; did you mean 'leading'"):
        bench.fit(bench.params(NETS[2], exog=["laeding"]))


def test_a_damaged_checkpoint_is_refused(bench: Bench) -> None:
    params = bench.params(NETS[2])
    fitted = bench.fit(params)
    weights = fitted.products["weights"]
    weights.write_bytes(b"\xff" * 8 + weights.read_bytes()[8:])
    with pytest.raises(
        StepError, match=r"weights\.safetensors: not a checkpoint, or a damaged one"
    ):
        bench.score(params, fitted)


def test_a_safetensors_file_of_something_else_is_no_checkpoint(bench: Bench) -> None:
    fitted = bench.fit(bench.params(NETS[3]))
    with pytest.raises(StepError, match="not a checkpoint"):
        Checkpoint.read(fitted.products["curves"])


def test_weights_that_forecast_no_number_fail_the_score(bench: Bench) -> None:
    params = bench.params(NETS[2])
    fitted = bench.fit(params)
    spoilt = Checkpoint.read(fitted.products["weights"])
    spoilt.state["bias"][:] = np.nan
    spoilt.save(fitted.products["weights"])
    with pytest.raises(Diverged, match="not finite"):
        bench.score(params, fitted)


@pytest.fixture
def etth1(etth1_path: Path, tmp_path: Path) -> Bench:
    raw = {"raw": {"raw": etth1_path}}
    (tmp_path / "loaded").mkdir()
    table = load(Task({"time": "date"}, raw, tmp_path / "loaded")).products["table"]
    return Bench(tmp_path, pl.read_parquet(table))


def one_step(net: dict[str, Any], lookback: int) -> dict[str, Any]:
    return {
        "sources": [Source("OT").as_params()],
        "targets": 1,
        "split": {"train": [0, 10_452], "val": [10_452, 12_194]},
        "window": {"input": lookback, "horizon": 1},
        "scale": "standard",
        "net": net,
        "component": "target",
    }


def test_the_last_value_on_etth1(etth1: Bench) -> None:
    _, scored = etth1.both(one_step({"name": "last"}, 1), test=(12_194, 17_420))

    assert scored.summary["forecasts"] == 17_420 - 12_194
    assert metric(scored, "test", "rmse") == pytest.approx(0.62597, abs=5e-6)
    assert metric(scored, "test", "mae") == pytest.approx(0.43319, abs=5e-6)
    assert scored.summary["omitted"]["test/mape"] == "the truth contains zeros"


def test_ridge_on_etth1_is_least_squares_on_the_raw_values(etth1: Bench) -> None:
    oil = pl.read_parquet(etth1.table)["OT"].to_numpy()
    past = np.lib.stride_tricks.sliding_window_view(oil, 8)[:-1]
    padded = np.column_stack([past, np.ones(len(past))])  # of targets 8, 9, …
    weights, *_ = np.linalg.lstsq(padded[: 10_452 - 8], oil[8:10_452], rcond=None)
    forecasts = (padded[12_194 - 8 :] @ weights).astype(np.float32)  # as they are kept
    errors = forecasts.astype(np.float64) - oil[12_194:]

    _, scored = etth1.both(one_step({"name": "ridge", "alpha": 0.0}, 8), test=(12_194, 17_420))

    expected = np.sqrt(np.square(errors).mean())
    assert metric(scored, "test", "rmse") == pytest.approx(expected, rel=1e-9)


# ---- several targets -----------------------------------------------------------------------------


@every_net
def test_several_targets_are_forecast_beside_each_other(bench: Bench, net: dict[str, Any]) -> None:
    # Given a net that forecasts two columns of very different size together
    _, scored = bench.both(bench.params(net, target=["noise", "load"]))
    stored = load_file(scored.products["forecast"])
    table = pl.read_parquet(bench.table)

    # Then forecasts stand by target, each in its own units
    for part, start, stop in (("val", 300, 400), ("test", 400, 500)):
        rows = np.arange(start, stop - 1)[:, None] + np.arange(2)
        truth = np.stack([table[name].to_numpy()[rows] for name in ("noise", "load")], axis=1)
        assert set(stored) == {f"{p}/{name}" for p in PARTS for name in ("time", "forecast")}
        assert stored[f"{part}/forecast"].shape == truth.shape

        # And the metrics are those of the stored forecasts: scaled together, or of each target
        errors = stored[f"{part}/forecast"] - truth
        units = [table[name].to_numpy()[:300].std() for name in ("noise", "load")]
        scaled = errors / np.array(units)[:, None]
        assert metric(scored, part, "mse_scaled") == pytest.approx(
            np.square(scaled).mean(), rel=1e-4
        )
        assert metric(scored, part, "mae_scaled") == pytest.approx(np.abs(scaled).mean(), rel=1e-4)
        for number, name in enumerate(("noise", "load")):
            assert metric(scored, part, f"{name}/mae") == pytest.approx(
                np.abs(errors[:, number]).mean(), rel=1e-4
            )
    names = {one.name for one in scored.metrics}
    assert not names & {"mae", "mse", "rmse"}
    assert scored.summary["omitted"]["test/rmse"] == "the targets have units of their own"


@every_scale
def test_the_last_value_of_several_targets_is_that_of_each(bench: Bench, scale: str) -> None:
    _, both = bench.both(bench.params({"name": "last"}, target=["load", "noise"], scale=scale))

    for name in ("load", "noise"):
        _, alone = bench.both(bench.params({"name": "last"}, target=name, scale=scale))
        for one in ("rmse", "mae", "smape", "mse_scaled"):
            assert metric(both, "test", f"{name}/{one}") == pytest.approx(
                metric(alone, "test", one)
            )


@every_net
def test_rows_after_a_split_in_rows_are_not_used(tmp_path: Path, net: dict[str, Any]) -> None:
    # Given the same series twice, once with noise after the last row of the test part
    for name in ("plain", "spoilt"):
        (tmp_path / name).mkdir()
    plain = Bench(tmp_path / "plain", generate(ROWS, 0))
    spoilt = Bench(tmp_path / "spoilt", spoil(generate(ROWS, 0), first=450))
    params = plain.params(net)

    # When a net is fitted and scored on each
    first, second = plain.both(params, test=(400, 450)), spoilt.both(params, test=(400, 450))

    # Then nothing is different, and there are as many forecasts as fit into the test part
    for one, other in zip(first, second, strict=True):
        assert (one.metrics, one.summary) == (other.metrics, other.summary)
        for name in one.products:
            assert one.products[name].read_bytes() == other.products[name].read_bytes()
    assert first[1].summary["forecasts"] == 49


LONG_TERM = {"train": [0, 8640], "val": [8640, 11_520]}
LOADS = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
SHARED = {"name": "ridge", "per_channel": True, "alpha": 1e-3}
NORMED = SHARED | {"instance_norm": True}
ALPHAS = [1e-5, 1e-3, 1.0, 1e2, 1e3, 1e4, 1e5]


@pytest.mark.parametrize(
    ("net", "horizon", "mse", "mae"),
    [
        ({"name": "last"}, 96, 1.2944, 0.7132),
        ({"name": "last"}, 192, 1.3249, 0.7331),
        (SHARED, 96, 0.3702, 0.3915),
        (SHARED, 336, 0.4334, 0.4342),
        (NORMED | {"window_std": True}, 96, 0.3708, 0.3918),
        (NORMED | {"window_std": True}, 336, 0.4307, 0.4287),
        (NORMED | {"alpha": ALPHAS}, 96, 0.3702, 0.3914),
        (NORMED | {"alpha": ALPHAS}, 336, 0.4256, 0.4243),
    ],
)
def test_long_horizons_on_etth1_as_the_literature_measures_them(
    etth1: Bench, net: dict[str, Any], horizon: int, mse: float, mae: float
) -> None:
    """Of the last value Zeng et al. (2023) have 1.295/0.713 and 1.325/0.733."""
    params = {
        "sources": [Source(column).as_params() for column in LOADS],
        "targets": len(LOADS),
        "split": LONG_TERM,
        "window": {"input": 1 if net["name"] == "last" else 336, "horizon": horizon},
        "scale": "standard",
        "net": net,
        "component": "target",
    }

    _, scored = etth1.both(params, test=(11_520, 14_400))

    assert scored.summary["forecasts"] == 2880 - horizon + 1
    assert metric(scored, "test", "mse_scaled") == pytest.approx(mse, abs=5.1e-5)
    assert metric(scored, "test", "mae_scaled") == pytest.approx(mae, abs=5.1e-5)


def test_a_score_has_the_pinball_loss_and_ones_own_metrics_that_it_is_told_of(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a function that counts, and one that fails
    monkeypatch.syspath_prepend(tmp_path)
    text = "def windows(truth, *_):\n    return len(truth)\ndef odd(*_):\n    return 1 / 0\n"
    (tmp_path / "own_of_score.py").write_text(text)
    own = [{"name": f"own_of_score:{name}", "version": 1} for name in ("windows", "odd")]
    params = bench.params(NETS[0])

    # When a run is scored with them
    scored = bench.score(params, bench.fit(params), quantile=0.5, metrics=own)

    # Then it has all but what failed, which is told
    for part in ("val", "test"):
        assert metric(scored, part, "windows") == 99
        pinball = metric(scored, part, "pinball")
        assert pinball == pytest.approx(metric(scored, part, "mae") / 2)
        reason = scored.summary["omitted"][f"{part}/odd"]
        assert reason == "it raised ZeroDivisionError: division by zero"
