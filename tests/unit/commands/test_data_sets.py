"""`pyheta data list` and `fetch`: what there is, what is here, and how it comes here."""

import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from web import Web

from pyheta.commands.data_fetch import Fetched, fetch_named, in_words
from pyheta.commands.data_fetch import fetch as fetch_all
from pyheta.commands.data_list import datasets_view, named_datasets
from pyheta.commands.library import Library
from pyheta.errors import ConfigError, DataError, Exit, InputError, Unreachable
from pyheta.plan.prepare import prepare
from pyheta.screen import Screen
from pyheta.settings import Settings

CSV = b"date,OT\n" + b"".join(b"2026-01-%02d,%d.5\n" % (day, day) for day in range(1, 31))
SHA = hashlib.sha256(CSV).hexdigest()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "home" / "data"


def library(folder: Path, **own: dict[str, Any]) -> Library:
    return Library(
        Settings(
            home=folder / "home",
            data=folder / "home" / "data",
            datasets=own,
            file=folder / "pyheta.toml",
        ),
        Screen(quiet=True),
    )


def fetch(books: Library, name: str, **how: Any) -> Fetched:
    return fetch_named(books, name, **how)


def state(books: Library) -> dict[str, tuple[str, bool]]:
    return {each.name: (each.kind, each.present) for each in named_datasets(books)}


def test_the_list_has_what_is_made_known_ones_own_and_in_the_folder(
    tmp_path: Path, data: Path
) -> None:
    data.mkdir(parents=True)
    (data / "ETTh1.csv").write_bytes(CSV)
    (data / "load.parquet").touch()
    (tmp_path / "mine.csv").write_bytes(CSV)
    books = library(tmp_path, mine={"path": "mine.csv"}, absent={"path": "no.csv"})

    found = state(books)

    assert found["synthetic"] == ("made", True)
    assert (found["etth1"], found["etth2"]) == (("known", True), ("known", False))
    assert (found["mine"], found["absent"]) == (("own", True), ("own", False))
    assert found["load"] == ("file", True)


def test_the_table_says_what_is_here(tmp_path: Path) -> None:
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(datasets_view(named_datasets(library(tmp_path))))
    lines = {line.split()[0]: line for line in console.export_text().splitlines() if line.strip()}

    assert lines["synthetic"].rstrip().endswith("made")
    assert "17,420" in lines["etth1"]
    assert lines["etth1"].rstrip().endswith("missing")


def test_a_data_set_is_fetched_and_then_found_by_its_name(tmp_path: Path, web: Web) -> None:
    # Given an entry of one's own with an address
    mine = {"path": "sets/a.csv", "url": web.put("/a.csv", CSV), "sha256": SHA, "time": "date"}
    books = library(tmp_path, mine=mine)
    with pytest.raises(DataError, match=r"no such file; get it with: pyheta data fetch mine"):
        books.look({"name": "mine"}, tmp_path)
    # When it is fetched
    fetched = fetch(books, "mine")
    # Then it is read by its name, with its options
    assert fetched == Fetched(
        "mine", tmp_path / "sets/a.csv", len(CSV), SHA, checked=True, new=True
    )
    assert "as it should be" in in_words([fetched])
    assert books.look({"name": "mine"}, tmp_path).source == {"time": "date"}
    # And a sweep takes it
    (tmp_path / "s.yaml").write_text(
        "name: s\nconfig: {dataset: mine, target: OT, window: {input: 2}, net: ridge}\n"
        "baselines: []\n"
    )
    prepared = prepare(tmp_path / "s.yaml", [], books.settings.data, books.bring)
    assert prepared.files == {SHA: tmp_path / "sets/a.csv"}


def test_what_is_here_is_not_fetched_again_unless_asked_for(tmp_path: Path, web: Web) -> None:
    books = library(tmp_path, mine={"path": "a.csv", "url": web.put("/a.csv", CSV)})
    fetch(books, "mine")

    assert not fetch(books, "mine").new
    assert len(web.asked) == 1
    web.put("/a.csv", CSV + b"2026-01-31,31.5\n")
    assert fetch(books, "mine", refresh=True).sha256 != SHA


def test_without_a_known_hash_the_one_that_came_is_printed(tmp_path: Path, web: Web) -> None:
    books = library(tmp_path, mine={"path": "a.csv", "url": web.put("/a.csv", CSV)})

    words = in_words([fetch(books, "mine")])

    assert "licence" not in words
    assert f"sha256 {SHA}, no hash is known to check it by" in words


def test_another_address_or_a_file_of_this_machine_may_be_named(
    tmp_path: Path, web: Web, data: Path
) -> None:
    books = library(tmp_path)
    (tmp_path / "downloaded.csv").write_bytes(CSV)

    fetched = fetch(books, "etth2", source=web.put("/mirror/x.csv", CSV))
    assert fetched.path == data / "ETTh2.csv"
    assert "licence: CC BY-ND 4.0" in in_words([fetched])
    assert fetch(books, "ettm1", source=str(tmp_path / "downloaded.csv")).sha256 == SHA


@pytest.mark.parametrize("source", ["file:///etc/passwd", "ftp://host/a.csv", "s3://bucket/a"])
def test_other_kinds_of_addresses_are_refused(tmp_path: Path, source: str, data: Path) -> None:
    with pytest.raises(DataError, match="not an address"):
        fetch(library(tmp_path), "etth1", source=source)
    assert not data.exists()


def test_a_wrong_file_is_removed_and_what_to_do_is_said(
    tmp_path: Path, web: Web, data: Path
) -> None:
    with pytest.raises(DataError) as refusal:
        fetch(library(tmp_path), "etth1", source=web.put("/a.csv", CSV))

    assert SHA in str(refusal.value)
    assert (
        f"by hand: get ETTh1.csv from https://github.com/zhouhaoyi/ETDataset and put it at {data}"
        in str(refusal.value)
    )
    assert refusal.value.exit_code == Exit.INPUT
    assert list(data.iterdir()) == []


def test_a_wrong_file_that_is_here_is_named(tmp_path: Path, data: Path) -> None:
    data.mkdir(parents=True)
    (data / "ETTh1.csv").write_bytes(CSV)
    with pytest.raises(DataError, match=r"ETTh1\.csv: the file that is here has .* --refresh"):
        fetch(library(tmp_path), "etth1")


def test_without_a_network_it_says_what_to_get_and_where_to_put_it(
    tmp_path: Path, web: Web
) -> None:
    with pytest.raises(Unreachable, match=r"\(503\).*by hand: get ETTh2\.csv from .* put it at"):
        fetch(library(tmp_path), "etth2", source=web.put("/a", b"", status=503))


def test_a_data_set_without_an_address_says_where_it_comes_from(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no address of 'rapt' is known; by hand: .*zenodo"):
        fetch(library(tmp_path), "rapt")


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    books = library(tmp_path, prices={"path": "a.csv"})
    with pytest.raises(DataError, match="did you mean 'prices'"):
        fetch(books, "price")


def test_a_file_of_the_data_folder_is_there_already(tmp_path: Path, data: Path) -> None:
    data.mkdir(parents=True)
    (data / "load.csv").write_bytes(CSV)
    books = library(tmp_path)

    assert fetch(books, "load") == Fetched(
        "load", data / "load.csv", len(CSV), SHA, checked=False, new=False
    )
    with pytest.raises(DataError, match="'synthetic' is made when it is needed"):
        fetch(books, "synthetic")
    with pytest.raises(DataError, match=r"unknown data set '\.\./load'"):
        fetch(books, "../load")


def test_a_mistake_in_the_settings_is_told_where_names_are_needed(tmp_path: Path) -> None:
    books = library(tmp_path, mine={"path": "a.csv", "seasn": 7})
    with pytest.raises(ConfigError, match=r"data\.mine\.seasn: unknown key"):
        named_datasets(books)


def test_in_a_pipe_progress_is_a_line_now_and_then(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pyheta.commands.progress.STEP", 100)
    books = library(tmp_path, mine={"path": "a.csv", "url": web.put("/a.csv", CSV)})

    fetch_named(replace(books, screen=Screen()), "mine")

    assert capsys.readouterr().err == f"mine: {len(CSV)} B of {len(CSV)} B\n"


SWEEP = """
name: s
config: {{dataset: {{source: {{url: '{url}'}}, time: date}}, target: OT, window: {{input: 2}},
         net: ridge}}
baselines: []
"""


def test_a_sweep_asks_a_source_once_and_says_when(
    tmp_path: Path, web: Web, capsys: pytest.CaptureFixture[str]
) -> None:
    books = replace(library(tmp_path), screen=Screen())
    sweep = tmp_path / "s.yaml"
    sweep.write_text(SWEEP.format(url=web.put("/a.csv", CSV)))

    first = prepare(sweep, [], books.settings.data, books.bring)
    second = prepare(sweep, [], books.settings.data, books.bring)

    # The bytes are a file like any other: their hash and how they are read are all that a step sees
    assert list(first.files) == list(second.files) == [SHA]
    (facts,) = first.datasets.values()
    assert facts.source == {"time": "date"}
    assert first.plan.steps.keys() == second.plan.steps.keys()
    assert len(web.asked) == 1
    said = capsys.readouterr().err.splitlines()
    assert f"now, sha256 {SHA[:12]}" in said[0]
    assert "as kept since 20" in said[1]


def test_all_that_a_sweep_needs_is_fetched(tmp_path: Path, web: Web) -> None:
    mine = {"path": "mine.csv", "url": web.put("/mine.csv", CSV)}
    books = library(tmp_path, mine=mine)
    sweep = tmp_path / "s.yaml"
    text = SWEEP.format(url=web.put("/a.csv", CSV + b"2026-01-31,1\n"))
    sweep.write_text(text)
    (tmp_path / "t.yaml").write_text(
        "name: t\nconfig: {dataset: mine, target: OT, window: {input: 2}, net: ridge}\n"
    )

    (of_source,) = fetch_all(books, str(sweep))
    (of_name,) = fetch_all(books, str(tmp_path / "t.yaml"))

    assert (of_source.new, of_name.path) == (True, tmp_path / "mine.csv")
    assert [each.new for each in fetch_all(books, str(sweep))] == [False]
    assert [each.new for each in fetch_all(books, str(sweep), refresh=True)] == [True]
    with pytest.raises(InputError, match="--from is for one data set"):
        fetch_all(books, str(sweep), source="https://host/a.csv")


def test_a_mistake_in_a_source_is_told_with_its_place_in_the_sweep(
    tmp_path: Path, web: Web
) -> None:
    sweep = tmp_path / "s.yaml"
    sweep.write_text(SWEEP.format(url=web.url).replace("url:", "ulr:"))
    books = library(tmp_path)
    with pytest.raises(DataError, match=r"s\.yaml:3:\d+: unknown source 'ulr'; did you mean"):
        prepare(sweep, [], books.settings.data, books.bring)
