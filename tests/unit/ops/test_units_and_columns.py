"""What a run says depends neither on units nor on the order of columns, nor on unused ones."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.nets.checkpoint import Checkpoint
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.decomposition.methods import METHODS
from pyheta.plan.prepare import prepare
from pyheta.plan.probe import execute, small_runs
from pyheta.task import Result

ROWS = 400
SWEEP = """
name: s
baselines: []
config:
  dataset: data.csv
  target: y
  exog: [a, b]
  split: {train: 0.6, val: 0.2, test: 0.2}
  window: {input: 6, horizon: 2}
  net: ridge
  train: {epochs: 1}
  decompose: {window: 64, max_imf: 2, trials: 3, period: 24}
  shaping: farm
"""
UNUSED = ("left", "right")


def columns() -> dict[str, Floats]:
    """A day's wave with something that remembers its past, two that follow it, two that do not."""
    random, hours = np.random.default_rng(0), np.arange(ROWS)
    y = 8 * np.sin(2 * np.pi * hours / 24) + 0.5 * random.normal(size=ROWS).cumsum()
    noise = random.normal(size=(4, ROWS))
    return {"y": y, "a": y + noise[0], "b": noise[1] - y, "left": noise[2], "right": noise[3]}


def computed(
    folder: Path, series: dict[str, Floats], overrides: Sequence[str] = ()
) -> dict[str, Result]:
    """The results of a run's steps, by operation, component and column."""
    hours = pl.datetime_range(
        pl.datetime(2020, 1, 1), pl.datetime(2021, 1, 1), "1h", eager=True
    ).head(ROWS)
    pl.DataFrame({"date": hours} | series).write_csv(folder / "data.csv")
    (folder / "sweep.yaml").write_text(SWEEP, encoding="utf-8")
    prepared = prepare(folder / "sweep.yaml", overrides, None)
    ((_, small),) = small_runs(prepared.runs, prepared.datasets, prepared.files)
    results = execute(small.steps, small.frame, folder / "out")
    return {named(step.op, step.params): results[step.key] for step in small.steps}


def named(op: str, params: Any) -> str:
    return " ".join((op, params.get("component", ""), params.get("column", "")))


def metrics(results: dict[str, Result]) -> dict[tuple[str, str, int], float]:
    return {(m.split, m.name, m.horizon): m.value for m in results["score  "].metrics}


def learned(results: dict[str, Result]) -> dict[str, Floats]:
    """Everything that the fits have learned."""
    return {
        f"{name}/{weight}": values
        for name, result in results.items()
        if name.startswith("fit")
        for weight, values in Checkpoint.read(result.products["weights"]).state.items()
    }


# ------------------------------------------------------------------------------------------- units

CELSIUS_IN = {"K": (1.0, 273.15), "°F": (1.8, 32.0), "far": (1e-3, 1e4)}


@pytest.mark.parametrize("method", METHODS)
def test_a_temperature_is_forecast_as_well_in_every_unit(method: str, tmp_path: Path) -> None:
    # Given one temperature, and columns of its unit, in °C and in other units
    series = columns()
    number = count()

    def skill(k: float, c: float) -> dict[tuple[str, str, int], float]:
        folder = tmp_path / str(next(number))
        folder.mkdir()
        told = {name: k * values + c for name, values in series.items()}
        return metrics(computed(folder, told, [f"decompose.method={method}"]))

    celsius = skill(1.0, 0.0)

    # Then skill is the same in all of them, and errors are in the unit
    for k, c in CELSIUS_IN.values():
        other = skill(k, c)
        for name, scale in (("skill", 1.0), ("rmse_scaled", 1.0), ("rmse", k), ("mae", k)):
            found, want = other["test", name, 0], scale * celsius["test", name, 0]
            assert found == pytest.approx(want, rel=2e-6, abs=1e-6 * scale)


# ----------------------------------------------------------------------------------------- columns


@pytest.mark.parametrize("net", ["ridge", "mlp"])
@pytest.mark.parametrize("method", ["none", "emd"])
@hypothesis_settings(max_examples=4, deadline=None)
@given(
    order=st.permutations(["y", "a", "b", *UNUSED]),
    left_out=st.sets(st.sampled_from(UNUSED)),
    exog=st.sampled_from(["[a,b]", "[b,a]", "[b*,a*]"]),
)
def test_neither_the_order_of_columns_nor_unused_ones_change_a_bit(
    net: str, method: str, order: list[str], left_out: set[str], exog: str
) -> None:
    # Given the same series in a file of other columns in another order
    asis = columns()
    moved = {name: asis[name] for name in order if name not in left_out}
    overrides = [f"net={net}", f"decompose.method={method}"]

    with TemporaryDirectory() as one, TemporaryDirectory() as two:
        want = computed(Path(one), asis, overrides)
        found = computed(Path(two), moved, [*overrides, f"exog={exog}"])

        # Then relevance, weights and metrics are the same to the last bit
        assert found.keys() == want.keys()
        assert metrics(found) == metrics(want)
        assert learned(found).keys() == learned(want).keys()
        for name, weights in learned(want).items():
            np.testing.assert_array_equal(learned(found)[name], weights)
        for name in (name for name in want if name.startswith("relevance")):
            assert found[name].summary == want[name].summary
