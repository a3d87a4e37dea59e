"""A rolling origin from the sweep to its metrics equals one that is worked out by hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.data.synthetic import generate
from pyheta.pipeline.splits import Split
from pyheta.plan.prepare import CheckedSweep, prepare
from pyheta.plan.probe import Results, execute, probe, small_runs
from pyheta.steps import Key

ROWS, LOOKBACK, HORIZON = 900, 12, 3
SWEEP = f"""\
name: rolling
baselines: []
config:
  dataset: {{name: synthetic, rows: {ROWS}}}
  target: load
  split: {{train: 300, val: 60, test: 40, folds: 8, gap: 5}}
  window: {{input: {LOOKBACK}, horizon: {HORIZON}}}
  scale: none
  net: last
"""
#: Origin -> forecast (horizon,), after it has been given all that a fold may learn from.
Forecaster = Callable[[int], Floats]

VALUES: Floats = generate(ROWS, 0)["load"].to_numpy()


@dataclass(frozen=True)
class Rolled:
    """A sweep whose steps were computed."""

    prepared: CheckedSweep
    results: Results

    def metrics(self, key: Key, split: str = "test") -> Mapping[str, float]:
        measured = self.results[key].metrics
        return {m.name: m.value for m in measured if (m.split, m.horizon) == (split, 0)}

    def splits(self) -> Sequence[Split]:
        scores = [self.prepared.plan.steps[key] for key in self.prepared.plan.scores]
        return [Split.of(score.params["folds"][0]) for score in scores]

    @property
    def pooled(self) -> Key:
        (key,) = set(self.prepared.plan.pooled)
        assert key
        return key


def roll(parent: Path, *overrides: str) -> Rolled:
    folder = parent / str(len(list(parent.iterdir())))
    folder.mkdir()
    path = folder / "sweep.yaml"
    path.write_text(SWEEP, encoding="utf-8")
    prepared = prepare(path, overrides, None)
    frame = generate(ROWS, 0)
    steps = list(prepared.plan.steps.values())
    return Rolled(prepared, execute(steps, frame, folder / "out"))


# ---- forecasts by hand ---------------------------------------------------------------------------


def last(_: Split) -> Forecaster:
    return lambda origin: np.full(HORIZON, VALUES[origin - 1])


def seasonal(_: Split) -> Forecaster:
    return lambda origin: VALUES[origin - 24 : origin - 24 + HORIZON]


def ridge(split: Split) -> Forecaster:
    """min ||Y - X W - b||² + 0.5 ||W||² over the windows whose targets lie in the training rows."""
    start, stop = split.train
    origins = range(max(start, LOOKBACK), stop - HORIZON + 1)
    x = np.array([VALUES[t - LOOKBACK : t] for t in origins])
    y = np.array([VALUES[t : t + HORIZON] for t in origins])
    centred = x - x.mean(axis=0)
    weight = np.linalg.solve(
        centred.T @ centred + 0.5 * np.eye(LOOKBACK), centred.T @ (y - y.mean(axis=0))
    )
    return lambda t: y.mean(axis=0) + (VALUES[t - LOOKBACK : t] - x.mean(axis=0)) @ weight


NETS = {
    "last": ("last", last),
    "seasonal": ("{name: seasonal, period: 24}", seasonal),
    "ridge": ("{name: ridge, alpha: 0.5}", ridge),
}


def errors(
    split: Split, part: tuple[int, int], forecaster: Callable[[Split], Forecaster]
) -> Floats:
    """(origins, horizon) of a part."""
    forecast = forecaster(split)
    origins = range(part[0], part[1] - HORIZON + 1)
    return np.array([forecast(t) - VALUES[t : t + HORIZON] for t in origins])


@pytest.mark.parametrize("window", ["expanding", "sliding"])
@pytest.mark.parametrize("refit", ["every", "3", "never"])
@pytest.mark.parametrize("name", NETS)
def test_a_rolling_origin_is_the_one_that_is_worked_out_by_hand(
    tmp_path: Path, name: str, window: str, refit: str
) -> None:
    net, forecaster = NETS[name]
    rolled = roll(tmp_path, f"net={net}", f"split.window={window}", f"split.refit={refit}")
    group = {"every": 1, "never": 8}.get(refit) or int(refit)

    each = []
    for fold, (key, split) in enumerate(
        zip(rolled.prepared.plan.scores, rolled.splits(), strict=True)
    ):
        fitted = 40 * (fold - fold % group)
        assert split == Split(
            (215 + fitted * (window == "sliding"), 515 + fitted),
            (515 + fitted, 575 + fitted),
            (580 + 40 * fold, 620 + 40 * fold),
        )
        own = errors(split, split.targets("test"), forecaster)
        assert rolled.metrics(key)["mae"] == pytest.approx(np.abs(own).mean(), rel=1e-6)
        assert rolled.metrics(key)["mse"] == pytest.approx(np.square(own).mean(), rel=1e-6)
        each.append(own)
    stitched = np.concatenate(each)

    pooled = rolled.metrics(rolled.pooled)
    assert pooled["mae"] == pytest.approx(np.abs(stitched).mean(), rel=1e-6)
    assert pooled["rmse"] == pytest.approx(np.sqrt(np.square(stitched).mean()), rel=1e-6)
    learning = dict.fromkeys(split.learning for split in rolled.splits())
    validated = np.concatenate([errors(split, split.val, forecaster) for split in learning])
    assert rolled.metrics(rolled.pooled, "val")["mae"] == pytest.approx(
        np.abs(validated).mean(), rel=1e-6
    )
    assert not rolled.metrics(rolled.pooled, "train")


def test_pooled_metrics_are_those_of_the_concatenated_forecasts(tmp_path: Path) -> None:
    options = ["net={name: ridge, alpha: 0.5}", "scale=standard", "split.step=20"]  # they overlap

    rolled, unkept = (roll(tmp_path, *options, f"keep={keep}") for keep in ("forecasts", "metrics"))

    forecasts = [step for step in rolled.prepared.plan.steps.values() if step.op == "forecast"]
    files = [rolled.results[step.key].products["forecast"] for step in forecasts]
    made = np.concatenate([load_file(path)["test/forecast"] for path in files])
    spans = [split.targets("test") for split in rolled.splits()]
    origins = np.concatenate([np.arange(start, stop - HORIZON + 1) for start, stop in spans])
    truth = VALUES[origins[:, np.newaxis] + np.arange(HORIZON)]
    error = made.astype(np.float64) - truth
    naive = truth - VALUES[origins - 1][:, np.newaxis]
    for one in (rolled, unkept):
        pooled = one.metrics(one.pooled)
        assert pooled["mae"] == pytest.approx(np.abs(error).mean(), rel=1e-9)
        skill = 1 - np.sqrt(np.square(error).mean() / np.square(naive).mean())
        assert pooled["skill"] == pytest.approx(skill, abs=1e-9)


def test_each_fold_is_scaled_by_its_own_training(tmp_path: Path) -> None:
    rolled = roll(tmp_path)

    def scaled(split: Split) -> Floats:
        training = VALUES[slice(*split.train)]
        scale = np.abs(training[24:] - training[:-24]).mean()  # a season of hours is a day
        scaled: Floats = np.abs(errors(split, split.targets("test"), last)) / scale
        return scaled

    each = [scaled(split) for split in rolled.splits()]
    for key, own in zip(rolled.prepared.plan.scores, each, strict=True):
        assert rolled.metrics(key)["mase"] == pytest.approx(own.mean(), rel=1e-9)
    assert rolled.metrics(rolled.pooled)["mase"] == pytest.approx(np.mean(each), rel=1e-9)


def test_the_probe_takes_a_rolling_origin_as_one_split(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(SWEEP, encoding="utf-8")
    prepared = prepare(path, ["net=ridge,last", "split.refit=4"], None)

    verdicts = [
        verdict
        for _, small in small_runs(prepared.runs, prepared.datasets, prepared.files)
        for verdict in probe(small)
    ]

    assert {"load", "fit", "forecast"} <= {verdict.step.op for verdict in verdicts}
    assert not any(verdict.leaks for verdict in verdicts)
