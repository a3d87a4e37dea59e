"""A rolling origin has the cutoffs and the forecasts of Darts and of neuralforecast, where all of
them say the same, and differs from them in what docs/numbers.md names.

They are in the extra `bench`, and these tests are skipped without them.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.data.synthetic import generate
from pyheta.plan.prepare import prepare
from pyheta.plan.probe import execute

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]

ROWS, LOOKBACK, HORIZON, SEASON = 600, 30, 6, 24
FOLDS, TRAIN, VAL = 8, 240, 24
#: Of all folds, each with one forecast: its test part is as long as the horizon.
ORIGINS = [ROWS - HORIZON * (FOLDS - fold) for fold in range(FOLDS)]
FIRST = ORIGINS[0] - TRAIN - VAL  # the row where training begins

SWEEP = f"""\
name: rolling
baselines: []
config:
  dataset: {{name: synthetic, rows: {ROWS}}}
  target: load
  split: {{train: {TRAIN}, val: {VAL}, test: {HORIZON}, folds: {FOLDS}}}
  window: {{input: {LOOKBACK}, horizon: {HORIZON}}}
  scale: standard
  net: last
"""
LAST, SEASONAL = "last", f"{{name: seasonal, period: {SEASON}}}"
LEAST_SQUARES = "{name: ridge, alpha: 0}"

FRAME = generate(ROWS, 0)
VALUES: Floats = FRAME["load"].to_numpy()
TIMES = pd.date_range("2020-01-01", periods=ROWS, freq="h")

#: The row of the first value that is forecast -> forecast (HORIZON,)
Forecasts = dict[int, Floats]


def ours(folder: Path, net: str, *overrides: str) -> Forecasts:
    """The forecasts of the test parts of all folds."""
    parent = folder / str(len(list(folder.iterdir())))
    parent.mkdir()
    path = parent / "sweep.yaml"
    path.write_text(SWEEP, encoding="utf-8")
    plan = prepare(path, (f"net={net}", *overrides), None).plan
    results = execute(list(plan.steps.values()), FRAME, parent / "out")
    rows = {time: row for row, time in enumerate(FRAME["time"].dt.epoch("us"))}
    made: Forecasts = {}
    for key, step in plan.steps.items():
        if step.op == "forecast":
            arrays = load_file(results[key].products["forecast"])
            places = [rows[int(time)] for time in arrays["test/time"]]
            made |= dict(zip(places, arrays["test/forecast"].astype(np.float64), strict=True))
    return made


def same(made: Forecasts, theirs: Forecasts, rtol: float = 1e-5) -> None:
    assert made.keys() == theirs.keys()
    for row, forecast in made.items():
        np.testing.assert_allclose(forecast, theirs[row], rtol=rtol)


# ---- Darts ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def darts() -> Callable[..., Forecasts]:
    library = pytest.importorskip("darts")
    models = pytest.importorskip("darts.models")

    def historical_forecasts(net: str, first: int = FIRST, **options: Any) -> Forecasts:
        """Of the series from a row on."""
        model = {
            LAST: lambda: models.NaiveSeasonal(K=1),
            SEASONAL: lambda: models.NaiveSeasonal(K=SEASON),
            LEAST_SQUARES: lambda: models.LinearRegressionModel(
                lags=LOOKBACK, output_chunk_length=HORIZON, multi_models=True
            ),
        }[net]()
        asked = {"stride": HORIZON, "retrain": True, "start": ORIGINS[0] - first, **options}
        made = model.historical_forecasts(
            library.TimeSeries.from_times_and_values(TIMES[first:], VALUES[first:]),
            forecast_horizon=HORIZON,
            start_format="position",
            last_points_only=False,
            **asked,
        )
        places = [int(TIMES.get_loc(each.start_time())) for each in made]
        return {row: each.values()[:, 0] for row, each in zip(places, made, strict=True)}

    return historical_forecasts


@pytest.mark.parametrize("net", [LAST, SEASONAL])
def test_naive_forecasts_are_those_of_darts(
    net: str, tmp_path: Path, darts: Callable[..., Forecasts]
) -> None:
    made = ours(tmp_path, net)

    assert sorted(made) == ORIGINS
    same(made, darts(net), rtol=0)


REFITS = {"every": 1, "3": 3, "never": FOLDS}  # as `retrain` and `refit` of others say it


@pytest.mark.parametrize("refit", REFITS)
@pytest.mark.parametrize("window", ["expanding", "sliding"])
def test_least_squares_are_those_of_darts(
    window: str, refit: str, tmp_path: Path, darts: Callable[..., Forecasts]
) -> None:
    """Regression has no validation there: all before a cutoff is training, windows too."""
    options = f"split.window={window}", f"split.refit={refit}", "split.final=train+val"
    made = ours(tmp_path, LEAST_SQUARES, *options)

    length = {"train_length": LOOKBACK + TRAIN + VAL} if window == "sliding" else {}
    same(made, darts(LEAST_SQUARES, FIRST - LOOKBACK, retrain=REFITS[refit], **length))


def test_darts_counts_the_rows_of_windows_as_training(
    tmp_path: Path, darts: Callable[..., Forecasts]
) -> None:
    options = "split.window=sliding", "split.final=train+val"
    made = ours(tmp_path, LEAST_SQUARES, *options)

    theirs = darts(LEAST_SQUARES, train_length=TRAIN + VAL)
    assert made.keys() == theirs.keys()
    assert not any(np.allclose(made[row], theirs[row], rtol=1e-5) for row in made)
    shorter = ours(tmp_path, LEAST_SQUARES, *options, f"split.train={TRAIN - LOOKBACK}")
    same(shorter, theirs)


def test_longer_test_parts_are_forecasts_of_darts_from_every_row(
    tmp_path: Path, darts: Callable[..., Forecasts]
) -> None:
    """Each of its rows is an origin, except those whose targets reach into the next part."""
    test = 20
    first = ROWS - FOLDS * test
    made = ours(tmp_path, LEAST_SQUARES, f"split.test={test}", "split.final=train+val")

    begin = first - TRAIN - VAL - LOOKBACK
    theirs = darts(LEAST_SQUARES, begin, start=first - begin, stride=1, retrain=test)
    inside = {row: it for row, it in theirs.items() if (row - first) % test <= test - HORIZON}
    same(made, inside)
    assert len(theirs) == FOLDS * test - HORIZON + 1


def test_the_last_forecast_of_darts_need_not_end_with_the_data(
    tmp_path: Path, darts: Callable[..., Forecasts]
) -> None:
    made = ours(tmp_path, LAST, "split.step=10")
    start = min(made) - 7

    theirs = darts(LAST, start=start - FIRST, stride=10)
    assert sorted(theirs) == list(range(start, ROWS - HORIZON + 1, 10))
    assert max(theirs) + HORIZON < ROWS == max(made) + HORIZON


# ---- neuralforecast ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cross_validation() -> Callable[..., Forecasts]:
    library = pytest.importorskip("neuralforecast")
    base: Any = pytest.importorskip("neuralforecast.models").NLinear
    losses = pytest.importorskip("neuralforecast.losses.pytorch")
    torch = pytest.importorskip("torch")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    logging.getLogger("lightning_fabric").setLevel(logging.ERROR)

    class Linear(base):  # type: ignore[misc] # it has no types
        """A linear map of a window, solved on the windows that a training step is given."""

        def training_step(self, batch: Any, _: int) -> None:
            windows, _, _, chosen, *_ = self._create_windows(batch, step="train")
            series = windows[chosen][:, :, batch["y_idx"], 0].double().numpy()
            weight, bias = self.solve(series[:, :LOOKBACK], series[:, LOOKBACK:])
            with torch.no_grad():
                self.linear.weight.copy_(torch.from_numpy(weight.T.copy()))
                self.linear.bias.copy_(torch.from_numpy(bias))

        def forward(self, windows: Mapping[str, Any]) -> Any:
            return self.linear(windows["insample_y"].squeeze(-1))[:, :, None]

    def lag(rows: int) -> Callable[[Floats, Floats], tuple[Floats, Floats]]:
        """Step h ahead is the value so many rows earlier; of one row, the last one."""
        weight = np.zeros((LOOKBACK, HORIZON))
        weight[LOOKBACK - rows + np.arange(HORIZON) * (rows > 1), np.arange(HORIZON)] = 1
        return lambda *_: (weight, np.zeros(HORIZON))

    solvers = {LAST: lag(1), SEASONAL: lag(SEASON), LEAST_SQUARES: least_squares}

    def made(net: str, first: int = FIRST, *, levels: Any = None, **options: Any) -> Forecasts:
        """`levels`: becomes the means of the rows that the scaler sees, one after the other."""
        model = Linear(
            h=HORIZON,
            input_size=LOOKBACK,
            loss=losses.MAE(),
            max_steps=1,
            training_data_availability_threshold=1.0,
            accelerator="cpu",
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
        )
        model.solve = solvers[net]
        frame = pd.DataFrame({"unique_id": "a", "ds": TIMES, "y": VALUES})[first:]
        course = library.NeuralForecast(
            [model], freq="h", local_scaler_type=None if levels is None else "standard"
        )
        _listen(course, levels)
        table = course.cross_validation(
            frame, **{"n_windows": FOLDS, "step_size": HORIZON, **options}
        )
        rows = TIMES.get_indexer(table["ds"])
        np.testing.assert_allclose(table["y"], VALUES[rows], rtol=1e-6)
        cutoffs = TIMES.get_indexer(table["cutoff"]).reshape(-1, HORIZON)
        assert (rows.reshape(-1, HORIZON) == cutoffs + 1 + np.arange(HORIZON)).all()
        forecasts = table["Linear"].to_numpy(np.float64).reshape(-1, HORIZON)
        return dict(zip((cutoffs[:, 0] + 1).tolist(), forecasts, strict=True))

    return made


def _listen(course: Any, levels: list[float] | None) -> None:
    fit_scalers = course._scalers_fit_transform

    def heard(*given: Any) -> None:
        fit_scalers(*given)
        if levels is not None:
            levels.append(float(course.scalers_["y"].stats_.ravel()[0]))

    course._scalers_fit_transform = heard


def least_squares(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    solved = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)[0]
    found = np.asarray(solved, np.float64)
    return found[:-1], found[-1]


@pytest.mark.parametrize("refit", ["every", "never"])
@pytest.mark.parametrize("net", [LAST, SEASONAL])
def test_naive_forecasts_are_those_of_neuralforecast(
    net: str, refit: str, tmp_path: Path, cross_validation: Callable[..., Forecasts]
) -> None:
    """With the weights of a naive forecast, a linear net there is one."""
    same(ours(tmp_path, net), cross_validation(net, refit=refit == "every"), rtol=1e-6)


@pytest.mark.parametrize("refit", REFITS)
def test_least_squares_on_the_windows_of_neuralforecast_are_ours(
    refit: str, tmp_path: Path, cross_validation: Callable[..., Forecasts]
) -> None:
    """Validation is cut off the end of what comes before a cutoff."""
    made = ours(tmp_path, LEAST_SQUARES, f"split.refit={refit}")
    again = REFITS[refit] if refit != "never" else False

    theirs = cross_validation(LEAST_SQUARES, FIRST - LOOKBACK, val_size=VAL, refit=again)
    same(made, theirs, rtol=1e-3)


@pytest.mark.parametrize("refit", [False, True, 3])
def test_scalers_of_neuralforecast_see_more_than_training(
    refit: bool | int, cross_validation: Callable[..., Forecasts]
) -> None:
    """All rows without refit, test rows too; else those up to each cutoff, fitted again or not."""
    levels: list[float] = []

    cross_validation(LAST, 0, levels=levels, val_size=VAL, refit=refit)
    borders = ORIGINS if refit else [ROWS]
    assert levels == pytest.approx([VALUES[:stop].mean() for stop in borders], rel=1e-5)
