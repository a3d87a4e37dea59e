"""Transforms in a plan: what they share, what they cannot be taken of, and what needs one."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from builders import complaint
from builders import sweep as read

from pyheta.errors import SweepError
from pyheta.pipeline.arrays import Floats
from pyheta.plan.prepare import CheckedSweep, prepare

ROWS = 1000
SWEEP = """\
name: small
config:
  dataset: data.csv
  target: y
  exog: []
  split: {train: 600, val: 100, test: 200}
  window: {input: 8}
  net: lstm
"""


def plan(folder: Path, overrides: Sequence[str] = (), **columns: Floats) -> CheckedSweep:
    """The plan of a sweep on hourly columns; y is positive noise where nothing is said of it."""
    given = {"y": noise() + 100} | columns
    hours = pl.datetime_range(
        pl.datetime(2020, 1, 1), pl.datetime(2021, 1, 1), "1h", time_unit="us", eager=True
    )
    pl.DataFrame({"date": hours.head(ROWS)} | given).write_csv(folder / "data.csv")
    (folder / "sweep.yaml").write_text(SWEEP, encoding="utf-8")
    return prepare(folder / "sweep.yaml", overrides, None)


def noise(seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=ROWS)


def hour(row: int) -> str:
    return f"(2020-{1 + row // 744:02}-{1 + row // 24 % 31:02} {row % 24:02}:00:00)"


# ---- steps ---------------------------------------------------------------------------------------


def test_a_transform_makes_fits_for_nets_that_learn_and_none_for_others(tmp_path: Path) -> None:
    nets = "net.name=lstm,ridge,last,seasonal,drift"

    prepared = plan(tmp_path, [nets, "transform=none,diff,log"])

    fits = [step.params for step in prepared.plan.steps.values() if step.op == "fit"]
    assert Counter(params["net"]["name"] for params in fits) == {
        "lstm": 3,
        "ridge": 3,
        "last": 1,
        "seasonal": 1,
        "drift": 1,
    }
    for name in ("lstm", "ridge"):
        of_net = [params.get("transform") for params in fits if params["net"]["name"] == name]
        assert of_net == [None, "diff", "log"]


def test_every_transform_has_the_same_baselines(tmp_path: Path) -> None:
    prepared = plan(tmp_path, ["transform=none,diff,returns"])

    baselines = [run.config for run in prepared.runs if run.role == "baseline"]
    assert [config.net.name for config in baselines] == ["last", "seasonal", "drift", "ridge"]
    assert {config.transform for config in baselines} == {"none"}


def test_a_ridge_of_changes_is_not_the_baseline(tmp_path: Path) -> None:
    prepared = plan(tmp_path, ["net.name=ridge,last", "transform=none,diff"])

    named = [(run.config.net.name, run.config.transform) for run in prepared.runs]
    as_baselines = [named[ordinal] for ordinal in prepared.as_baselines]
    assert as_baselines == [("ridge", "none"), ("last", "none"), ("last", "diff")]
    assert [name for name, _ in named[4:]] == ["seasonal", "drift"]


def test_without_a_transform_keys_are_as_if_there_were_none(tmp_path: Path) -> None:
    prepared = plan(tmp_path, ["transform=none"])

    assert not any("transform" in step.params for step in prepared.plan.steps.values())


# ---- what is refused -----------------------------------------------------------------------------


def refusal(folder: Path, overrides: Sequence[str], **columns: Floats) -> str:
    with pytest.raises(SweepError) as caught:
        plan(folder, overrides, **columns)
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("method", "value", "needed"),
    [("log", -3.0, "above 0"), ("log_diff", 0.0, "above 0"), ("returns", 0.0, "other than 0")],
)
@pytest.mark.parametrize("row", [0, 5, 599, 650, 899])
def test_a_value_without_a_transform_is_named_with_its_row(
    tmp_path: Path, method: str, value: float, needed: str, row: int
) -> None:
    y = noise() + 100
    y[[row, 899]] = value

    said = refusal(tmp_path, [f"transform={method}"], y=y)

    place = f"row {row + 1:,} of the table {hour(row)}"
    assert said == (
        f"command line, transform={method}: column 'y' is {value:g} in {place}, and {method} needs "
        f"values {needed}; use transform: diff, or rows without such values (`from` and `to` under "
        "dataset)"
    )


def test_each_target_is_looked_at_and_no_other_column(tmp_path: Path) -> None:
    below = noise() - 100

    said = refusal(tmp_path, ["target=[y,z]", "transform=log"], z=below)

    assert "column 'z' is" in said
    plan(tmp_path, ["exog=[z]", "transform=log"], z=below)


def test_rows_that_are_not_used_and_nets_that_take_no_transform_do_not_matter(
    tmp_path: Path,
) -> None:
    y = noise() + 100
    y[900:] = 0.0
    plan(tmp_path, ["transform=log,log_diff,returns"], y=y)

    plan(tmp_path, ["net=last", "transform=log"], y=noise())


@pytest.mark.parametrize("nets", ["one", "each"])
def test_what_is_decomposed_is_not_transformed_too(tmp_path: Path, nets: str) -> None:
    overrides = [f"decompose={{method: emd, nets: {nets}, window: 64}}", "transform=diff"]
    wide = ["exog=[z]"]

    said = refusal(tmp_path, [*overrides, *wide], z=noise(1))

    assert said == (
        "command line, transform=diff: transform: diff changes what decompose: emd splits, and a "
        "run does one; leave one out, or of two axes this: exclude: [{transform: diff, "
        "decompose.method: emd}]"
    )


def test_of_two_axes_the_runs_that_do_one_of_both_remain(tmp_path: Path) -> None:
    window = "  decompose.window: 64\n"
    axes = "parameters: {transform: [none, diff], decompose.method: [none, emd]}\n"
    said = "exclude: [{transform: diff, decompose.method: emd}]\n"
    plan(tmp_path)
    (tmp_path / "sweep.yaml").write_text(
        SWEEP + window + axes + said + "baselines: []\n", encoding="utf-8"
    )

    prepared = prepare(tmp_path / "sweep.yaml", [], None)

    pairs = [(run.config.transform, run.config.decompose.method) for run in prepared.runs]
    assert pairs == [("none", "none"), ("none", "emd"), ("diff", "none")]


def test_a_decomposition_that_cannot_matter_is_no_reason_to_refuse(tmp_path: Path) -> None:
    plan(
        tmp_path,
        ["net=nlinear", "decompose={method: emd, nets: one, window: 64}", "transform=diff"],
    )


def test_an_unknown_transform_and_one_of_a_component_are_refused(tmp_path: Path) -> None:
    plan(tmp_path)

    assert "transform" in complaint(tmp_path, SWEEP + "  transform: difference\n")
    said = complaint(tmp_path, SWEEP + "  components: {IMF0: {transform: diff}}\n")
    assert "a component has no 'transform' of its own" in said
    assert read(tmp_path, SWEEP + "  transform: returns\n").runs()[0].config.transform == "returns"


def test_the_first_change_is_one_row_later(tmp_path: Path) -> None:
    tight = ["split={train: 9, val: 10, test: 200}", "baselines=[]"]
    plan(tmp_path, tight)

    said = refusal(tmp_path, [*tight, "transform=diff"])

    assert "the train part has 9 of 1,000 rows (1 of them before the diff of 'y' is known)" in said


# ---- what needs one ------------------------------------------------------------------------------


def rising(slope: float = 0.05) -> Floats:
    return 100 + slope * np.arange(ROWS) + noise()


def remarks(folder: Path, overrides: Sequence[str] = (), **columns: Any) -> Sequence[str]:
    return plan(folder, overrides, **columns).remarks


@pytest.mark.parametrize(("slope", "side"), [(0.05, "above"), (-0.05, "below")])
def test_a_level_that_training_never_saw_is_said_once(
    tmp_path: Path, slope: float, side: str
) -> None:
    (said,) = remarks(tmp_path, ["net.name=lstm,mlp,nlinear", "seeds=3"], y=rising(slope))

    assert said == (
        f"y: 100 % of the test values lie {side} 99 % of the training values. lstm, mlp may miss "
        "levels that training never saw: try transform: diff, or net.instance_norm: true."
    )


def test_of_several_targets_the_one_that_moves_most_is_named(tmp_path: Path) -> None:
    (said,) = remarks(tmp_path, ["target=[x,y,z]"], x=noise(2), y=rising(0.01), z=rising())

    assert said.startswith("z: 100 % of the test values lie above 99 % of the training values, and")
    assert "and those of 1 other target likewise." in said


@pytest.mark.parametrize(
    "overrides",
    [
        ["transform=diff"],
        ["transform=none,diff"],
        ["net.instance_norm=true"],
        ["net.instance_norm=true,false"],
        ["net.name=nlinear,rlinear,patchtst", "window.input=16"],
        ["net=last"],
    ],
    ids=" ".join,
)
def test_nothing_is_said_where_something_is_done_or_only_naive_nets_run(
    tmp_path: Path, overrides: list[str]
) -> None:
    assert not remarks(tmp_path, overrides, y=rising())


def test_logarithms_have_a_level_too(tmp_path: Path) -> None:
    assert remarks(tmp_path, ["transform=log"], y=rising())


def test_another_net_does_not_speak_for_one_that_goes_by_the_level(tmp_path: Path) -> None:
    (said,) = remarks(tmp_path, ["net.name=lstm,nlinear"], y=rising())

    assert ". lstm may miss" in said


@pytest.mark.parametrize(
    "y",
    [
        noise(),
        noise() + 30 * np.sin(2 * np.pi * np.arange(ROWS) / 200),
        np.where(noise() > 1.5, noise(), 0.0),  # mostly zeros
        np.where(np.arange(ROWS) == 400, 1234.5, noise()),  # one outlier in training
        rising(0.0005),
    ],
    ids=["noise", "waves", "intermittent", "outlier", "gentle"],
)
def test_nothing_is_said_of_a_series_that_stays_where_it_was(tmp_path: Path, y: Floats) -> None:
    assert not remarks(tmp_path, y=y)


def test_one_outlier_hides_no_trend(tmp_path: Path) -> None:
    assert remarks(tmp_path, y=np.where(np.arange(ROWS) == 400, 1234.5, rising()))
