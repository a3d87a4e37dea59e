"""A sweep is zip and parameters, then when, exclude, seeds and baselines, in this order."""

from itertools import product
from math import comb, prod
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from builders import BASE, WINDOW, complaint, small, sweep
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.nets.configs.feedforward import MLPConfig
from pyheta.nets.configs.recurrent import LSTMConfig
from pyheta.steps import canonical
from pyheta.sweep import Sweep
from pyheta.sweep.config import RunConfig
from pyheta.sweep.preprocessing import Decompose, Shaping


def values(read: Sweep, *keys: str) -> list[tuple[Any, ...]]:
    """What the runs of a sweep have at some dotted keys."""
    return [tuple(_at(run.config.as_json(), key) for key in keys) for run in read.runs()]


def _at(plain: dict[str, Any], key: str) -> Any:
    for part in key.split("."):
        plain = plain[part]
    return plain


def test_the_smallest_sweep_is_one_run_with_all_defaults(tmp_path: Path) -> None:
    (run,) = small(tmp_path).runs()

    assert (run.ordinal, run.seed, run.role) == (0, 0, "net")
    assert run.config.as_json() == {
        "dataset": {"name": "synthetic", "rows": 4000, "seed": 0},
        "target": "load",
        "exog": [],
        "split": {"train": 0.6, "val": 0.1, "test": 0.3},
        "window": {"input": 8, "horizon": 1},
        "scale": "standard",
        "net": {"name": "lstm", "instance_norm": False, "hidden": 64, "layers": 1, "dropout": 0.0},
        "train": {
            "optimizer": "adam",
            "lr": 0.001,
            "find_lr": False,
            "momentum": 0.9,
            "weight_decay": 0.0,
            "schedule": "constant",
            "step_epochs": 10,
            "step_factor": 0.1,
            "loss": "mse",
            "huber_delta": 1.0,
            "quantile": 0.5,
            "precision": "float32",
            "clip": None,
            "batch_size": 64,
            "epochs": 100,
            "weights": "best",
            "patience": 5,
            "min_delta": 0.0,
            "shuffle": True,
            "resumable": False,
        },
        "exog_form": "shaped",
        "decompose": Decompose().model_dump(),
        "shaping": Shaping().model_dump(),
        "components": {},
        "keep": "forecasts",
        "transform": "none",
    }


def test_axes_multiply_zips_first_and_the_last_axis_runs_fastest(tmp_path: Path) -> None:
    read = small(
        tmp_path,
        "parameters: {train.lr: [0.1, 0.2], train.epochs: [1, 2]}\n"
        "zip: {pair: {scale: [minmax, none], train.patience: [3, 4]}}\n"
        "seeds: 2\n",
    )

    assert read.axes == ("scale", "train.patience", "train.lr", "train.epochs")
    assert [run.seed for run in read.runs()] == 8 * [0, 1]
    assert values(read, *read.axes)[::2] == [
        (scale, patience, lr, epochs)
        for (scale, patience), lr, epochs in product(
            [("minmax", 3), ("none", 4)], [0.1, 0.2], [1, 2]
        )
    ]


@hypothesis_settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(1, 3), st.integers(0, 3))
def test_there_are_as_many_runs_as_the_axes_multiply_to(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], zipped: int, seeds: int
) -> None:
    keys = ["train.epochs", "train.patience", "train.batch_size"]
    axes = {key: list(range(1, size + 1)) for key, size in zip(keys, sizes, strict=False)}
    pair = {"net.hidden": list(range(1, zipped + 1)), "net.layers": zipped * [1]}

    read = small(
        tmp_path_factory.mktemp("sweep"),
        f"parameters: {canonical(axes)}\nzip: {{pair: {canonical(pair)}}}\nseeds: {seeds + 1}\n",
    )
    runs = read.runs()

    assert len(runs) == prod(sizes) * zipped * (seeds + 1)
    assert [run.ordinal for run in runs] == list(range(len(runs)))
    assert len({(canonical(run.config.as_json()), run.seed) for run in runs}) == len(runs)
    assert runs == sweep(read.path.parent, read.text).runs()


def test_the_ways_to_write_an_axis(tmp_path: Path) -> None:
    read = small(
        tmp_path,
        """
parameters:
  train.epochs: {min: 10, max: 30, num: 3}
  train.lr: {min: 1e-4, max: 1e-2, num: 3, distribution: log_uniform}
  train.min_delta: {values: [0.5, 1]}
  scale: {value: none}
""",
    )

    assert list(dict.fromkeys(values(read, "train.epochs"))) == [(10,), (20,), (30,)]
    assert list(dict.fromkeys(values(read, "train.lr"))) == [(0.0001,), (0.001,), (0.01,)]
    assert list(dict.fromkeys(values(read, "train.min_delta"))) == [(0.5,), (1.0,)]
    assert set(values(read, "scale")) == {("none",)}
    assert read.axes == ("train.epochs", "train.lr", "train.min_delta")


def test_subsets_grow_in_size_and_keep_the_order_of_the_columns(tmp_path: Path) -> None:
    read = small(tmp_path, "parameters: {exog: {subsets: [c, a, b], always: [z], max: 2}}\n")

    assert [exog for (exog,) in values(read, "exog")] == [
        ["z"],
        ["c", "z"],
        ["a", "z"],
        ["b", "z"],
        ["a", "c", "z"],
        ["b", "c", "z"],
        ["a", "b", "z"],
    ]


@hypothesis_settings(deadline=None, max_examples=20)
@given(st.integers(1, 6), st.integers(0, 6), st.integers(0, 6))
def test_the_power_set_has_as_many_members_as_it_should(
    tmp_path_factory: pytest.TempPathFactory, columns: int, least: int, more: int
) -> None:
    most = min(columns, least + more)
    names = [f"c{n}" for n in range(columns)]
    axis = {"subsets": names, "min": min(least, columns), "max": most}

    read = small(tmp_path_factory.mktemp("sweep"), f"parameters: {{exog: {canonical(axis)}}}\n")

    sizes = range(min(least, columns), most + 1)
    assert len(read.runs()) == sum(comb(columns, size) for size in sizes)


def test_a_net_is_short_for_its_name_and_its_other_options_stay(tmp_path: Path) -> None:
    read = sweep(
        tmp_path,
        BASE.replace("net: lstm", "net: {name: lstm, hidden: 32}")
        + WINDOW
        + "parameters: {net.name: [lstm, mlp]}\n",
    )

    lstm, mlp = (run.config.net for run in read.runs())

    assert lstm == LSTMConfig(hidden=32)
    assert mlp == MLPConfig(hidden=(32,))


def test_whole_nets_can_be_an_axis(tmp_path: Path) -> None:
    text = BASE.replace("  net: lstm\n", "") + WINDOW
    read = sweep(tmp_path, text + "parameters: {net: [ridge, {name: mlp, hidden: [8, 4]}]}\n")

    assert [run.config.net.name for run in read.runs()] == ["ridge", "mlp"]
    assert read.axes == ("net.name", "net.hidden")


@pytest.mark.parametrize(
    ("written", "section"),
    [
        ("synthetic", {"name": "synthetic", "rows": 4000, "seed": 0}),
        ("{name: synthetic, rows: 500}", {"name": "synthetic", "rows": 500, "seed": 0}),
        ("etth1", {"name": "etth1"}),
        ("etth1.csv", {"path": "etth1.csv"}),
        ("data/x", {"path": "data/x"}),
        ("{path: x.csv, time: when}", {"path": "x.csv", "time": "when"}),
    ],
)
def test_the_ways_to_write_a_data_set(
    tmp_path: Path, written: str, section: dict[str, Any]
) -> None:
    read = sweep(tmp_path, BASE.replace("dataset: synthetic", f"dataset: {written}") + WINDOW)

    (run,) = read.runs()
    assert run.config.as_json()["dataset"] == section
    assert run.config.dataset_key() == canonical(section)


def test_nested_and_dotted_keys_are_the_same(tmp_path: Path) -> None:
    nested = small(tmp_path, "  train: {lr: 0.5, epochs: 3}\n").runs()
    dotted = small(tmp_path, "  train.lr: 0.5\n  train.epochs: 3\n").runs()

    assert nested == dotted


def test_when_adds_axes_only_where_its_condition_holds(tmp_path: Path) -> None:
    read = small(
        tmp_path,
        """
parameters: {net.name: [lstm, mlp, ridge]}
when:
  - {if: {net: lstm, scale: standard}, parameters: {net.layers: [1, 2]}}
  - {if: {net.name: [mlp, ridge]}, parameters: {train.lr: [0.1, 0.2, 0.3]}}
""",
    )

    names = [name for (name,) in values(read, "net.name")]
    assert names == 2 * ["lstm"] + 3 * ["mlp"] + 3 * ["ridge"]
    assert read.axes == ("net.name", "net.layers", "train.lr")


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("{net.name: mlp}", 4),
        ("{net: mlp}", 4),
        ("{net.name: mlp, exog: []}", 7),
        ("{exog: [b, a]}", 6),
        ("{exog: [[a], [a, b]]}", 4),
        ("{net.name: [lstm, mlp], exog: [a]}", 6),
        ("{net: {name: lstm, hidden: 64}, train.epochs: 100.0}", 4),
        ("{scale: minmax}", 8),
    ],
)
def test_exclude_matches_what_is_written_and_the_defaults(
    tmp_path: Path, pattern: str, left: int
) -> None:
    read = small(
        tmp_path,
        f"parameters: {{net.name: [lstm, mlp], exog: {{subsets: [a, b]}}}}\nexclude: [{pattern}]\n",
    )

    assert len(read.runs()) == left


def test_baselines_come_last_once_for_each_question(tmp_path: Path) -> None:
    # Given two nets with two seeds on two sets of columns, and three windows
    read = small(
        tmp_path,
        """
seeds: [7, 8]
parameters: {net.name: [lstm, mlp], exog: [[], [a]], window.horizon: [1, 2, 3]}
""",
        ["baselines=last,ridge"],
    )

    nets, baselines = read.runs()[:24], read.runs()[24:]

    # Then the last value runs once for each horizon, ridge for each set of columns too
    assert {run.role for run in nets} == {"net"}
    assert {(run.role, run.seed) for run in baselines} == {("baseline", 7)}
    assert sorted(run.config.net.name for run in baselines) == 3 * ["last"] + 6 * ["ridge"]
    assert [run.ordinal for run in read.runs()] == list(range(33))
    assert all(run.config.exog == () for run in baselines if run.config.net.name == "last")


def test_a_baseline_that_the_sweep_runs_anyway_is_not_added_again(tmp_path: Path) -> None:
    read = small(tmp_path, "parameters: {net.name: [last, ridge]}\n", ["baselines=last,ridge"])

    assert [(run.config.net.name, run.role) for run in read.runs()] == [
        ("last", "net"),
        ("ridge", "net"),
    ]


def test_without_a_word_about_them_there_are_four_baselines(tmp_path: Path) -> None:
    read = sweep(tmp_path, BASE.replace("baselines: []\n", "") + WINDOW)

    nets = [run.config.net.name for run in read.runs()]
    assert nets == ["lstm", "last", "seasonal", "drift", "ridge"]
    assert read.default_baselines
    assert not small(tmp_path).default_baselines


@pytest.mark.parametrize(
    "name", ["Müller", "Mu\u0308ller", "температура", "気温", "हिन्दी", "2020-01-01", "x._-"]
)
def test_a_name_has_letters_of_any_script_in_their_composed_form(tmp_path: Path, name: str) -> None:
    read = sweep(tmp_path, BASE.replace("small", f'"{name}"') + WINDOW)

    assert read.name == normalize("NFC", name)


def test_a_run_knows_where_its_values_are_written(tmp_path: Path) -> None:
    read = small(tmp_path, "parameters:\n  exog: [[], [a]]\n", ["train.lr=0.5"])

    run = read.runs()[1]

    assert run.where("exog") == f"{read.path}:9:14"
    assert run.where("window") == f"{read.path}:7:19"
    assert run.where("train.lr") == "command line, train.lr=0.5"
    assert run.where("scale") == ""


@given(st.sampled_from(["lstm", "mlp", "ridge", "last", "seasonal"]), st.integers(1, 99))
@hypothesis_settings(deadline=None, max_examples=20)
def test_reducing_a_run_twice_is_reducing_it_once(
    tmp_path_factory: pytest.TempPathFactory, net: dict[str, Any], window: int
) -> None:
    read = small(
        tmp_path_factory.mktemp("sweep"),
        overrides=[f"net={net}", f"window.input={window}", "exog=[a, b]", "train.lr=0.5"],
    )
    config = read.runs()[0].config

    once = config.reduced()

    assert once.reduced() == once
    assert RunConfig.model_validate(once.as_json()) == once


def test_a_hundred_thousand_runs_expand(tmp_path: Path) -> None:
    read = small(
        tmp_path,
        """
run_cap: 100000
seeds: 5
parameters:
  exog: {subsets: [a, b, c]}
  net.hidden: {min: 1, max: 50, num: 50}
  train.batch_size: {min: 1, max: 50, num: 50}
""",
    )

    assert len(read.runs()) == 100_000
    assert len({id(run.config.train) for run in read.runs()}) == 50  # sections are shared


# ---- targets -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "targets"), [("OT", ("OT",)), ("[OT]", ("OT",)), ("[OT, HUFL]", ("OT", "HUFL"))]
)
def test_a_target_is_a_column_or_a_list_that_one_net_forecasts_together(
    tmp_path: Path, written: str, targets: tuple[str, ...]
) -> None:
    (run,) = small(tmp_path, "", [f"target={written}"]).runs()

    assert run.config.target == targets
    assert run.config.as_json()["target"] == ("OT" if len(targets) == 1 else list(targets))


@pytest.mark.parametrize(
    ("axis", "targets"),
    [
        ("[OT, HUFL]", [("OT",), ("HUFL",)]),
        ("[[OT, HUFL], [LULL]]", [("OT", "HUFL"), ("LULL",)]),
        ("[[OT, HUFL], [HUFL, OT]]", [("OT", "HUFL"), ("HUFL", "OT")]),
    ],
)
def test_an_axis_of_targets_has_columns_or_lists_as_values(
    tmp_path: Path, axis: str, targets: list[tuple[str, ...]]
) -> None:
    text = BASE.replace("  target: load\n", "") + WINDOW + f"parameters: {{target: {axis}}}\n"

    read = sweep(tmp_path, text)

    assert [run.config.target for run in read.runs()] == targets
    assert read.axes == ("target",)


def test_a_column_and_a_list_of_it_alone_are_one_value(tmp_path: Path) -> None:
    text = BASE.replace("  target: load\n", "") + WINDOW + "parameters: {target: [OT, [OT]]}\n"

    assert "target: duplicate value" in complaint(tmp_path, text)


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("{target: [[OT], [HUFL, OT]]}", [("HUFL",)]),
        ("{target: [HUFL, OT]}", [("OT",), ("HUFL",)]),
        ("{target: HUFL}", [("OT",), ("HUFL", "OT")]),
    ],
)
def test_a_list_in_a_pattern_means_the_targets_together(
    tmp_path: Path, pattern: str, left: list[tuple[str, ...]]
) -> None:
    text = BASE.replace("  target: load\n", "") + WINDOW

    read = sweep(
        tmp_path, text + f"parameters: {{target: [OT, HUFL, [HUFL, OT]]}}\nexclude: [{pattern}]\n"
    )

    assert [run.config.target for run in read.runs()] == left


@pytest.mark.parametrize("pattern", ["{net.alpha: 0.001}", "{net.alpha: [0.001]}"])
def test_one_penalty_of_ridge_is_matched_however_it_is_written(
    tmp_path: Path, pattern: str
) -> None:
    text = (
        "parameters: {net: [{name: ridge, alpha: 0.001}, {name: ridge, alpha: [1, 2]}]}\n"
        f"exclude: [{pattern}]\n"
    )
    read = sweep(tmp_path, BASE.replace("  net: lstm\n", "") + WINDOW + text)

    assert [vars(run.config.net)["alpha"] for run in read.runs()] == [(1.0, 2.0)]


def test_a_shared_ridge_sees_no_exogenous_column(tmp_path: Path) -> None:
    read = small(tmp_path, "  exog: [a]\n", ["net={name: ridge, per_channel: true}"])

    (run,) = read.runs()

    assert run.config.reduced().exog == ()


@pytest.mark.parametrize(
    ("net", "method"),
    [
        ("last", "none"),
        ("seasonal", "none"),
        ("{name: ridge, per_channel: true}", "emd"),
        ("dlinear", "emd"),
    ],
)
def test_a_decomposition_matters_to_whatever_learns(tmp_path: Path, net: str, method: str) -> None:
    (run,) = small(tmp_path, "  decompose: emd\n", [f"net={net}"]).runs()

    assert run.config.reduced().decompose.method == method
