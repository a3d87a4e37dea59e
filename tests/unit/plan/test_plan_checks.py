"""Runs that do not fit their data, or see the future unasked, are refused first."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from builders import BASE as BASE_FILE
from builders import WINDOW, complaint, facts, small, sweep

from pyheta.errors import SweepError
from pyheta.pipeline.data.facts import ColumnFacts, DatasetFacts
from pyheta.plan.checks import check_runs
from pyheta.plan.resolve import Completed, complete
from pyheta.section import Section

FACTS = facts(
    *("load", "a", "flat", "slope", "copy"),
    by_column={
        "load": ColumnFacts(constant=False, extrema=1000, digest="1"),
        "a": ColumnFacts(constant=False, extrema=900, digest="2"),
        "flat": ColumnFacts(constant=True, extrema=0, digest="3"),
        "slope": ColumnFacts(constant=False, extrema=2, digest="4"),
        "copy": ColumnFacts(constant=False, extrema=1000, digest="1"),
    },
)


def refusal(
    tmp_path: Path, text: str, overrides: Sequence[str] = (), facts: DatasetFacts = FACTS
) -> str:
    read = small(tmp_path, text, overrides)
    runs = read.runs()
    with pytest.raises(SweepError) as caught:
        check_runs(runs, {run.config.dataset: facts for run in runs})
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_a_patch_that_is_longer_than_the_window_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, "", ("net=patchtst", "window.input=9", "net.patch=10"))
    assert (
        "net.patch is 10 rows, more than the 9 of a window; use a longer window or a shorter patch"
        in said
    )


def test_a_window_that_is_too_long_is_said_to_be_so_also_of_a_net_with_a_period(
    tmp_path: Path,
) -> None:
    said = refusal(tmp_path, "", ("net=cyclenet", "net.period=24", "window.input=2400"))
    assert said.startswith(
        "command line, window.input=2400: cyclenet: the train part has 2,400 of 4,000 rows"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  exog: [load]\n", "8:9: 'load' is the target and an exogenous column too"),
        ("  exog: [copy]\n", "8:9: column 'copy' holds the values of the target 'load'"),
        (
            "  exog: [flat]\n  decompose: emd\n",
            "8:9: column 'flat' is constant: it has no components and no relevance; leave it out",
        ),
        ("  exog: [flat]\n  shaping: farm\n", "8:9: column 'flat' is constant"),
        (
            "  exog: [slope]\n  decompose: emd\n",
            ("8:9: column 'slope' turns 2 times, too rarely for emd"),
        ),
        (
            "  decompose: {method: emd, window: 2400}\n",
            "8:36: lstm: the train part has 2,400 of 4,000 rows, a window of 2,400 and",
        ),
        (
            "  decompose: {method: emd, window: 16}\n  window.input: 17\n",
            "decompose.window is 16 rows, fewer than the 17 that lstm sees",
        ),
        (
            "  decompose: {method: stl, window: 40, period: 24}\n",
            "40 rows are fewer than two seasons of decompose.period 24",
        ),
        (
            "  decompose: {method: wavelet, wavelet: db7, window: 64}\n",
            "64 rows have room for 2 levels of the wavelet 'db7', not 4",
        ),
        ("  decompose: {method: wavelet, wavelet: dbx}\n", "no discrete wavelet 'dbx'"),
        (
            "  decompose: emd\n  components: {IMF9: {exog: []}}\n",
            "components: 'IMF9' matches no component; did you mean 'IMF3'?",
        ),
        (
            "  components: {IMF0: {exog: []}}\n",
            "components: 'IMF0' matches no component; nothing is decomposed",
        ),
        (
            "  decompose: emd\n  components: {IMF0: {exog: [b]}}\n",
            "the data set has no column 'b'",
        ),
        (
            "  decompose: emd\n  components: {IMF0: {train.lr: ten}}\n",
            "components: train.lr: expected a number",
        ),
        (
            "  decompose: emd\n  components: {IMF0: {net: rigde}}\n",
            "components: unknown net 'rigde'; did you mean 'ridge'?",
        ),
        (
            "  decompose: emd\n  components: {IMF0: {net.hiden: 3}}\n",
            "components: unknown key 'net.hiden'",
        ),
    ],
)
def test_what_does_not_fit_is_refused_at_its_place(tmp_path: Path, text: str, said: str) -> None:
    text = text.replace("  window.input: 17\n", "")
    overrides = ["window.input=17"] if "17" in said else []

    assert said in refusal(tmp_path, text, overrides)


def test_a_pattern_may_rest_in_runs_that_have_no_such_component(tmp_path: Path) -> None:
    read = small(
        tmp_path, "  components: {IMF3: {exog: []}}\nparameters: {decompose.method: [none, emd]}\n"
    )

    check_runs(read.runs(), {run.config.dataset: FACTS for run in read.runs()})


def test_a_constant_column_may_be_read_as_it_is(tmp_path: Path) -> None:
    runs = small(tmp_path, "  exog: [flat]\n").runs()

    check_runs(runs, {runs[0].config.dataset: FACTS})


def test_facts_without_columns_are_no_reason_to_refuse(tmp_path: Path) -> None:
    runs = small(tmp_path, "  exog: [flat]\n  decompose: emd\n").runs()

    check_runs(runs, {runs[0].config.dataset: replace(FACTS, by_column={})})


BASE = (
    "name: s\nbaselines: []\nconfig:\n  dataset: synthetic\n  target: load\n  net: lstm\n  "
    "window.input: 8\n"
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "  decompose: {method: emd, mode: full}\n",
            ("8:34: whole-series decomposition lets nets see"),
        ),
        (
            "  decompose: {method: emd, mode: parts}\n",
            "8:34: decomposition of training, validation and test apart lets nets see the future",
        ),
        (
            "  exog: [leading]\n  shaping: {method: farm, relevance: centred}\n",
            "9:38: centred shaping lets nets see the future; write `leakage: allow`",
        ),
        (
            "  shaping: {method: farm, threshold: 1.5}\n",
            ("8:38: shaping.threshold: expected at most 1.0"),
        ),
        ("  shaping: {method: farm, window: 4}\n", "shaping: window has to be odd, got 4"),
        (
            "  shaping: {method: farm, align: true}\n",
            ("align looks ahead: it needs relevance: centred"),
        ),
        ("  decompose: {method: vmd}\n", "unknown decompose.method 'vmd'"),
        (
            "  decompose: {method: emd, max_imf: 0}\n",
            ("decompose.max_imf: expected at least 1, got 0"),
        ),
        (
            "  components: {IMF0: {dataset: etth1}}\n",
            ("'IMF0': a component has no 'dataset.name' of its own"),
        ),
        ("  components: [IMF0]\n", "components"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(
    tmp_path: Path, text: str, said: str
) -> None:
    assert said in complaint(tmp_path, BASE + text)


@pytest.mark.parametrize("order", ["[original, shaped]", "[shaped, original]"])
def test_one_leaky_run_among_honest_ones_is_found(tmp_path: Path, order: str) -> None:
    text = "  exog: [leading]\n  shaping: {method: farm, relevance: centred}\n"

    said = complaint(tmp_path, f"{BASE}{text}parameters: {{exog_form: {order}}}\n")

    assert "centred shaping lets nets see the future" in said


def test_a_sweep_that_allows_leakage_may_look_ahead(tmp_path: Path) -> None:
    read = sweep(tmp_path, BASE + "  decompose: {method: emd, mode: full}\nleakage: allow\n")

    assert len(read.runs()) == 1


# ---- several targets, and splits in rows ---------------------------------------------------------


@pytest.mark.parametrize(
    ("targets", "text", "said"),
    [
        ("[load, b]", "", "5:11: the data set has no column 'b'; known: load, a"),
        ("[load, a]", "  exog: [a]\n", "8:9: 'a' is the target and an exogenous column too"),
        (
            "[a, load]",
            "  exog: [copy]\n",
            "8:9: column 'copy' holds the values of the target 'load'",
        ),
        ("[load, flat]", "  decompose: emd\n", "5:11: column 'flat' is constant"),
        (
            "[load, a]",
            "  exog: [slope]\n  shaping: farm\n",
            (
                "9:12: shaping goes by the relevance to one target, and there are 2; forecast them "
                "one by one"
            ),
        ),
    ],
)
def test_what_does_not_fit_several_targets_is_refused_at_its_place(
    tmp_path: Path, targets: str, text: str, said: str
) -> None:
    written = BASE_FILE.replace("target: load", f"target: {targets}") + WINDOW + text
    runs = sweep(tmp_path, written).runs()

    with pytest.raises(SweepError) as caught:
        check_runs(runs, {run.config.dataset: FACTS for run in runs})

    assert said in str(caught.value)


def test_several_targets_may_be_shaped_for_where_nothing_is_shaped(tmp_path: Path) -> None:
    runs = small(tmp_path, "  shaping: farm\n", ["target=[load,a]"]).runs()

    check_runs(runs, {runs[0].config.dataset: FACTS})


@pytest.mark.parametrize(
    ("split", "said"),
    [
        (
            "{train: 3000, val: 500, test: 501}",
            (
                "8:18: train, val and test are 4,001 rows together, and the data set has 4,000; "
                "take fewer"
            ),
        ),
        (
            "{train: 4mo, val: 1mo, test: 1mo}",
            (
                "8:18: train, val and test go on until 2020-06-29 00:00:00, and the data end at "
                "2020-06-15 15:00:00; take less"
            ),
        ),
        (
            "{train: 8, val: 5, test: 5}",
            "the train part has 8 of 4,000 rows, a window of 8 and a horizon of 1",
        ),
    ],
)
def test_a_split_in_rows_that_does_not_fit_is_refused_at_its_place(
    tmp_path: Path, split: str, said: str
) -> None:
    assert said in refusal(tmp_path, f"  split: {split}\n")


@pytest.mark.parametrize(
    "split", ["{train: 3000, val: 500, test: 500}", "{train: 3mo, val: 1mo, test: 1mo}"]
)
def test_a_split_in_rows_may_leave_rows_over(tmp_path: Path, split: str) -> None:
    runs = small(tmp_path, f"  split: {split}\n").runs()

    check_runs(runs, {runs[0].config.dataset: FACTS})


# ---- how large a ridge may be --------------------------------------------------------------------

COLUMNS = ("load", *(f"c{number}" for number in range(320)))
WIDE = "  exog: all\n  window: {input: 96}\n"


def wide(tmp_path: Path, rows: int, overrides: Sequence[str] = ()) -> Completed:
    read = sweep(tmp_path, BASE_FILE + WIDE, overrides)
    runs = read.runs()
    given = facts(*COLUMNS, rows=rows)
    by_section: dict[Section, DatasetFacts] = {run.config.dataset: given for run in runs}
    completed = complete(runs, by_section, default_baselines=read.default_baselines)
    check_runs(completed.runs, by_section)
    return completed


def test_a_ridge_is_planned_where_windows_or_regressors_are_few_enough(tmp_path: Path) -> None:
    # 321 columns of 96 rows are 30,816 regressors; 8,192 windows end before row 8,288
    for rows, overrides in (
        (8288, []),
        (1_000_000, ["exog=[c1, c2]"]),
        (1_000_000, ["net.per_channel=true"]),
    ):
        shares = f"split={{train: {rows}, val: 100, test: 100}}"
        wide(tmp_path, rows + 200, ["net=ridge", shares, *overrides])


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            ["split={train: 8289, val: 100, test: 100}"],
            "30,816 regressors and 8,193 windows are more than 8,192 equations either way",
        ),
        (
            [
                "split={train: 900, val: 100, test: 100}",
                "target=all",
                "exog=[]",
                "window.horizon=96",
            ],
            "30,816 regressors of 30,816 values to forecast have more than 67,108,864 weights",
        ),
        (
            [
                "split={train: 8289, val: 100, test: 100}",
                "net=lstm",
                "components={IMF0: {net: ridge}}",
                "decompose={method: emd, window: 96}",
            ],
            "30,816 regressors and 8,193 windows are more than",
        ),
    ],
)
def test_a_larger_ridge_is_refused_if_it_was_asked_for(
    tmp_path: Path, overrides: list[str], said: str
) -> None:
    with pytest.raises(SweepError) as caught:
        wide(tmp_path, 10_000, ["net=ridge", *overrides])

    assert f"ridge: {said}" in str(caught.value)
    assert "take a shorter window or fewer columns, or set net.per_channel" in str(caught.value)


def test_a_larger_ridge_that_nobody_asked_for_is_left_out_with_a_note(tmp_path: Path) -> None:
    read = sweep(tmp_path, BASE_FILE.replace("baselines: []\n", "") + WIDE)
    runs = read.runs()

    completed = complete(
        runs,
        {run.config.dataset: facts(*COLUMNS, rows=20_000) for run in runs},
        default_baselines=True,
    )

    assert [run.config.net.name for run in completed.runs] == ["lstm", "last", "seasonal", "drift"]
    said = "ridge: 30,816 regressors and 11,904 windows are more than 8,192 equations either way"
    assert f"baseline ridge is left out: {said}" in completed.notes
