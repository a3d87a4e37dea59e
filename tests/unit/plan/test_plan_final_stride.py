"""What `split.final`, which trains nets once more, and `window.stride` change of a plan."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from builders import BASE, WINDOW, complaint, facts, small, sweep

from pyheta.errors import SweepError
from pyheta.plan.checks import check_runs
from pyheta.plan.compile import Plan, compile_plan
from pyheta.steps import Step

FACTS = facts("load", "a")


def plan(tmp_path: Path, text: str = "", overrides: Sequence[str] = ()) -> Plan:
    runs = small(tmp_path, text, overrides).runs()
    return compile_plan(runs, {run.config.dataset_key(): FACTS for run in runs})


def steps(compiled: Plan, op: str) -> list[Step]:
    return [step for step in compiled.steps.values() if step.op == op]


@pytest.mark.parametrize("default", ["window.stride=1", "split.final=train"])
def test_a_default_that_is_written_changes_no_key_and_no_record(
    tmp_path: Path, default: str
) -> None:
    (plain,), (written,) = small(tmp_path).runs(), small(tmp_path, "", [default]).runs()

    assert plan(tmp_path, "", [default]).steps.keys() == plan(tmp_path).steps.keys()
    assert written.config.as_json() == plain.config.as_json()
    assert plain.config.as_json()["split"].keys() == {"train", "val", "test"}
    assert plain.config.as_json()["window"].keys() == {"input", "horizon"}


@pytest.mark.parametrize("net", ["lstm", "ridge", "last"])
@pytest.mark.parametrize("keep", ["forecasts", "metrics"])
def test_a_stride_adds_no_fit(tmp_path: Path, net: str, keep: str) -> None:
    text = f"  keep: {keep}\nparameters:\n  window.stride: [1, 6, 24]\n"
    compiled = plan(tmp_path, text, [f"net={net}"])

    assert compiled.distinct["fit"] == 1
    assert compiled.distinct["forecast"] == (3 if keep == "forecasts" else 0)
    assert [step.params.get("stride") for step in steps(compiled, "score")] == [None, 6, 24]


def test_a_score_is_the_same_step_whether_or_not_its_forecasts_are_kept(tmp_path: Path) -> None:
    kept, alone = (
        plan(tmp_path, f"  keep: {keep}\n", ["window.stride=6"])
        for keep in ("forecasts", "metrics")
    )

    assert [it.key for it in steps(kept, "score")] == [it.key for it in steps(alone, "score")]


def test_a_final_net_is_part_of_a_fit_that_only_its_like_are_bundled_with(tmp_path: Path) -> None:
    text = "parameters:\n  split.final: [train, train+val]\n"
    compiled = plan(tmp_path, text)
    plain, twice = steps(compiled, "fit")

    assert (plain.params.get("final"), twice.params.get("final")) == (None, True)
    assert plain.bundle != twice.bundle
    assert plain.course == twice.course  # the epochs that validation judges are the same
    assert compiled.distinct == Counter(load=1, fit=2, forecast=2, score=2)


def test_what_learns_nothing_is_not_trained_once_more(tmp_path: Path) -> None:
    text = "parameters:\n  net.name: [last, seasonal, drift]\n  split.final: [train, train+val]\n"

    assert plan(tmp_path, text).distinct == Counter(load=1, fit=3, forecast=3, score=3)


def test_each_component_has_a_final_net_but_for_those_that_learn_nothing(tmp_path: Path) -> None:
    text = "  decompose: {method: emd, max_imf: 1}\n  components: {Residue: {net: last}}\n"

    fits = steps(plan(tmp_path, text, ["split.final=train+val"]), "fit")

    final = {step.params["component"]: step.params.get("final") for step in fits}
    assert final == {"IMF0": True, "Residue": None}


def test_baselines_that_learn_are_trained_once_more_too(tmp_path: Path) -> None:
    text = BASE.replace("baselines: []", "baselines: [last, ridge]") + WINDOW
    text += "  split: {train: 0.6, val: 0.2, test: 0.2, final: train+val}\n"
    runs = sweep(tmp_path, text).runs()

    assert {run.config.net.name: run.config.split.final for run in runs} == {
        "lstm": "train+val",
        "last": "train",
        "ridge": "train+val",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  split: {final: val}\n", "split.final"),
        ("  split: {final: train + val}\n", "split.final"),
        ("parameters:\n  window.stride: [0]\n", "window.stride"),
        ("parameters:\n  window.stride: [-1]\n", "window.stride"),
        ("parameters:\n  window.stride: [1.5]\n", "window.stride"),
        ("  components: {IMF0: {window.stride: 2}}\n", "no 'window.stride' of its own"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert said in complaint(tmp_path, BASE + WINDOW + text)


def test_a_stride_that_leaves_no_forecast_of_training_is_refused(tmp_path: Path) -> None:
    runs = small(tmp_path, "", ["window.stride=2400"]).runs()

    with pytest.raises(SweepError) as caught:
        check_runs(runs, {run.config.dataset: FACTS for run in runs})

    assert str(caught.value) == (
        "command line, window.stride=2400: a forecast every 2,400 rows leaves none in the train "
        "part, which ends in row 2,400; use a smaller stride"
    )
    runs = small(tmp_path, "", ["window.stride=2399"]).runs()
    check_runs(runs, {run.config.dataset: FACTS for run in runs})
