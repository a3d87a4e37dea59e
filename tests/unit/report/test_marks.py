"""The marks of a table: what stored losses say of results, and what is said where they lack."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import run_row, sweep_row
from numpy.typing import NDArray
from rich.console import Console
from stored import Stored, losses

from pyheta.errors import StoreError, StoreUnavailable
from pyheta.pipeline.losses import Loss, Losses, PartLosses
from pyheta.pipeline.metrics import METRICS, MetricDefinition
from pyheta.report import marks
from pyheta.report.cells import SEASONS, Cell, season_key
from pyheta.report.formats import as_json, to_csv, to_markdown, to_terminal
from pyheta.report.query import ReportQuery
from pyheta.report.read import read_answer, read_table
from pyheta.report.table import Table, build
from pyheta.report.views import About
from pyheta.report.wording import lines, notes
from pyheta.screen import to_json
from pyheta.store.seam import RunRow, SweepRow

WINDOWS = 400
HARD = np.random.default_rng(0).chisquare(1, WINDOWS) + 0.5  # how hard each window is for everybody
SWEEP = sweep_row("net.name")
RMSE = ReportQuery(("rmse",))

Squares = NDArray[np.floating[Any]]


def noise(seed: int, size: float = 0.05) -> Squares:
    """What is a candidate's own luck; it is 0 on the whole."""
    own = np.random.default_rng(seed).normal(size=WINDOWS)
    centred: Squares = size * (own - own.mean())
    return centred


class Study:
    """Runs, and what they keep."""

    def __init__(self, sweep: SweepRow = SWEEP) -> None:
        self.sweep = sweep
        self.runs: list[RunRow] = []
        self.kept: dict[Any, Losses] = {}

    def add(
        self,
        net: str,
        square: Squares,
        *,
        seed: int = 0,
        role: str = "net",
        config: Mapping[str, Any] | None = None,
        keeps: bool = True,
        first: int = 1000,
        unit: float = 1.0,
        **metrics: float,
    ) -> RunRow:
        """A run with these squared errors, by which its rmse follows."""
        values = {"rmse": float(np.sqrt(square.mean()))} | metrics
        full = {"net": {"name": net}} | dict(config or {})
        row = run_row(full, seed, role=role, metrics=values)
        self.runs.append(row)
        if keeps:
            self.kept[row.score] = losses(square, first=first, unit=unit)
        return row

    def table(self, query: ReportQuery = RMSE) -> Table:
        return build(self.sweep, self.runs, query, self.kept)

    @property
    def stored(self) -> Stored:
        return Stored(self.sweep, self.runs, self.kept)


def cell(table: Table, *labels: str, column: int = 0) -> Cell:
    found = next(row for row in table.rows if row.labels == labels).cells[column]
    assert found is not None
    return found


def shown(table: Table) -> list[str]:
    """The marks of each row's first cell."""
    return [line.cells[0].marks for line in lines(table)]


def said(table: Table, word: str) -> list[str]:
    return [note for note in notes(table) if word in note]


@pytest.fixture
def study() -> Study:
    """A net that is lowest by chance, one that is worse, and baselines between and beyond."""
    made = Study()
    made.add("lstm", HARD + noise(1))
    made.add("gru", HARD + noise(2) + 0.001)
    made.add("mlp", HARD + noise(3) + 0.1)
    made.add("ridge", HARD + noise(4) + 0.0005, role="baseline")
    made.add("last", HARD + noise(5) + 0.05, role="baseline")
    return made


# ---- what is shown -------------------------------------------------------------------------------


def test_the_lowest_does_not_stand_alone_where_others_cannot_be_told_apart(study: Study) -> None:
    table = study.table()

    assert shown(table) == ["*?", "=?", "!", "=", ""]
    assert [line.remark for line in lines(table)] == ["? ridge", "? ridge", "ridge, last", "", ""]
    assert said(table, "lowest error of those that forecast the same values.")
    assert said(table, "= cannot be told apart from it.")
    assert said(table, "! worse than a baseline that forecasts the same values.")
    assert said(table, "? cannot be told apart from a baseline.")
    (basis,) = said(table, "Told apart")
    assert basis == (
        "Told apart: 0 is not in the 95 % interval of the paired difference in squared error of "
        "400 windows (circular block bootstrap, 2,000 draws, blocks of 8)."
    )
    assert not said(table, "means alone")


def test_the_lowest_stands_alone_where_all_others_are_worse() -> None:
    study = Study()
    study.add("lstm", HARD + noise(1))
    study.add("gru", HARD + noise(2) + 0.1)
    study.add("last", HARD + noise(3) + 0.2, role="baseline")

    table = study.table()

    assert shown(table) == ["*", "", ""]
    assert cell(table, "lstm").better_than == cell(table, "gru").better_than == ("last",)
    assert not said(table, "= cannot")


def test_machines_get_each_baseline_in_one_of_three_lists(study: Study) -> None:
    study.add("tcn", HARD + noise(6) + 0.02)
    table = study.table()

    document = json.loads(to_json(as_json(table)))
    found = {row["row"]["net.name"]: row["cells"][0] for row in document["rows"]}
    assert [found["lstm"][name] for name in ("best", "tied")] == [True, False]
    assert [found["gru"][name] for name in ("best", "tied")] == [False, True]
    lists = {
        net: [found[net][name] for name in ("worse_than", "tied_with", "better_than")]
        for net in ("lstm", "mlp", "tcn", "last")
    }
    assert lists == {
        "lstm": [[], ["ridge"], ["last"]],
        "mlp": [["ridge", "last"], [], []],
        "tcn": [["ridge"], [], ["last"]],
        "last": [[], [], []],
    }
    assert document["intervals"] == {
        "level": 0.95,
        "draws": 2000,
        "of": [{"judge": "square", "windows": 400, "block": 8}],
    }
    assert document["means_alone"] == []
    rows = {row["net.name"]: row for row in csv.DictReader(io.StringIO(to_csv(table)))}
    assert (rows["mlp"]["worse_than"], rows["mlp"]["tied_with"]) == ("ridge; last", "")
    assert (rows["gru"]["tied"], rows["gru"]["better_than"]) == ("True", "last")


def test_every_form_shows_the_marks(study: Study) -> None:
    table = study.table()
    console = Console(width=80, file=io.StringIO(), markup=False)
    console.print(to_terminal(table))
    assert isinstance(console.file, io.StringIO)

    assert "1.2" in (text := console.file.getvalue())
    assert max(map(len, text.splitlines())) <= 80
    assert " *?" in text
    assert " =?" in text
    markdown = to_markdown(table).splitlines()
    assert markdown[2].startswith("| lstm | **1.")
    assert markdown[2].endswith("** ? | 1 | ? ridge |")
    assert "- = cannot be told apart from it." in markdown


def test_the_same_forecasts_are_all_best_and_said_to_be_the_same() -> None:
    study = Study()
    for net in ("dlinear", "nlinear"):
        study.add(net, HARD)
    study.add("mlp", HARD + noise(1) + 0.1)

    assert shown(study.table()) == ["*", "*", ""]
    assert said(study.table(), "the same values (several: the same forecasts).")


def test_a_row_names_a_baseline_once_by_the_worst_that_it_comes_to() -> None:
    # Given a net that is worse than ridge at one horizon, and as good at another, where last is too
    study = Study(sweep_row("window.horizon"))
    for horizon, more in ((1, 0.1), (2, 0.001)):
        config = {"window": {"input": 8, "horizon": horizon}}
        study.add("lstm", HARD + noise(horizon) + more, config=config)
        study.add("ridge", HARD + noise(3), role="baseline", config=config)
        study.add("last", HARD + noise(4) + more, role="baseline", config=config)

    table = study.table(ReportQuery(("rmse",), cols=("window.horizon",)))

    assert [words.marks for words in lines(table)[0].cells] == ["!", "=?"]
    assert lines(table)[0].remark == "ridge, ? last"


def test_what_is_as_good_by_chance_is_not_said_to_be_the_same() -> None:
    study = Study()
    study.add("dlinear", HARD)
    study.add("nlinear", HARD[::-1].copy(), rmse=study.runs[0].metrics["test", "rmse", 0])

    # And elsewhere two that made the same forecasts
    config = {"window": {"input": 8, "horizon": 96}}
    for net in ("dlinear", "nlinear"):
        study.add(net, HARD, config=config)
    table = study.table(ReportQuery(("rmse",), cols=("window.horizon",)))

    assert [[each.marks for each in line.cells] for line in lines(table)] == [["*", "*"]] * 2
    assert not said(table, "the same forecasts")


# ---- what is compared ----------------------------------------------------------------------------


def test_the_loss_of_a_candidate_is_the_mean_over_its_seeds() -> None:
    # Given two nets whose seeds have opposite luck
    study, luck = Study(), noise(1, 0.15)
    for seed, sign in enumerate((1, -1)):
        study.add("lstm", HARD + sign * luck, seed=seed)
        study.add("gru", HARD - sign * luck + 0.01, seed=seed)
    study.add("mlp", HARD + luck + 0.01)

    # Then one is worse by a little everywhere, and of a single seed nothing is known
    assert shown(study.table()) == ["*", "", "="]


def test_a_run_that_equals_a_baseline_is_judged_as_that_baseline() -> None:
    study = Study(sweep_row("net.name", report={"as_baselines": [0]}))
    study.add("ridge", HARD + noise(1))
    study.add("lstm", HARD + noise(2) + 0.001)
    study.add("mlp", HARD + noise(3) + 0.1)
    study.add("last", HARD + noise(4) + 0.1, role="baseline")

    study.runs = [replace(row, ordinal=at) for at, row in enumerate(study.runs)]
    table = study.table()

    assert cell(table, "lstm").tied_with == ("ridge",)
    assert cell(table, "mlp").worse_than == ("ridge",)
    assert cell(table, "mlp").tied_with == ("last",)
    assert (cell(table, "ridge").best, cell(table, "ridge").better_than) == (True, ("last",))
    assert cell(table, "ridge").tied_with == ()
    assert shown(table) == ["*", "=?", "!", ""]


@pytest.mark.parametrize("metric", ["rmse", "mae"])
def test_results_that_are_scaled_otherwise_are_compared_in_units_of_the_target(
    metric: str,
) -> None:
    # Given nets of which the third is worse, and losses in units of three scalers
    study = Study(sweep_row("scale"))
    for number, (scale, unit, more) in enumerate(
        (("standard", 70.0, 0.0), ("minmax", 10.0, 0.001), ("robust", 700.0, 0.1))
    ):
        own = HARD + noise(number) + more
        mae, rmse = float(np.sqrt(own).mean()), float(np.sqrt(own.mean()))
        found = dict[str, Any](mae=mae, mae_scaled=mae / unit, rmse=rmse)
        study.add("lstm", own / unit**2, config={"scale": scale}, unit=unit, **found)

    assert shown(study.table(ReportQuery((metric,)))) == ["*", "=", ""]


def test_of_a_baseline_in_several_rows_the_best_counts() -> None:
    study = Study(sweep_row("net.name", "exog"))
    study.add("lstm", HARD + noise(1) + 0.05)
    for more, exog in ((0.1, []), (0.0, ["HUFL"])):
        study.add("ridge", HARD + noise(2) + more, role="baseline", config={"exog": exog})

    assert cell(study.table(), "lstm", "-").worse_than == ("ridge",)
    assert cell(study.table(), "lstm", "-").better_than == ()


def test_absolute_errors_judge_what_is_made_of_them() -> None:
    # Given a net that is better in all windows but one, where it is far worse
    study = Study()
    study.add("lstm", HARD, mae=1.0)
    far = np.where(np.arange(WINDOWS) == 200, HARD + 90, HARD - 0.2)
    study.add("gru", far, mae=0.9)

    table = study.table(ReportQuery(("rmse", "mae")))

    words = [[each.marks for each in line.cells] for line in lines(table)]
    assert words == [["*", ""], ["=", "*"]]
    assert {basis.judge for basis in table.bases} == {"square", "absolute"}
    assert said(table, "difference in absolute or squared error of 400 windows")


def test_losses_that_contradict_a_metric_tell_nothing_apart() -> None:
    # Given an smape that is lower where absolute errors are larger throughout
    study = Study()
    study.add("lstm", HARD + 0.1, smape=0.5)
    study.add("gru", HARD, smape=0.6)

    assert shown(study.table(ReportQuery(("smape",)))) == ["*", "="]


def test_validation_is_judged_by_its_own_losses() -> None:
    # Given losses of validation that are alike, beside those of a test that are not
    study = Study()
    for number, net in enumerate(("lstm", "gru")):
        row = study.add(net, HARD + number)
        values = {("val", "rmse", 0): 1.0 + number / 1e3, **row.metrics}
        study.runs[-1] = replace(row, metrics=values)
        val = losses(HARD + noise(number), part="val").parts
        study.kept[row.score] = Losses({**study.kept[row.score].parts, **val})

    assert shown(study.table()) == ["*", ""]
    assert shown(study.table(ReportQuery(("rmse",), split="val"))) == ["*", "="]


async def test_each_of_several_targets_is_judged_by_its_own_losses() -> None:
    study = Study()
    for net, of_b in (("lstm", 0.2), ("gru", 0.0)):
        config = {"target": ["a", "b"]}
        metrics = dict[str, Any]({"a/rmse": 1.0 + of_b / 1e3, "b/rmse": of_b})
        row = study.add(net, HARD, config=config, **metrics)
        own = {
            name: Loss((HARD + more).astype("f4"), HARD.astype("f4"))
            for name, more in (("a", noise(len(net))), ("b", of_b))
        }
        rows = np.arange(WINDOWS)
        study.kept[row.score] = Losses({"test": PartLosses(rows, own["a"], own)})
    stored = study.stored

    table = await read_answer(
        stored.reads, stored.artifacts, None, ReportQuery(("rmse",)), About.TARGETS
    )

    assert isinstance(table, Table)
    marked = {line.labels[0]: [each.marks for each in line.cells[1:]] for line in lines(table)}
    assert marked == {"lstm": ["=", ""], "gru": ["*", "*"]}


def test_a_season_or_a_horizon_is_the_length_of_a_block() -> None:
    def block(horizon: int, seasons: Mapping[str, int]) -> int:
        study = Study(sweep_row("net.name", report={SEASONS: seasons} if seasons else {}))
        for number, net in enumerate(("lstm", "gru")):
            study.add(net, HARD + number, config={"window": {"input": 8, "horizon": horizon}})
        (basis,) = study.table().bases
        return basis.block

    key = season_key({"name": "etth1"})
    assert [block(1, {}), block(48, {}), block(48, {key: 24}), block(1, {key: 24})] == [
        8,
        48,
        48,
        24,
    ]
    assert block(1, {"of another data set": 24}) == 8


# ---- what stays a comparison of means ------------------------------------------------------------


def test_runs_of_earlier_versions_keep_no_losses_and_their_means_are_compared(study: Study) -> None:
    study.kept.clear()
    table = study.table()

    assert shown(table) == ["*", "!", "!", "", ""]
    assert said(table, "means alone") == [
        "rmse: means alone are compared where no losses are kept of some results."
    ]
    assert as_json(table)["means_alone"] == [
        {"metric": "rmse", "reason": "no losses are kept of some results"}
    ]
    assert table.bases == ()


def test_a_result_of_which_one_seed_keeps_no_losses_is_compared_by_its_mean(study: Study) -> None:
    study.add("lstm", HARD + noise(1), seed=1, keeps=False)
    table = study.table()

    assert cell(table, "gru").tied_with == ("ridge",)
    assert said(table, "means alone")
    assert said(table, "Told apart")


def test_different_windows_are_not_paired(study: Study) -> None:
    study.add("tcn", HARD + noise(9) + 0.01, first=1001)
    table = study.table()

    assert not cell(table, "tcn").tied
    assert said(table, "where results are about different windows.")


def test_few_windows_say_nothing() -> None:
    study = Study()
    for number, net in enumerate(("lstm", "gru")):
        study.add(net, HARD[:29] + number / 1e6)

    assert shown(study.table()) == ["*", ""]
    assert said(study.table(), "where 29 windows are fewer than 30.")


def test_a_metric_that_is_no_mean_over_windows_has_no_interval(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = MetricDefinition("closeness", lambda errors: errors.absolute.mean(), unit="from 0 to 1")
    monkeypatch.setitem(METRICS, own.name, own)
    study.runs = [
        replace(row, metrics={("test", "closeness", 0): at / 10})
        for at, row in enumerate(study.runs)
    ]

    table = study.table(ReportQuery(("closeness",)))

    assert said(table, "means alone") == [
        "closeness: means alone are compared where it has no losses of single windows."
    ]


def test_training_keeps_no_losses(study: Study) -> None:
    study.runs = [
        replace(row, metrics={("train", "rmse", 0): row.metrics["test", "rmse", 0]})
        for row in study.runs
    ]

    table = study.table(ReportQuery(("rmse",), split="train"))

    assert shown(table) == ["*", "!", "!", "", ""]
    assert said(table, "where no losses are kept of the training part.")


def test_a_mean_over_several_questions_has_no_interval() -> None:
    study = Study()
    for number, net in enumerate(("lstm", "gru")):
        for name in ("etth1", "ettm1"):
            study.add(net, HARD + number, config={"dataset": {"name": name}})

    table = study.table(ReportQuery(("rmse",), rows=("net.name",)))

    assert shown(table) == ["*", ""]
    assert said(table, "where a cell is a mean over several data sets, targets or horizons.")


@pytest.mark.parametrize("option", ["window", "refit", "final"])
def test_how_folds_are_trained_does_not_change_what_is_forecast(option: str) -> None:
    study = Study(sweep_row(f"split.{option}"))
    split = {"train": 800, "val": 100, "test": 100, "folds": 8}
    for number, value in enumerate(("one", "another")):
        config = {"split": split | {option: value}}
        study.add("lstm", HARD + noise(number) + 0.001 * number, config=config)

    assert sorted(shown(study.table())) == ["*", "="]


def test_other_options_of_a_split_do() -> None:
    study = Study(sweep_row("split.test"))
    for number, test in enumerate((100, 200)):
        study.add("lstm", HARD + number, config={"split": {"train": 800, "val": 100, "test": test}})

    assert shown(study.table()) == ["", ""]


# ---- what is read --------------------------------------------------------------------------------


async def test_a_report_reads_the_losses_of_what_it_compares(study: Study) -> None:
    # Given results that saw the future and one that nothing is compared with
    leaky = {"decompose": {"method": "emd", "mode": "full"}}
    study.add("lstm", HARD - 0.4, config=leaky)
    study.add("lstm", HARD, config={"window": {"input": 8, "horizon": 96}})
    query = ReportQuery(("rmse", "skill"), rows=("net.name", "window.horizon", "decompose.mode"))
    stored = study.stored

    table = await read_table(stored.reads, stored.artifacts, None, query)

    assert stored.fetched == 5
    assert shown(table) == ["*?", "=?", "!", "~", "", "=", ""]
    assert table == study.table(query)


async def test_the_same_store_gives_the_same_bytes(study: Study) -> None:
    stored = study.stored
    twice = [
        to_json(as_json(await read_table(stored.reads, stored.artifacts, None, RMSE)))
        for _ in range(2)
    ]

    assert twice[0] == twice[1]


async def test_of_many_results_the_best_are_judged_and_all_baselines() -> None:
    # Given more nets than are judged, baselines that are worse than all, and one net for each rank
    study = Study()
    nets = marks.MOST_CANDIDATES + 7
    for number in range(nets):
        study.add(f"net{number:02}", HARD + noise(number) + 0.001 * number)
    for name in ("last", "drift"):
        study.add(name, HARD + noise(len(name)) + 0.3, role="baseline")
    stored = study.stored

    table = await read_table(stored.reads, stored.artifacts, None, RMSE)

    assert stored.fetched == marks.MOST_CANDIDATES + 2
    assert cell(table, "net00").best
    assert cell(table, "net01").tied
    assert cell(table, "net62").better_than == cell(table, "net69").better_than == ("last", "drift")
    assert said(table, "where beside the baselines, only the best 63 have intervals.")


async def test_contests_beyond_what_can_be_read_are_compared_by_means(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "MOST_SCORES", 6)
    for number, net in enumerate(("lstm", "gru")):
        config = {"window": {"input": 8, "horizon": 96}}
        study.add(net, HARD + noise(number) + 0.01 * number, config=config)
    stored = study.stored
    query = ReportQuery(("rmse",), cols=("window.horizon",))

    table = await read_table(stored.reads, stored.artifacts, None, query)

    assert stored.fetched == 5
    assert cell(table, "gru").tied
    assert not cell(table, "gru", column=1).tied
    assert said(table, "where a table reads the losses of")


@pytest.mark.parametrize("error", [StoreError("damaged"), None])
async def test_a_file_that_is_lost_or_no_file_of_losses_costs_no_more_than_its_intervals(
    study: Study, monkeypatch: pytest.MonkeyPatch, error: StoreError | None
) -> None:
    async def fetch(self: Stored, sha256: str, to: Path) -> None:
        to.write_bytes(b"something else")
        if error:
            raise error

    monkeypatch.setattr(Stored, "fetch", fetch)
    stored = study.stored

    table = await read_table(stored.reads, stored.artifacts, None, RMSE)

    assert said(table, "means alone")


async def test_a_store_that_is_out_of_reach_is_said_so(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fetch(self: Stored, sha256: str, to: Path) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(Stored, "fetch", fetch)
    stored = study.stored

    with pytest.raises(StoreUnavailable):
        await read_table(stored.reads, stored.artifacts, None, RMSE)
