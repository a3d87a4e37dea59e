"""Runs become steps; what cannot change an outcome makes no step of its own."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import facts, small
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.errors import SweepError, SweepErrors
from pyheta.ops.registry import OPS
from pyheta.pipeline.channels import Source
from pyheta.pipeline.data.content import Content
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.plan.compile import Plan, compile_plan
from pyheta.steps import Key, Step, canonical, digest
from pyheta.sweep import Run

FACTS = facts("load", "a", "b", "c", rows=1000)


def plan(runs: Sequence[Run], facts: DatasetFacts = FACTS) -> Plan:
    return compile_plan(runs, {run.config.dataset_key(): facts for run in runs})


def fits(compiled: Plan) -> list[Step]:
    return [step for step in compiled.steps.values() if step.op == "fit"]


def test_a_run_is_loaded_fitted_and_scored(tmp_path: Path) -> None:
    compiled = plan(small(tmp_path, "  exog: [b, a]\nseeds: [7]\n").runs())

    load, fit, forecast, score = compiled.steps.values()

    assert (load.op, load.params, load.files) == ("load", FACTS.source, FACTS.files)
    assert (fit.op, fit.needs) == ("fit", {"load": load.key})
    assert forecast.op == "forecast"
    assert forecast.needs == {"load": load.key, "fit/target": fit.key}
    assert (score.op, score.needs) == ("score", {"load": load.key, "0/forecast": forecast.key})
    assert compiled.scores == [score.key]
    assert all(
        (step.kind, step.version) == (OPS[step.op].kind, OPS[step.op].version)
        for step in (load, fit, forecast, score)
    )
    assert score.params == {
        "targets": ["load"],
        "components": ["target"],
        "folds": [{"train": [0, 600], "val": [600, 700], "test": [700, 1000]}],
        "scale": "standard",
        "season": 24,
    }
    assert forecast.params == {
        "targets": ["load"],
        "components": ["target"],
        "split": score.params["folds"][0],
    }
    assert fit.params == {
        "component": "target",
        "sources": [
            {"column": column, "component": "target", "shaped": False}
            for column in ("load", "a", "b")
        ],
        "targets": 1,
        "split": {"train": [0, 600], "val": [600, 700]},
        "window": {"input": 8, "horizon": 1},
        "scale": "standard",
        "net": small(tmp_path).runs()[0].config.as_json()["net"],
        "train": small(tmp_path).runs()[0].config.as_json()["train"],
        "seed": 7,
    }


def test_steps_come_after_what_they_need(tmp_path: Path) -> None:
    compiled = plan(small(tmp_path, "parameters: {exog: {subsets: [a, b]}}\nseeds: 2\n").runs())

    seen: set[Key] = set()
    for key, step in compiled.steps.items():
        assert key == step.key
        assert seen.issuperset(step.needs.values())
        seen.add(key)


def test_steps_are_counted_as_asked_for_and_as_distinct(tmp_path: Path) -> None:
    # Given two nets, three seeds, two sets of columns, of which ridge heeds only the columns
    runs = small(
        tmp_path, "parameters: {net.name: [mlp, ridge], exog: [[], [a]]}\nseeds: 3\n"
    ).runs()

    compiled = plan(runs)

    assert compiled.asked == Counter(load=12, fit=12, forecast=12, score=12)
    assert compiled.distinct == Counter(load=1, fit=8, forecast=8, score=8)
    assert len(compiled.scores) == 12


OTHERS = ("{train: 600, val: 100, test: 300}", "{train: 599, val: 101, test: 300}")


@pytest.mark.parametrize(
    ("net", "inert", "matters"),
    [
        ("lstm", [], ["seeds=0,1", "train.lr=0.1,0.2", "exog=[],[a]", "window.input=8,9"]),
        ("mlp", [], ["seeds=0,1", "train.lr=0.1,0.2", "exog=[],[a]", "window.input=8,9"]),
        (
            "ridge",
            ["seeds=0,1", "train.lr=0.1,0.2"],
            ["exog=[],[a]", "window.input=8,9", "scale=none,minmax"],
        ),
        (
            "last",
            [
                "seeds=0,1",
                "train.lr=0.1,0.2",
                "exog=[],[a]",
                "window.input=8,9",
                "scale=none,minmax",
            ],
            ["window.horizon=1,2", "target=load,a"],
        ),
        (
            "seasonal",
            ["seeds=0,1", "train.lr=0.1,0.2", "exog=[],[b]", "window.input=8,9"],
            ["net.period=12,24", f"split={OTHERS[0]},{OTHERS[1]}"],
        ),
    ],
)
def test_only_options_that_matter_to_a_net_make_distinct_steps(
    tmp_path: Path, net: str, inert: list[str], matters: list[str]
) -> None:
    for override in inert:
        assert plan(small(tmp_path, "", [f"net={net}", override]).runs()).distinct["fit"] == 1
    for override in matters:
        assert plan(small(tmp_path, "", [f"net={net}", override]).runs()).distinct["fit"] == 2


def test_inert_options_are_not_among_the_parameters(tmp_path: Path) -> None:
    for net, absent, lookback in (
        ("ridge", {"seed", "train"}, 8),
        ("seasonal", {"seed", "train"}, 24),
    ):
        (fit,) = fits(plan(small(tmp_path, "  exog: [a]\n", [f"net={net}"]).runs()))

        assert not absent & fit.params.keys()
        assert fit.params["window"]["input"] == lookback
        columns = [source["column"] for source in fit.params["sources"]]
        assert columns == (["load", "a"] if net == "ridge" else ["load"])


choices = st.fixed_dictionaries(
    {
        "net": st.sampled_from(["lstm", "mlp", "ridge", "last", "seasonal"]),
        "exog": st.sampled_from(["[]", "[a]", "[a, b]", "[b, a]"]),
        "window.input": st.integers(1, 3),
        "train.lr": st.sampled_from(["1e-2", "0.01", "1e-3"]),
        "seeds": st.sampled_from(["[0]", "[1]"]),
    }
)


@hypothesis_settings(deadline=None, max_examples=60)
@given(choices, choices)
def test_two_runs_share_a_score_exactly_if_their_reduced_content_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, one: dict[str, Any], other: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("sweep")
    runs = [
        small(folder, "", [f"{key}={value}" for key, value in chosen.items()]).runs()[0]
        for chosen in (one, other)
    ]

    first, second = (plan([run]) for run in runs)

    same = [
        canonical([run.config.reduced().as_json(), run.seed if run.config.net.stochastic else 0])
        for run in runs
    ]
    assert (first.scores == second.scores) == (same[0] == same[1])
    assert (first.steps.keys() == second.steps.keys()) == (same[0] == same[1])


def test_what_a_data_set_holds_is_part_of_every_key(tmp_path: Path) -> None:
    runs = small(tmp_path).runs()
    values = {name: column + 1 for name, column in FACTS.content.columns.items()}
    content = Content(FACTS.content.time, values)
    other = replace(FACTS, files={"raw": "cd" * 32}, content=content)

    assert not plan(runs).steps.keys() & plan(runs, other).steps.keys()


def test_two_names_of_the_same_data_share_their_steps(tmp_path: Path) -> None:
    runs = small(tmp_path, "", ["dataset=etth1,/data/ETTh1.csv"]).runs()

    assert plan(runs).distinct == Counter(load=1, fit=1, forecast=1, score=1)


def test_a_key_is_a_hash_of_all_that_matters(tmp_path: Path) -> None:
    (run,) = small(tmp_path).runs()
    (fit,) = fits(plan([run]))
    config = run.config.as_json()

    assert fit.key == digest(
        {
            "op": "fit",
            "version": OPS["fit"].version,
            "params": {
                **{key: config[key] for key in ("window", "scale", "net", "train")},
                "split": {"train": [0, 600], "val": [600, 700]},
                "sources": [{"column": "load", "component": "target", "shaped": False}],
                "targets": 1,
                "component": "target",
                "seed": 0,
            },
            "sees": {canonical(Source("load").as_params()): FACTS.content.column("load", (0, 700))},
            "files": {},
        }
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  exog: [a, bb]\n", "sweep.yaml:8:9: the data set has no column 'bb'; did you mean 'b'?"),
        ("  exog: [load]\n", "sweep.yaml:8:9: 'load' is the target and an exogenous column too"),
        (
            "  window.horizon: 101\n",
            "lstm: the val part has 100 of 1,000 rows, a window of 8 and a horizon of 101 need 101",
        ),
        (
            "  split: {train: 0.005, val: 0.5, test: 0.495}\n",
            "lstm: the train part has 5 of 1,000 rows",
        ),
    ],
)
def test_runs_that_do_not_fit_their_data_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SweepError) as caught:
        plan(small(tmp_path, text).runs())

    assert said in str(caught.value)


def test_a_season_longer_than_the_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        SweepError, match=r"a window of 5,000 and a horizon of 1 need 5,001"
    ) as caught:
        plan(small(tmp_path, "", ["net={name: seasonal, period: 5000}"]).runs())

    assert caught.value.where == "command line, net={name: seasonal, period: 5000}"


def test_a_target_that_is_not_there_is_named_once_with_all_other_errors(tmp_path: Path) -> None:
    with pytest.raises(SweepErrors) as caught:
        plan(small(tmp_path, "seeds: 9\n", ["target=lod", "exog=[a],[z]"]).runs())

    assert [error.what for error in caught.value.errors] == [
        "the data set has no column 'lod'",
        "the data set has no column 'z'",
    ]


@pytest.mark.slow
def test_a_hundred_thousand_runs_compile(tmp_path: Path) -> None:
    runs = small(
        tmp_path,
        """
run_cap: 100000
seeds: 20
parameters:
  net.name: [lstm, ridge]
  window.horizon: {min: 1, max: 50, num: 50}
  train.batch_size: {min: 1, max: 50, num: 50}
""",
    ).runs()

    compiled = plan(runs)

    assert len(runs) == len(compiled.scores) == 100_000
    assert compiled.distinct == Counter(load=1, fit=50_050, forecast=50_050, score=50_050)
