"""A sweep that decomposes and shapes becomes a graph in which every distinct step stands once."""

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

from pyheta.pipeline.channels import Source
from pyheta.pipeline.data.draft import Meaning
from pyheta.plan.compile import Plan, compile_plan
from pyheta.steps import Key, Step
from pyheta.sweep import Explain

FACTS = facts("load", "a", "b", "c", "d")
STUDY = """
  decompose: {method: ceemdan, trials: 5}
  components: {"IMF[3-9]": {exog: []}, Residue: {exog: []}}
seeds: 3
parameters:
  decompose.method: [none, ceemdan]
  shaping.method: [none, farm]
  exog: {subsets: [a, b, c, d]}
"""


def plan(
    tmp_path: Path, text: str, overrides: Sequence[str] = (), explain: Explain | None = None
) -> Plan:
    runs = small(tmp_path, text, overrides).runs()
    return compile_plan(runs, {run.config.dataset_key(): FACTS for run in runs}, explain)


def steps(compiled: Plan, op: str) -> list[Step]:
    return [step for step in compiled.steps.values() if step.op == op]


def test_the_study_of_all_subsets_shares_what_its_runs_have_in_common(tmp_path: Path) -> None:
    # Given 16 subsets x decomposition on or off x shaping on or off x 3 seeds, two components
    # target-only
    compiled = plan(tmp_path, STUDY)

    # Then 288 columns are asked to be decomposed and 5 are, 576 nets are asked for and 378 trained
    assert compiled.asked == Counter(
        load=192, decompose=288, shape=384, fit=576, forecast=192, score=192
    )
    assert compiled.distinct == Counter(
        load=1, decompose=5, shape=16, fit=378, forecast=186, score=186
    )


def test_needs_come_first(tmp_path: Path) -> None:
    compiled = plan(tmp_path, STUDY, explain=Explain(relevance=("farm",), permutations=1))

    seen: set[Key] = set()
    for key, step in compiled.steps.items():
        assert seen.issuperset(step.needs.values())
        seen.add(key)
    assert {step.op for step in compiled.steps.values()} == {
        "load",
        "decompose",
        "relevance",
        "shape",
        "fit",
        "forecast",
        "score",
        "importance",
    }


def test_a_component_reads_that_component_of_every_column(tmp_path: Path) -> None:
    compiled = plan(tmp_path, "  decompose: {method: emd, max_imf: 2}\n  exog: [b, a]\n")

    fits = {step.params["component"]: step for step in steps(compiled, "fit")}
    assert list(fits) == ["IMF0", "IMF1", "Residue"]
    for component, fit in fits.items():
        assert fit.params["sources"] == [
            {"column": column, "component": component, "shaped": False}
            for column in ("load", "a", "b")
        ]
        assert set(fit.needs) == {"decompose/load", "decompose/a", "decompose/b"}
    (forecast,) = steps(compiled, "forecast")
    made = {"fit/IMF0", "fit/IMF1", "fit/Residue"}
    assert set(forecast.needs) == {"load", *fits["IMF0"].needs, *made}
    (score,) = steps(compiled, "score")
    assert set(score.needs) == {
        "load",
        "0/forecast",
        "0/decompose/load",
        "0/decompose/a",
        "0/decompose/b",
    }


def test_shaped_columns_take_part_where_the_sweep_says_so(tmp_path: Path) -> None:
    text = "  decompose: {method: emd, max_imf: 1}\n  shaping: farm\n  exog: [a]\n"
    read = {}
    for form in ("original", "shaped", "both"):
        compiled = plan(tmp_path, text, [f"exog_form={form}"])
        first = steps(compiled, "fit")[0]
        read[form] = [(source["column"], source["shaped"]) for source in first.params["sources"]]

    assert read == {
        "original": [("load", False), ("a", False)],
        "shaped": [("load", False), ("a", True)],
        "both": [("load", False), ("a", False), ("a", True)],
    }


def test_one_net_may_read_all_components_and_forecast_the_series(tmp_path: Path) -> None:
    compiled = plan(tmp_path, "  decompose: {method: emd, max_imf: 1, nets: one}\n  exog: [a]\n")

    (fit,) = steps(compiled, "fit")
    read = [(source["column"], source["component"]) for source in fit.params["sources"]]
    assert read == [
        ("load", "target"),
        ("load", "IMF0"),
        ("a", "IMF0"),
        ("load", "Residue"),
        ("a", "Residue"),
    ]
    assert set(fit.needs) == {"load", "decompose/load", "decompose/a"}


def test_a_component_may_have_a_net_window_and_training_of_its_own(tmp_path: Path) -> None:
    compiled = plan(
        tmp_path,
        "  decompose: {method: emd, max_imf: 1}\n"
        "  components: "
        "{Residue: {net: mlp, train: {lr: 0.5}, window.input: 3}, '*0': {net.hidden: 4}}\n",
        ["net.hidden=8"],
    )

    first, last = steps(compiled, "fit")
    assert first.params["net"]["hidden"] == 4
    assert (last.params["net"]["name"], last.params["net"]["hidden"]) == ("mlp", [64])
    assert (last.params["train"]["lr"], last.params["window"]["input"]) == (0.5, 3)


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        ("", ["decompose.trials=5,6"]),  # nothing is decomposed
        ("", ["shaping.threshold=0.1,0.2"]),  # nothing is shaped
        ("  shaping: farm\n", ["shaping.threshold=0.1,0.2"]),  # there is nothing to shape
        (
            "  shaping: farm\n  exog: [a]\n",
            ["shaping.threshold=0.1,0.2"],
        ),  # a continuous factor has none
        ("  shaping: farm\n  exog: [a]\n  exog_form: original\n", ["shaping.window=3,5"]),
        ("  decompose: emd\n", ["decompose.trials=5,6"]),  # emd knows no noise
        ("  decompose: emd\n", ["decompose.seed=1,2"]),
        ("  decompose: {method: ceemdan}\n", ["decompose.noise=null,0.005"]),  # its default
        ("  decompose: {method: emd, mode: full}\nleakage: allow\n", ["decompose.window=500,600"]),
        (
            "  decompose: emd\n",
            ["net.name=last", "decompose.max_imf=3,4"],
        ),  # last values add up to the last
        ("  decompose: emd\n  components: {'*': {exog: []}}\n", ["exog=[],[a]"]),
    ],
)
def test_options_that_cannot_matter_make_no_step_of_their_own(
    tmp_path: Path, text: str, overrides: list[str]
) -> None:
    one = plan(tmp_path, text, [override.rpartition(",")[0] or override for override in overrides])
    both = plan(tmp_path, text, overrides)

    assert both.steps.keys() == one.steps.keys()


@pytest.mark.parametrize(
    ("text", "override", "op"),
    [
        ("  decompose: {method: ceemdan}\n", "decompose.trials=5,6", "decompose"),
        ("  decompose: {method: ceemdan}\n", "decompose.seed=5,6", "decompose"),
        ("  decompose: emd\n", "decompose.window=500,600", "decompose"),
        ("  decompose: emd\n", "decompose.grow=false,true", "decompose"),
        ("  decompose: emd\n", "window.input=32,33", "decompose"),  # a longer tail has to be kept
        (
            "  shaping: {method: farm, factor: binary}\n  exog: [a]\n",
            "shaping.threshold=0.1,0.2",
            "shape",
        ),
        ("  shaping: farm\n  exog: [a]\n", "shaping.fuzzy=false,true", "shape"),
    ],
)
def test_options_that_matter_do(tmp_path: Path, text: str, override: str, op: str) -> None:
    assert plan(tmp_path, text, [override]).distinct[op] == 2


def test_nearby_windows_share_a_decomposition(tmp_path: Path) -> None:
    compiled = plan(tmp_path, "  decompose: emd\n", ["window.input=2,5,8,16"])

    assert compiled.distinct["decompose"] == 1
    assert compiled.distinct["fit"] == 4 * 5


def test_baselines_are_computed_on_the_series_as_it_is(tmp_path: Path) -> None:
    compiled = plan(tmp_path, "  decompose: emd\n  exog: [a]\n", ["baselines=last,ridge"])

    own = [
        step for key, step in compiled.steps.items() if compiled.labels[key] == "fit (baselines)"
    ]
    assert [step.params["net"]["name"] for step in own] == ["last", "ridge"]
    assert all(set(step.needs) == {"load"} for step in own)


def test_a_score_is_the_same_whether_its_forecasts_are_kept_or_not(tmp_path: Path) -> None:
    kept, alone = (plan(tmp_path, "", [f"keep={what}"]) for what in ("forecasts", "metrics"))

    assert kept.scores == alone.scores
    assert [step.op for key, step in kept.steps.items() if key not in alone.steps] == ["forecast"]
    (score,) = steps(alone, "score")
    assert set(score.needs) == {"load", "0/load", "0/fit/target"}


def test_what_explains_stands_beside_the_runs_and_no_score_needs_it(tmp_path: Path) -> None:
    explain = Explain(relevance=("pearson", "farm"), permutations=2)
    plain = plan(tmp_path, "  decompose: {method: emd, max_imf: 1}\n  exog: [a]\n")
    explained = plan(
        tmp_path, "  decompose: {method: emd, max_imf: 1}\n  exog: [a]\n", explain=explain
    )

    assert explained.scores == plain.scores
    more = Counter(step.op for key, step in explained.steps.items() if key not in plain.steps)
    assert more == Counter(relevance=2, importance=2)
    assert steps(explained, "relevance")[0].params["measures"] == ["farm", "pearson"]


@hypothesis_settings(deadline=None, max_examples=30)
@given(
    st.fixed_dictionaries(
        {
            "decompose.method": st.sampled_from(["none", "emd", "ceemdan"]),
            "decompose.nets": st.sampled_from(["each", "one"]),
            "shaping.method": st.sampled_from(["none", "farm"]),
            "exog": st.sampled_from(["[]", "[a]", "[a, b]"]),
            "exog_form": st.sampled_from(["original", "shaped", "both"]),
        }
    )
)
def test_every_fit_can_be_fed_from_its_needs(
    tmp_path_factory: pytest.TempPathFactory, written: dict[str, Any]
) -> None:
    overrides = [f"{key}={value}" for key, value in written.items()]
    compiled = plan(tmp_path_factory.mktemp("sweep"), "", overrides)

    for fit in steps(compiled, "fit"):
        roles = {Source(**source).role for source in fit.params["sources"]}
        assert roles == set(fit.needs)
        assert len({tuple(s.values()) for s in fit.params["sources"]}) == len(fit.params["sources"])


# ---- several targets, and splits in months -------------------------------------------------------


def test_a_net_of_several_targets_reads_them_first(tmp_path: Path) -> None:
    compiled = plan(tmp_path, "  exog: [c]\n", ["target=[b,a]"])

    (fit,), (score,) = steps(compiled, "fit"), steps(compiled, "score")
    assert [source["column"] for source in fit.params["sources"]] == ["b", "a", "c"]
    assert fit.params["targets"] == 2
    assert score.params["targets"] == ["b", "a"]


@pytest.mark.parametrize("nets", ["each", "one"])
def test_every_target_is_decomposed(tmp_path: Path, nets: str) -> None:
    overrides = [
        "target=[b,a]",
        "decompose.method=emd",
        "decompose.max_imf=1",
        f"decompose.nets={nets}",
    ]
    compiled = plan(tmp_path, "", overrides)

    decomposed = {step.params["column"] for step in steps(compiled, "decompose")}
    read = [
        [(source["column"], source["component"]) for source in fit.params["sources"]]
        for fit in steps(compiled, "fit")
    ]
    each = [[(target, part) for target in ("b", "a")] for part in ("IMF0", "Residue")]
    assert decomposed == {"a", "b"}
    assert read == (
        each if nets == "each" else [[("b", "target"), ("a", "target"), *each[0], *each[1]]]
    )


def test_every_target_is_explained(tmp_path: Path) -> None:
    explain = Explain(relevance=("pearson",), permutations=2)

    compiled = plan(tmp_path, "  exog: [c, d]\n", ["target=[b,a]"], explain)

    pairs = [
        (step.params["target"], step.params["column"]) for step in steps(compiled, "relevance")
    ]
    assert pairs == [("b", "c"), ("b", "d"), ("a", "c"), ("a", "d")]
    (importance,) = steps(compiled, "importance")
    assert importance.params["targets"] == ["b", "a"]


def test_months_are_the_rows_that_they_are(tmp_path: Path) -> None:
    text = "  decompose: {method: emd, mode: parts}\n  exog: [a]\n  shaping: farm\nleakage: allow\n"
    explain = Explain(relevance=("pearson",))

    in_months, in_rows = (
        plan(tmp_path, text, [f"split={split}"], explain)
        for split in ("{train: 3mo, val: 1mo, test: 1mo}", "{train: 2160, val: 720, test: 720}")
    )

    assert in_months.steps == in_rows.steps
    assert steps(in_rows, "shape")[0].params["train"] == [0, 2160]


# ---- what columns are ----------------------------------------------------------------------------


def seen(
    tmp_path: Path, meaning: Meaning, overrides: Sequence[str] = (), text: str = "  exog: [a, b]\n"
) -> list[list[str]]:
    """The channels of each net by their labels, with the steps that they need at hand."""
    runs = small(tmp_path, text, overrides).runs()
    data = facts(*FACTS.columns, rows=FACTS.rows, meaning=meaning)
    compiled = compile_plan(runs, {run.config.dataset_key(): data for run in runs})
    found = []
    for fit in steps(compiled, "fit"):
        sources = [Source(**source) for source in fit.params["sources"]]
        assert {source.role for source in sources} <= fit.needs.keys()
        assert "load" in fit.needs or not any(source.mask for source in sources)
        found.append([source.label for source in sources])
    return found


KNOWN = Meaning(known=frozenset({"a"}))


@pytest.mark.parametrize(
    ("window", "ahead"),
    [
        ("{input: 8, horizon: 1}", [1]),
        ("{input: 8, horizon: 8}", [8]),
        ("{input: 8, horizon: 20}", [20, 12, 4]),
        ("{input: 1, horizon: 3}", [3, 2, 1]),
    ],
)
def test_windows_of_a_known_column_show_the_whole_horizon(
    tmp_path: Path, window: str, ahead: list[int]
) -> None:
    (labels,) = seen(tmp_path, KNOWN, [f"window={window}"])

    assert labels == ["load", "a", *(f"a ahead {rows}" for rows in ahead), "b"]


def test_a_lag_is_seen_ahead_as_far_as_it_is_known(tmp_path: Path) -> None:
    lag = Meaning(reach={"a": 5})
    windows = ["{input: 8, horizon: 1}", "{input: 8, horizon: 24}", "{input: 2, horizon: 24}"]

    assert [seen(tmp_path, lag, [f"window={w}"])[0][2:-1] for w in windows] == [
        ["a ahead 1"],
        ["a ahead 5"],
        ["a ahead 5", "a ahead 3", "a ahead 1"],
    ]


def test_what_is_seen_ahead_is_never_shaped(tmp_path: Path) -> None:
    text = "  shaping: farm\n  exog: [a, b]\n"

    assert seen(tmp_path, KNOWN, [], text) == [["load", "a shaped", "a ahead 1", "b shaped"]]
    assert seen(tmp_path, KNOWN, ["exog_form=both"], text) == [
        ["load", "a", "a shaped", "a ahead 1", "b", "b shaped"]
    ]


def test_components_of_a_known_column_are_seen_ahead(tmp_path: Path) -> None:
    text = "  decompose: {method: emd, max_imf: 1}\n  exog: [a]\n"

    assert seen(tmp_path, KNOWN, [], text) == [
        [f"load {part}", f"a {part}", f"a {part} ahead 1"] for part in ("IMF0", "Residue")
    ]


@pytest.mark.parametrize("net", ["lstm", "gru", "mlp", "tide", "nhits", "ridge"])
def test_nets_that_read_other_columns_read_what_is_known_and_masks(
    tmp_path: Path, net: str
) -> None:
    meaning = Meaning(known=frozenset({"a"}), masks={"load": "load missing", "a": "a missing"})

    assert seen(tmp_path, meaning, [f"net.name={net}"]) == [
        ["load", "a", "a ahead 1", "b", "load missing", "a missing", "a missing ahead 1"]
    ]


@pytest.mark.parametrize("net", ["last", "dlinear"])
def test_nets_that_do_not_leave_masked_targets_out_all_the_same(tmp_path: Path, net: str) -> None:
    runs = small(tmp_path, "  exog: [a]\n", [f"net.name={net}"]).runs()
    data = facts(*FACTS.columns, rows=FACTS.rows, meaning=Meaning(masks={"load": "load missing"}))
    compiled = compile_plan(runs, {run.config.dataset_key(): data for run in runs})

    (fit,) = steps(compiled, "fit")
    assert fit.params["sources"] == [
        {"column": "load", "component": "target", "shaped": False, "mask": "load missing"}
    ]


@pytest.mark.parametrize("nets", ["each", "one"])
def test_a_net_of_components_reads_each_mask_once(tmp_path: Path, nets: str) -> None:
    text = "  decompose: {method: emd, max_imf: 1}\n  exog: [a]\n"
    masked = Meaning(masks={"load": "load missing"})

    for labels in seen(tmp_path, masked, [f"decompose.nets={nets}"], text):
        assert labels.count("load missing") == 1
        assert labels[-1] == "load missing"


def test_only_columns_that_a_sweep_names_are_explained(tmp_path: Path) -> None:
    runs = small(tmp_path, "  exog: [a]\n").runs()
    data = facts(
        *FACTS.columns, rows=FACTS.rows, meaning=replace(KNOWN, masks={"load": "load missing"})
    )
    explain = Explain(relevance=("pearson",), permutations=2)
    compiled = compile_plan(runs, {run.config.dataset_key(): data for run in runs}, explain)

    assert [step.params["column"] for step in steps(compiled, "relevance")] == ["a"]


# ---- what scores are made of ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("[]", "[mine:odd]", False),
        ("[mine:odd]", "[mine:odd, mine:other]", False),
        ("[mine:odd]", "[{name: mine:odd, version: 2}]", False),
        ("[mine:odd]", "[{name: mine:odd, higher_is_better: true}]", True),
        ("[mine:odd, mine:other]", "[mine:other, mine:odd]", True),
    ],
)
def test_own_metrics_change_scores_and_no_fit(
    tmp_path: Path, one: str, other: str, same: bool
) -> None:
    first, second = (plan(tmp_path, f"  metrics: {metrics}") for metrics in (one, other))
    assert steps(first, "fit") == steps(second, "fit")
    assert (steps(first, "score") == steps(second, "score")) == same


def test_a_score_is_told_the_quantile_of_its_nets(tmp_path: Path) -> None:
    text = "  train: {loss: quantile, quantile: 0.9}\nparameters: {net.name: [lstm, last]}"
    quantiles = [step.params.get("quantile") for step in steps(plan(tmp_path, text), "score")]
    assert quantiles == [0.9, 0.9]

    (plain,) = steps(plan(tmp_path, "  train: {quantile: 0.9}"), "score")
    assert "quantile" not in plain.params
