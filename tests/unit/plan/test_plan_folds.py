"""Folds of a rolling origin are runs, which share all that does not tell them apart."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import facts, small

from pyheta.errors import SweepError, SweepErrors
from pyheta.pipeline.data.content import Content
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.plan.compile import Plan, compile_plan
from pyheta.plan.notes import split_notes, split_remarks
from pyheta.plan.resolve import complete
from pyheta.section import Section
from pyheta.steps import Key, Step
from pyheta.sweep import Run

ROWS = 2000
FACTS = facts("load", "a", rows=ROWS)
FOLDS = "  split: {train: 800, val: 100, test: 100, folds: 8}\n"


def runs_of(folder: Path, text: str, overrides: Sequence[str] = ()) -> list[Run]:
    return small(folder, text, overrides).runs()


def plan(
    folder: Path, text: str, overrides: Sequence[str] = (), given: DatasetFacts = FACTS
) -> Plan:
    runs = runs_of(folder, text, overrides)
    return compile_plan(runs, {run.config.dataset_key(): given for run in runs})


def facts_of(runs: Sequence[Run]) -> dict[Section, DatasetFacts]:
    return {run.config.dataset: FACTS for run in runs}


def steps(compiled: Plan, op: str) -> dict[Key, Step]:
    return {key: step for key, step in compiled.steps.items() if step.op == op}


def test_folds_are_repeated_like_seeds(tmp_path: Path) -> None:
    text = FOLDS + "seeds: 3\nparameters: {train.lr: [0.1, 0.2]}\nbaselines: [last]\n"
    runs = runs_of(tmp_path, text.replace("baselines: [last]\n", ""), ["baselines=last"])

    assert [(run.role, run.seed, run.fold) for run in runs] == [
        *2 * [("net", seed, fold) for seed in range(3) for fold in range(8)],
        *(("baseline", 0, fold) for fold in range(8)),
    ]
    assert [run.ordinal for run in runs] == list(range(56))


def test_a_run_without_a_rolling_origin_is_no_fold(tmp_path: Path) -> None:
    (run,) = runs_of(tmp_path, "")

    assert run.fold is None
    assert plan(tmp_path, "").pooled == [None]


def test_the_cap_counts_folds(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="run_cap is 15"):
        runs_of(tmp_path, FOLDS + "seeds: 2\nrun_cap: 15\n")
    assert len(runs_of(tmp_path, FOLDS + "seeds: 2\nrun_cap: 16\n")) == 16


def test_an_axis_may_set_the_number_of_folds(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, "parameters: {split.folds: [2, 3]}\n")

    assert [run.fold for run in runs] == [0, 1, 0, 1, 2]


def test_each_fold_has_its_score_and_all_have_one_together(tmp_path: Path) -> None:
    compiled = plan(tmp_path, FOLDS + "seeds: 2\n")

    assert compiled.distinct == Counter(load=1, fit=16, forecast=16, score=18)
    assert compiled.asked == Counter(load=16, fit=16, forecast=16, score=18)
    assert len(set(compiled.scores)) == 16
    assert [compiled.pooled[run] for run in (0, 8)] == list(dict.fromkeys(compiled.pooled))
    for first, pooled in ((0, compiled.pooled[0]), (8, compiled.pooled[8])):
        assert pooled
        of_folds = compiled.scores[first : first + 8]
        together = compiled.steps[pooled]
        assert together.params["folds"] == [
            compiled.steps[key].params["folds"][0] for key in of_folds
        ]
        assert [together.needs[f"{number}/forecast"] for number in range(8)] == [
            compiled.steps[key].needs["0/forecast"] for key in of_folds
        ]


def test_needs_come_first(tmp_path: Path) -> None:
    text = FOLDS + "  decompose: {method: emd, window: 64, max_imf: 1}\n"
    for override in ("keep=metrics", "keep=forecasts"):
        seen: set[Key] = set()
        for key, step in plan(tmp_path, text, [override]).steps.items():
            assert seen.issuperset(step.needs.values())
            seen.add(key)


def test_a_column_is_decomposed_once_for_all_folds(tmp_path: Path) -> None:
    text = FOLDS + "  exog: [a]\n  decompose: {method: emd, window: 64, max_imf: 1}\n"

    compiled = plan(tmp_path, text)

    assert compiled.distinct["decompose"] == 2
    assert compiled.distinct["fit"] == 8 * 2


@pytest.mark.parametrize(("refit", "fits"), [("every", 8), ("2", 4), ("3", 3), ("never", 1)])
def test_folds_of_a_group_share_one_fit(tmp_path: Path, refit: str, fits: int) -> None:
    compiled = plan(tmp_path, FOLDS, [f"split.refit={refit}"])

    assert compiled.distinct["fit"] == fits
    assert compiled.distinct["forecast"] == 8


def test_a_shaped_column_is_made_once_for_each_fit(tmp_path: Path) -> None:
    text = FOLDS + "  exog: [a]\n  shaping: {method: farm, window: 51}\n"

    assert plan(tmp_path, text, ["split.refit=4"]).distinct["shape"] == 2


def test_another_test_part_needs_no_fit(tmp_path: Path) -> None:
    before = steps(plan(tmp_path, FOLDS), "fit")
    # Half of each test part: a fold's training and validation rows are the same
    after = steps(
        plan(tmp_path, FOLDS, ["split.test=50", "split.step=100", "split.until=1950"]), "fit"
    )

    assert before.keys() == after.keys()


def test_another_step_needs_those_fits_alone_that_see_other_rows(tmp_path: Path) -> None:
    sliding = FOLDS.replace("folds: 8", "folds: 5, window: sliding")
    before = steps(plan(tmp_path, sliding), "fit").keys()
    after = steps(plan(tmp_path, sliding, ["split.step=50", "split.folds=9"]), "fit").keys()

    assert len(before) == 5
    assert before < after  # every other fold


def test_a_longer_file_and_the_last_fold_where_it_was_need_no_fit(tmp_path: Path) -> None:
    content = FACTS.content
    more = Content(
        np.append(content.time, content.time[-1] + 3_600_000_000),
        {name: np.append(values, 0.5) for name, values in content.columns.items()},
    )
    longer = replace(FACTS, rows=ROWS + 1, content=more)

    before, after = (
        plan(tmp_path, FOLDS, ["split.until=2000"], given) for given in (FACTS, longer)
    )

    assert before.steps.keys() == after.steps.keys()


def test_folds_as_long_as_each_other_are_lanes(tmp_path: Path) -> None:
    sliding = plan(tmp_path, FOLDS, ["split.window=sliding", "net=nlinear"])

    assert len({step.bundle for step in steps(sliding, "fit").values()}) == 1


def test_a_baseline_that_is_a_run_is_left_out_with_all_its_folds(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, FOLDS, ["net=last", "baselines=last,drift"])
    completed = complete(runs, facts_of(runs), default_baselines=False)

    assert [(run.config.net.name, run.fold) for run in completed.runs] == [
        *(("last", fold) for fold in range(8)),
        *(("drift", fold) for fold in range(8)),
    ]


def test_what_is_easily_overlooked_is_said(tmp_path: Path) -> None:
    def said(*overrides: str) -> tuple[tuple[str, ...], ...]:
        runs = runs_of(tmp_path, FOLDS, overrides)
        return split_notes(runs, facts_of(runs)), split_remarks(runs, facts_of(runs))

    together = "8 folds are measured together, unless a report has them apart (--rows fold)."
    assert said() == (
        ("the first 300 of 2,000 rows are before the first of 8 folds.",),
        (together,),
    )
    assert said("split.until=1990", "split.step=60") == (
        (
            "the first 570 of 2,000 rows are before the first of 8 folds.",
            "the last 10 of 2,000 rows are after the last of 8 folds.",
        ),
        (together, "test parts overlap, by 40 rows: such a row counts more than once."),
    )
    notes, _ = said("split.train=50", "split.step=200", "split.folds=9")
    assert notes == (
        "the first 150 of 2,000 rows are before the first of 9 folds.",
        "800 rows between the test parts of 9 folds are not tested on.",
    )


def test_nothing_is_said_where_there_are_no_folds(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, "")

    assert (split_notes(runs, facts_of(runs)), split_remarks(runs, facts_of(runs))) == ((), ())


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            ["split.folds=12"],
            "12 folds do not fit into 2,000 rows, 11 do: train 800, val 100, test 100",
        ),
        (["split.folds=0"], "split.folds: expected at least 1, got 0"),
        (["split.gap=-1"], "split.gap: expected at least 0, got -1"),
        (["split.refit=9"], "split: refit is 9, more than the 8 folds"),
        (
            ["split.refit=monthly"],
            'split.refit: expected every, never, or a number of folds, got "monthly"',
        ),
        (["split.window=rolling"], "unknown split.window 'rolling'"),
        (["window.input=1200", "window.horizon=2"], "the train part has 800 of 2,000 rows"),
        (
            ["decompose={method: emd, mode: parts}", "leakage=allow", "split.gap=5"],
            "decompose.mode parts makes nothing of the rows between validation and test",
        ),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, overrides: Sequence[str], said: str) -> None:
    with pytest.raises((SweepError, SweepErrors)) as caught:
        plan(tmp_path, FOLDS, overrides)

    assert said in str(caught.value)


def test_windows_of_the_first_fold_may_reach_back_over_its_first_row(tmp_path: Path) -> None:
    overrides = ["split.train=60", "window.input=200"]

    assert plan(tmp_path, FOLDS, overrides).distinct["fit"] == 8
