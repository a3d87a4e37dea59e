"""Data complete the runs: columns that are meant, rows of a season, baselines that fit."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import BASE, WINDOW, facts, small, sweep
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.errors import DataError, SweepError
from pyheta.pipeline.data.draft import Meaning
from pyheta.pipeline.data.facts import ColumnFacts, DatasetFacts
from pyheta.pipeline.data.steps.cadence import HOURLY, Cadence, Unit
from pyheta.plan.notes import data_notes, found_notes
from pyheta.plan.prepare import prepare
from pyheta.plan.resolve import Completed, complete, equal_to_baselines, offer_of_subsets
from pyheta.section import Section
from pyheta.sweep import Run, Sweep

DAILY = Cadence(Unit.SECOND, 86_400, 86_400, 7)
ROWS = Cadence(Unit.ROW, 1, 1)

FACTS = facts(
    *("load", "T_in", "T_out", "wind", "load missing", "place=x", "place=y"),
    left_out={"T_text": DataError("not a number 'x'", where="f.csv: row 2, column 'T_text'")},
    meaning=Meaning(masks={"load": "load missing"}, groups={"place": ("place=x", "place=y")}),
)

DEFAULTS = BASE.replace("baselines: []\n", "")


def completed(read: Sweep, given: DatasetFacts = FACTS) -> Completed:
    runs = read.runs()
    by_section: dict[Section, DatasetFacts] = {run.config.dataset: given for run in runs}
    return complete(runs, by_section, default_baselines=read.default_baselines)


def nets(runs: Iterable[Run]) -> list[str]:
    return [run.config.net.name for run in runs]


# ---- columns -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exog", "columns"),
    [
        ("all", ["T_in", "T_out", "place=x", "place=y", "wind"]),
        ("[T_*]", ["T_in", "T_out"]),
        ('{all_but: ["T_*", place]}', ["wind"]),
        ("[wind, place]", ["place=x", "place=y", "wind"]),
        ('["load*"]', None),
        ("[load missing]", ["load missing"]),
        ("[wind, T_in]", ["T_in", "wind"]),
    ],
)
def test_exogenous_columns_are_all_but_targets_and_masks(
    tmp_path: Path, exog: str, columns: list[str] | None
) -> None:
    read = small(tmp_path, f"  exog: {exog}\n")

    if columns is None:
        with pytest.raises(SweepError, match=r"8:9: exog: 'load\*' matches no column"):
            completed(read)
    else:
        (run,) = completed(read).runs
        assert list(run.config.exog) == columns


def test_patterns_leave_the_same_run_as_names(tmp_path: Path) -> None:
    by_pattern, by_name = (
        small(tmp_path, f"  exog: {text}\n") for text in ("[T_*]", "[T_out, T_in]")
    )

    assert [run.config for run in completed(by_pattern).runs] == [
        run.config for run in completed(by_name).runs
    ]


@pytest.mark.parametrize(
    ("target", "columns"),
    [
        ("all", ["load", "T_in", "T_out", "wind", "place=x", "place=y"]),
        ("[wind, T_*]", ["wind", "T_in", "T_out"]),
        ("{all_but: [place]}", ["load", "T_in", "T_out", "wind"]),
    ],
)
def test_targets_keep_the_order_in_which_they_are_written_or_stand_in_the_data(
    tmp_path: Path, target: str, columns: list[str]
) -> None:
    (run,) = completed(small(tmp_path, "", [f"target={target}"])).runs

    assert list(run.config.target) == columns


def test_each_target_has_its_own_exogenous_columns(tmp_path: Path) -> None:
    read = small(tmp_path, "  exog: all\n", ["target=load,wind"])

    first, second = completed(read).runs

    assert "wind" in first.config.exog
    assert "load" not in first.config.exog
    assert {"load"} == set(second.config.exog) - set(first.config.exog)


def test_components_may_choose_by_pattern_too(tmp_path: Path) -> None:
    changes = "{IMF0: {exog: [T_*], net: cyclenet}, Residue: {exog: []}}"
    text = f"  decompose: emd\n  components: {changes}\n"

    (run,) = completed(small(tmp_path, text)).runs

    made = {pattern: dict(each) for pattern, each in run.config.components}
    assert made["IMF0"] == {"exog": ("T_in", "T_out"), "net.name": "cyclenet", "net.period": 24}
    assert made["Residue"] == {"exog": ()}


def test_a_column_that_cannot_be_used_is_not_taken_and_said(tmp_path: Path) -> None:
    said = "column 'T_text' is not taken: f.csv: row 2, column 'T_text': not a number 'x'"

    assert completed(small(tmp_path, "  exog: all\n")).notes == (said,)
    assert completed(small(tmp_path, "  exog: [T_*]\n")).notes == (said,)
    for written in ("[T_in]", "[w*]", "{all_but: [T_text]}"):
        assert not completed(small(tmp_path, f"  exog: {written}\n")).notes


def test_no_column_left_is_no_target(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="5:11: target: no column is left"):
        completed(sweep(tmp_path, BASE.replace("load", '["wind", "!wind"]') + WINDOW))


def test_subsets_take_the_columns_of_a_group_together() -> None:
    assert offer_of_subsets(FACTS).select(["all"]) == ("load", "T_in", "T_out", "wind", "place")


# ---- the season ----------------------------------------------------------------------------------


@pytest.mark.parametrize("net", ["seasonal", "sparsetsf", "cyclenet"])
@pytest.mark.parametrize(("cadence", "season"), [(HOURLY, 24), (DAILY, 7)])
def test_a_net_of_one_season_takes_that_of_the_data(
    tmp_path: Path, net: str, cadence: Cadence, season: int
) -> None:
    made = completed(small(tmp_path, "", [f"net={net}"]), replace(FACTS, cadence=cadence))

    (run,) = made.runs
    assert run.config.as_json()["net"]["period"] == season
    assert made.notes == (f"a season is {season} rows",)


def test_a_season_that_is_written_stays(tmp_path: Path) -> None:
    read = small(tmp_path, "", ["net={name: seasonal, period: 12}"])

    made = completed(read)

    assert [run.config for run in made.runs] == [run.config for run in read.runs()]
    assert not made.notes


def test_a_seasonal_decomposition_takes_the_season_of_the_data(tmp_path: Path) -> None:
    (run,) = completed(small(tmp_path, "  decompose: stl\n"), replace(FACTS, cadence=DAILY)).runs

    assert run.config.decompose.period == 7
    assert run.config.reduced().decompose.as_params()["period"] == 7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  decompose: stl\n", "8:14: nothing says how many rows make a season, and stl goes by"),
        (
            "  decompose: emd\n  components: {Residue: {net: seasonal}}\n",
            "9:15: nothing says how many rows make a season, and seasonal goes by one",
        ),
        (
            "  net.period: null\n",
            "write `season: …` under dataset, or `period: …` beside cyclenet",
        ),
    ],
)
@pytest.mark.parametrize("season", [None, 1])
def test_where_no_season_is_known_it_is_asked_for(
    tmp_path: Path, text: str, said: str, season: int | None
) -> None:
    net = ["net=cyclenet"] if "period" in text else []

    with pytest.raises(SweepError) as caught:
        completed(
            small(tmp_path, text.replace("  net.period: null\n", ""), net),
            replace(FACTS, cadence=replace(ROWS, season=season)),
        )

    assert said in str(caught.value)


def test_data_sets_of_one_season_are_said_together(tmp_path: Path) -> None:
    runs = small(tmp_path, "", ["net=cyclenet", "dataset=etth1,ettm1,./d.csv"]).runs()
    hours, minutes, days = (run.config.dataset for run in runs)
    quarters = replace(FACTS, cadence=replace(HOURLY, season=96))
    alike: dict[Section, DatasetFacts] = {hours: FACTS, minutes: FACTS, days: FACTS}

    same = complete(runs, alike, default_baselines=False)
    different = complete(runs, alike | {minutes: quarters}, default_baselines=False)

    assert same.notes == ("a season is 24 rows",)
    assert different.notes == (
        "a season of etth1, ./d.csv is 24 rows",
        "a season of ettm1 is 96 rows",
    )


# ---- baselines -----------------------------------------------------------------------------------


@pytest.mark.parametrize("season", [None, 1])
def test_a_baseline_nobody_asked_for_is_left_out_where_there_is_no_season(
    tmp_path: Path, season: int | None
) -> None:
    made = completed(
        sweep(tmp_path, DEFAULTS + WINDOW), replace(FACTS, cadence=replace(ROWS, season=season))
    )

    assert nets(made.runs) == ["lstm", "last", "drift", "ridge"]
    assert [run.ordinal for run in made.runs] == [0, 1, 2, 3]
    said = "nothing says how many rows make a season, and seasonal goes by one"
    assert made.notes == (f"baseline seasonal is left out: {said}",)


def test_a_baseline_that_was_asked_for_is_refused_there(tmp_path: Path) -> None:
    read = sweep(tmp_path, BASE.replace("[]", "[last, seasonal]") + WINDOW)

    with pytest.raises(SweepError, match=r"2:19: nothing says how many rows make a season"):
        completed(read, replace(FACTS, cadence=ROWS))


def test_a_season_longer_than_training_is_no_reason_to_refuse_what_was_asked(
    tmp_path: Path,
) -> None:
    short = replace(FACTS, rows=100, cadence=replace(DAILY, season=365))

    made = completed(sweep(tmp_path, DEFAULTS + WINDOW), short)

    assert nets(made.runs) == ["lstm", "last", "drift", "ridge"]
    assert (
        "baseline seasonal is left out: seasonal: the train part has 60 of 100 rows"
        in made.notes[1]
    )


def test_a_baseline_that_is_a_run_of_the_sweep_already_is_not_added(tmp_path: Path) -> None:
    read = sweep(tmp_path, DEFAULTS + WINDOW, ["net={name: seasonal, period: 24}"])

    made = completed(read)

    assert nets(made.runs) == ["seasonal", "last", "drift", "ridge"]


@pytest.mark.parametrize(
    ("axes", "baselines", "equal"),
    [
        ("net.name: [lstm, ridge]", "[ridge]", [1]),
        ("net.name: [lstm, ridge]", "[last]", []),
        ("net.name: [lstm, ridge]", "[]", []),
        ("net: [lstm, {name: ridge, alpha: 7}]", "[ridge]", []),
        ("net: [lstm, {name: ridge, alpha: 7}]", "[{name: ridge, alpha: 7}]", [1]),
        ("net: [{name: seasonal, period: 24}, {name: seasonal, period: 7}]", "[seasonal]", [0]),
        ("decompose: [none, emd], net: [ridge, last]", "[ridge, last]", [0, 1, 3]),
        ("net: [ridge], exog: [[], [wind]]", "[ridge]", [0, 1]),
    ],
)
def test_runs_that_a_baseline_would_be_are_known(
    tmp_path: Path, axes: str, baselines: str, equal: list[int]
) -> None:
    text = BASE.replace("[]", baselines).replace("  net: lstm\n", "")
    read = sweep(tmp_path, text + WINDOW + f"parameters: {{{axes}}}\n")

    made = completed(read)

    given: dict[Section, DatasetFacts] = {run.config.dataset: FACTS for run in made.runs}
    assert equal_to_baselines(made.runs, read.baselines, given) == equal
    # And none of them runs twice
    configs = [run.config.reduced() for run in made.runs if run.role == "baseline"]
    assert not [run for run in made.runs if run.ordinal in equal and run.config in configs]


def test_baselines_of_the_same_columns_however_written_are_one(tmp_path: Path) -> None:
    text = (
        BASE.replace("[]", "[ridge]") + WINDOW + "parameters: {exog: [[T_*], [T_in, T_out], []]}\n"
    )

    made = completed(sweep(tmp_path, text))

    assert nets(made.runs) == ["lstm", "lstm", "lstm", "ridge", "ridge"]


def test_repetitions_share_one_completed_configuration(tmp_path: Path) -> None:
    made = completed(small(tmp_path, "  exog: all\nseeds: 5\n", ["net=cyclenet"]))

    assert len(made.runs) == 5
    assert len({id(run.config) for run in made.runs}) == 1


# ---- what a reader has to know of the data -------------------------------------------------------


@hypothesis_settings(deadline=None, max_examples=25)
@given(st.sets(st.integers(0, 99), min_size=1))
def test_changed_cells_are_counted_by_column_and_part(
    tmp_path_factory: pytest.TempPathFactory, rows: set[int]
) -> None:
    changed = {"load": np.array(sorted(rows)), "wind": np.array([3])}
    given = facts("load", "wind", rows=100, meaning=Meaning(changed=changed))
    runs = small(tmp_path_factory.mktemp("sweep")).runs()

    (note,) = data_notes(runs, {runs[0].config.dataset: given})

    counts = (
        sum(row in part for row in rows) for part in (range(60), range(60, 70), range(70, 100))
    )
    parts = "train {}, val {}, test {}".format(*counts)
    assert note == f"load: {len(rows)} of 100 values are not the file's ({parts})."


def test_changed_cells_after_the_test_part_are_counted_apart(tmp_path: Path) -> None:
    given = facts("load", rows=100, meaning=Meaning(changed={"load": np.array([0, 99])}))
    runs = small(tmp_path, "  split: {train: 60, val: 10, test: 20}\n").runs()

    (note,) = data_notes(runs, {runs[0].config.dataset: given})

    assert note.endswith("2 of 100 values are not the file's (train 1, val 0, test 0, unused 1).")


def test_columns_that_are_declared_known_are_named(tmp_path: Path) -> None:
    given = facts("load", "plan", "other", meaning=Meaning(declared=frozenset({"plan", "other"})))
    runs = small(tmp_path, "  exog: [plan]\n").runs()

    notes = data_notes(runs, {runs[0].config.dataset: given})

    assert notes == ("plan is known ahead because the sweep says so.",)


# ---- files ---------------------------------------------------------------------------------------

DAYS = "date,y,T_a,T_b,name\n" + "".join(
    f"2020-{1 + day // 28:02}-{1 + day % 28:02},{day % 7},{day},{-day * day % 11},x\n"
    for day in range(28)
)


def prepared(folder: Path, text: str, **replaced: Any) -> Any:
    (folder / "days.csv").write_text(DAYS)
    path = folder / "sweep.yaml"
    written = BASE.replace("synthetic", "days.csv").replace("load", "y").replace("lstm", "ridge")
    path.write_text(written + "  window: {input: 2}\n" + text)
    return prepare(path, (), None, **replaced)


def test_a_file_says_which_columns_subsets_have_and_where_dates_fall(tmp_path: Path) -> None:
    split = "  split: {val: 2020-01-15, test: 2020-01-20}\n"

    checked = prepared(tmp_path, split + "parameters: {exog: {subsets: all}}\n")

    assert [run.config.exog for run in checked.runs] == [(), ("T_a",), ("T_b",), ("T_a", "T_b")]
    assert {run.config.split.val for run in checked.runs} == {"2020-01-15"}
    given = [step.params for step in checked.plan.steps.values() if step.op == "fit"]
    for params in given:
        assert params["split"] == {"train": [0, 14], "val": [14, 19]}
    (of_test,) = {
        tuple(step.params["split"]["test"])
        for step in checked.plan.steps.values()
        if step.op == "forecast"
    }
    assert of_test == (19, 28)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "  exog: [name]\n",
            "8:9: column 'name' cannot be used: days.csv: column 'name': holds texts",
        ),
        (
            "  split: {val: 2020-01-15, test: 2021-01-20}\n",
            "8:34: 2021-01-20 is not within the data, which go from 2020-01-01 00:00:00 to",
        ),
    ],
)
def test_what_does_not_fit_a_file_is_said_with_its_place(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(SweepError) as caught:
        prepared(tmp_path, text)

    assert said in str(caught.value)


def test_data_that_have_a_say_have_to_be_there(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    axes = "parameters: {exog: {subsets: all}}\n"
    path.write_text(BASE.replace("synthetic", "etth9") + WINDOW + axes)

    with pytest.raises(DataError, match=r"sweep\.yaml:4:12: no data folder .* 'etth9'"):
        prepare(path, (), None)


# ---- rooms, delays and categories ----------------------------------------------------------------


def known_from(row: int, **changed: Any) -> ColumnFacts:
    digest = f"{row} {changed}"
    return ColumnFacts(constant=False, extrema=9, digest=digest, first=row, **changed)


def check(read: Sweep, given: DatasetFacts) -> str:
    from pyheta.plan.checks import check_runs

    try:
        check_runs(read.runs(), {run.config.dataset: given for run in read.runs()})
    except SweepError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("first", [50, 51, 52])
def test_windows_begin_where_all_their_columns_are_known(tmp_path: Path, first: int) -> None:
    columns = {"load": known_from(0), "late": known_from(first)}
    given = facts("load", "late", rows=100, by_column=columns)

    said = check(small(tmp_path, "  exog: [late]\n"), given)

    # Of 60 training rows, 8 are a window and one is its target
    assert bool(said) == (first > 51)
    assert ("60 of 100 rows (52 of them before 'late' is known), a window of 8" in said) == bool(
        said
    )
    assert not check(small(tmp_path), given)


@pytest.mark.parametrize(
    ("text", "overrides", "said"),
    [
        ("", ["target=late"], "column 'late' becomes known 9 rows late, so it cannot be a target"),
        ("  exog: [late]\n", [], "column 'late' becomes known 9 rows late, after a whole window"),
        ("  exog: [late]\n", ["window.input=9"], ""),
    ],
)
def test_delayed_columns_are_no_targets_and_fit_into_windows(
    tmp_path: Path, text: str, overrides: list[str], said: str
) -> None:
    given = facts("load", "late", meaning=Meaning(delayed={"late": 9}))

    found = check(small(tmp_path, text, overrides), given)

    assert said in found
    assert bool(said) == bool(found)


@pytest.mark.parametrize(
    ("changes_at", "fits"), [(59, True), (60, False), (99, False), (None, True)]
)
def test_a_category_is_seen_in_training(
    tmp_path: Path, changes_at: int | None, *, fits: bool
) -> None:
    columns = {"load": known_from(0), "place=x": known_from(0, changes_at=changes_at)}
    meaning = Meaning(groups={"place": ("place=x",)})
    given = facts("load", "place=x", rows=100, by_column=columns, meaning=meaning)

    said = check(small(tmp_path, "  exog: [place=x]\n"), given)

    assert (not said) == fits
    if not fits:
        row = (changes_at or 0) + 1
        assert f"'place' is 'x' first in row {row} of the table, after training" in said
        assert "leave out 'place' or train on more rows" in said


def test_of_several_data_sets_what_holds_for_all_is_said() -> None:
    one = replace(FACTS, notes=("read as CSV", "one of 2 series: a"))
    other = replace(FACTS, notes=("read as CSV", "one of 2 series: b"))

    assert found_notes([one]) == ("read as CSV", "one of 2 series: a")
    assert found_notes([one, other]) == ("read as CSV",)
