"""A first sweep for a file: what it forecasts, that it fits, that it reads back."""

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pyheta.commands.first_sweep import _with_pick
from pyheta.commands.init import init
from pyheta.errors import DataError, InputError
from pyheta.pipeline.data.guess import guess_among
from pyheta.pipeline.data.sources import as_it_is
from pyheta.plan.prepare import prepare
from pyheta.sweep import Sweep, read_sweep
from pyheta.sweep.written import can_be_written


def series(path: Path, rows: int, columns: list[str], step: timedelta, time: str = "date") -> Path:
    """A file of random walks, one for each column."""
    values = np.random.default_rng(0).standard_normal((rows, len(columns))).cumsum(axis=0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([time, *columns])
        for row in range(rows):
            writer.writerow([datetime(2020, 1, 1) + row * step, *values[row]])  # noqa: DTZ001
    return path


def made(path: Path, *arguments: str) -> Sweep:
    """The sweep that `init` writes beside a file."""
    return read_sweep(init([str(path), str(path.parent), *arguments], None).path)


# ---- what it says --------------------------------------------------------------------------------


def test_a_first_sweep_of_a_file_forecasts_a_season_ahead(tmp_path: Path) -> None:
    # Given hours, with a column that is no number and one that never changes
    path = series(tmp_path / "hours.csv", 2000, ["load", "temp"], timedelta(hours=1))
    # When
    written = init([str(path), str(tmp_path)], None)
    # Then
    runs = read_sweep(written.path).runs()
    config = runs[0].config
    assert (config.target, config.window.input, config.window.horizon) == (("load",), 48, 24)
    assert {run.config.exog for run in runs if run.role == "net"} == {(), ("temp",)}
    assert {run.config.net.name for run in runs if run.role == "baseline"} == {
        *("last", "seasonal", "drift", "ridge")
    }
    assert written.sentences == [
        "target: 'load' (targets are often called so)",
        "window: 24 rows ahead from the last 48; a season has 24 rows",
    ]
    assert prepare(written.path, [], None).runs


@pytest.mark.parametrize(
    ("columns", "target"),
    [
        (["a", "b", "c"], "c"),
        (["OT", "HUFL"], "OT"),
        (["Open", "High", "Low", "Close", "Volume"], "Close"),
        (["temp_max", "temp_min", "wind"], "temp_max"),
        (["meanTemp", "x"], "meanTemp"),
        (["y", "x"], "y"),
        (["x", "Y coordinate"], "Y coordinate"),  # the last: a y as a word may be anything
        (["sales", "id"], "sales"),
        (["speed", "id", "year"], "speed"),
        (["0", "1", "OT"], "OT"),
        (["0", "1", "2"], "2"),
        (["Price [EUR/MWh]", "x"], "Price [EUR/MWh]"),
    ],
)
def test_the_target_is_guessed_by_its_name(columns: list[str], target: str) -> None:
    assert guess_among(columns).column == target


def test_a_column_that_is_constant_or_the_target_again_is_no_companion(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = [f"2020-01-{day + 1:02},{day},{day},1,{day * day % 7}" for day in range(30)]
    path.write_text("\n".join(["date,y,copy,flat,other", *rows]))
    assert {run.config.exog for run in made(path).runs()} == {(), ("other",)}


def test_of_very_many_columns_a_few_stand_beside_the_target(tmp_path: Path) -> None:
    names = [f"client {number}" for number in range(300)]
    path = series(tmp_path / "wide.csv", 60, names, timedelta(days=1))
    assert {len(run.config.exog) for run in made(path).runs()} == {0, 4}


def test_options_that_were_needed_stand_in_the_sweep(tmp_path: Path) -> None:
    path = series(tmp_path / "x.csv", 60, ["a: b"], timedelta(days=1), time="when # it was")
    (data,) = {run.config.dataset for run in made(path, "sort=true").runs()}
    assert data.model_dump(mode="json") == {
        "path": "x.csv",
        "time": "when # it was",
        "sort": True,
    }


def test_the_path_counts_from_the_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "study").mkdir()
    series(tmp_path / "data" / "x.csv", 60, ["a"], timedelta(days=1))
    monkeypatch.chdir(tmp_path)
    written = init(["data/x.csv", "study"], None)
    assert written.path == Path("study/sweep.yaml")
    assert "path: ../data/x.csv\n" in written.path.read_text()
    assert prepare(written.path, [], None).runs


def test_made_data_have_a_first_sweep_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written = init(["synthetic", "rows=500"], None)
    (data,) = {run.config.dataset for run in read_sweep(written.path).runs()}
    assert data.model_dump() == {"name": "synthetic", "rows": 500, "seed": 0}
    assert prepare(written.path, [], None).runs


def test_of_a_panel_the_first_series_is_picked_and_said(tmp_path: Path) -> None:
    dataset = {"path": str(tmp_path / "panel.csv"), "series": "symbol"}
    lines = [f"{name},2020-01-{day:02},{day}" for name in ("b: b", "a") for day in range(1, 9)]
    (tmp_path / "panel.csv").write_text("\n".join(["symbol,date,price", *lines]))
    picked, told = _with_pick(dataset, None, as_it_is)
    assert picked == {**dataset, "pick": "b: b"}
    assert told == ["series: 'b: b', the first of 2"]
    assert _with_pick({**dataset, "pick": "a"}, None, as_it_is) == ({**dataset, "pick": "a"}, ())


# ---- what it refuses -----------------------------------------------------------------------------


def test_it_never_overwrites(tmp_path: Path) -> None:
    path = series(tmp_path / "x.csv", 60, ["a"], timedelta(days=1))
    (tmp_path / "sweep.yaml").write_text("mine")
    with pytest.raises(InputError, match=r"sweep\.yaml: cannot write it: .*another folder"):
        init([str(path), str(tmp_path)], None)
    assert (tmp_path / "sweep.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x.csv", "nowhere"], "nowhere/sweep.yaml: cannot write it: .*make the folder first"),
        (["x.csv", ".", "more"], "'more' is one argument too many"),
        ([".", "more"], "'more' is one argument too many"),
        (["season=7"], "'season=7' is one argument too many"),
        (["y.csv"], "no such file"),
        (["flat.csv"], "nothing to forecast"),
        (["short.csv"], "4 rows are too few|3 rows are too few"),
    ],
)
def test_what_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    series(tmp_path / "x.csv", 60, ["a"], timedelta(days=1))
    series(tmp_path / "short.csv", 3, ["a"], timedelta(days=1))
    days = "\n".join(f"2020-01-{day + 1:02},1" for day in range(30))
    (tmp_path / "flat.csv").write_text(f"date,a\n{days}\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=words):
        init(arguments, None)
    assert not list(tmp_path.glob("**/sweep.yaml"))


def test_a_file_that_is_refused_gets_no_sweep_but_its_question(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("date,y\n2020-01-02,1\n2020-01-01,2\n2020-01-03,1\n")
    with pytest.raises(DataError):
        init([str(path), str(tmp_path)], None)
    assert not (tmp_path / "sweep.yaml").exists()


# ---- that it fits --------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(
    rows=st.integers(5, 400),
    step=st.sampled_from([timedelta(minutes=1), timedelta(minutes=30), timedelta(hours=1)])
    | st.sampled_from([timedelta(days=1), timedelta(seconds=7)]),
)
@example(rows=5, step=timedelta(days=1))
@example(rows=12, step=timedelta(hours=1))
def test_windows_fit_into_however_few_rows(rows: int, step: timedelta) -> None:
    with TemporaryDirectory() as folder:
        path = series(Path(folder) / "x.csv", rows, ["a", "b"], step)
        assert prepare(init([str(path), folder], None).path, [], None).runs


#: What may stand in the first line of a CSV file.
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@settings(deadline=None, max_examples=60)
@given(st.lists(names.map(str.strip).filter(bool), min_size=1, max_size=4, unique=True))
@example(["a: b", '# of "x"', "it's, [MW]", "no", "1e3", "*", "~", "{a}", "!x", "&a", "- a"])
@example(["^[$", "^a.*$"])
@example(["\x85", "\u2028b", "\ufeffc", "\U0001f600", "e\tf", "a\nb"])
def test_odd_names_read_back(columns: list[str]) -> None:
    if {"time", "date", "timestamp", "datetime"} & {column.lower() for column in columns}:
        return
    with TemporaryDirectory() as folder:
        path = series(Path(folder) / "x.csv", 40, columns, timedelta(days=1))
        try:
            written = init([str(path), folder], None)
        except DataError:  # a name that no file may have
            return
        # Then the sweep forecasts one of the columns and sees others, by their very names
        checked = prepare(written.path, [], None)
        (facts,) = checked.datasets.values()
        for run in checked.runs:
            assert {*run.config.target, *run.config.exog} <= set(facts.columns)
            assert all(can_be_written(name) for name in run.config.exog)


@settings(deadline=None, max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1))
@example('a "b": #c')
@example("~x")
def test_odd_file_names_read_back(name: str) -> None:
    with TemporaryDirectory() as folder:
        try:
            path = series(Path(folder) / f"{name}.csv", 40, ["y"], timedelta(days=1))
        except OSError:  # too long for the disk
            return
        if "=" in name:
            return
        if not can_be_written(path.name):
            with pytest.raises(InputError):
                init([str(path), folder], None)
            return
        (data,) = {run.config.dataset for run in made(path).runs()}
        assert json.loads(data.model_dump_json())["path"] == path.name
