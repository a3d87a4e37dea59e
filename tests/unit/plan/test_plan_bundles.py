"""Which nets may be trained together: those that have the same shape, batches and data set.

And which go the same way: those that differ in how far they go.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest
from builders import facts, small

from pyheta.plan.compile import compile_plan
from pyheta.steps import Step

FACTS = facts("load", "a", "b", "c")


def steps(tmp_path: Path, text: str, op: str = "fit") -> Sequence[Step]:
    runs = small(tmp_path, text).runs()
    plan = compile_plan(runs, {run.config.dataset_key(): FACTS for run in runs})
    return [step for step in plan.steps.values() if step.op == op]


@pytest.mark.parametrize(
    "axis",
    [
        "train.lr: [1.0e-3, 2.0e-3]",
        "train.epochs: [10, 20]",
        "train.patience: [3, 4]",
        "train.min_delta: [0.0, 0.1]",
        "scale: [minmax, standard]",
        "exog: [[a], [b]]",
        "exog: [[a], [a, b]]",
        "decompose.method: [none, emd]",
    ],
)
def test_nets_that_differ_in_no_shape_may_be_trained_together(tmp_path: Path, axis: str) -> None:
    fits = steps(tmp_path, f"seeds: 2\nparameters:\n  {axis}\n")

    assert len(fits) >= 4
    assert len({fit.bundle for fit in fits}) == 1
    assert fits[0].bundle is not None


@pytest.mark.parametrize(
    "axis",
    [
        "net.hidden: [8, 16]",
        "net.name: [lstm, mlp]",
        "window.horizon: [1, 2]",
        "train.batch_size: [32, 64]",
        "train.shuffle: [true, false]",
        "split: [{train: 0.6, val: 0.2, test: 0.2}, {train: 0.5, val: 0.2, test: 0.3}]",
    ],
)
def test_nets_of_other_shapes_or_batches_are_trained_apart(tmp_path: Path, axis: str) -> None:
    fits = steps(tmp_path, f"parameters:\n  {axis}\n")

    assert len({fit.bundle for fit in fits}) == 2


def test_nets_that_are_not_trained_by_gradient_are_computed_by_kind(tmp_path: Path) -> None:
    text = "parameters:\n  net.name: [ridge, last]\n  exog: [[], [a]]\n"

    fits = {step.params["net"]["name"]: step.bundle for step in steps(tmp_path, text)}

    assert len({bundle for bundle in fits.values() if bundle}) == 2


@pytest.mark.parametrize("op", ["forecast", "score"])
def test_forecasts_are_computed_together_and_so_are_scores(tmp_path: Path, op: str) -> None:
    (bundle,) = {step.bundle for step in steps(tmp_path, "seeds: 2\n", op)}
    assert bundle


def test_a_data_set_is_loaded_alone(tmp_path: Path) -> None:
    assert {step.bundle for step in steps(tmp_path, "seeds: 2\n", "load")} == {None}


def test_parts_that_are_as_long_as_each_other_may_be_trained_together(tmp_path: Path) -> None:
    same = "{train: 1000, val: 200, test: 300}, {train: 1000, val: 200, test: 500}"
    (bundle,) = {fit.bundle for fit in steps(tmp_path, f"parameters:\n  split: [{same}]\n")}
    assert bundle


@pytest.mark.parametrize(
    ("net", "bundles"),
    [("lstm", 1), ("gru", 1), ("mlp", 1), ("tcn", 2), ("tsmixer", 2), ("itransformer", 2)],
)
def test_nets_may_read_different_columns_where_zeros_can_stand_for_a_column(
    tmp_path: Path, net: str, bundles: int
) -> None:
    fits = steps(tmp_path, f"seeds: 1\nparameters:\n  net.name: [{net}]\n  exog: [[a], [a, b]]\n")

    assert len(fits) == 2
    assert len({fit.bundle for fit in fits}) == bundles


@pytest.mark.parametrize(
    ("axis", "courses"),
    [
        ("train.epochs: [10, 20]", 1),
        ("train.patience: [3, 4]", 1),
        ("train.resumable: [false, true]", 1),
        ("train.lr: [1.0e-3, 2.0e-3]", 2),
        ("train.min_delta: [0.0, 0.1]", 2),
        ("net.hidden: [8, 16]", 2),
        ("exog: [[a], [b]]", 2),
    ],
)
def test_nets_that_differ_in_how_far_they_go_are_of_one_course(
    tmp_path: Path, axis: str, courses: int
) -> None:
    fits = steps(tmp_path, f"seeds: 1\nparameters:\n  {axis}\n")

    assert len(fits) == 2
    assert len({fit.course for fit in fits}) == courses
    assert None not in {fit.course for fit in fits}


def test_each_seed_goes_its_own_way(tmp_path: Path) -> None:
    fits = steps(tmp_path, "seeds: 2\nparameters:\n  train.epochs: [10, 20]\n")

    assert len(fits) == 4
    assert len({fit.course for fit in fits}) == 2


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_nets_whose_rates_are_made_for_so_many_epochs_have_no_course(
    tmp_path: Path, schedule: str
) -> None:
    fits = steps(tmp_path, f"seeds: 1\nparameters:\n  train.schedule: [{schedule}]\n")

    assert [fit.course for fit in fits] == [None]


def test_nets_that_are_solved_have_no_course(tmp_path: Path) -> None:
    fits = steps(tmp_path, "seeds: 1\nparameters:\n  net.name: [ridge]\n")

    assert [fit.course for fit in fits] == [None]


def test_nobody_knows_the_course_of_a_net_of_ones_own(tmp_path: Path) -> None:
    net = "'mynets:Net'"
    fits = steps(tmp_path, f"seeds: 1\nparameters:\n  net: [{{name: {net}}}]\n")

    assert [fit.course for fit in fits] == [None]
