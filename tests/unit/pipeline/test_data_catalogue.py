"""What is said of well-known data sets, and what users say of theirs."""

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pyheta.errors import ConfigError
from pyheta.fetch.http import check_address
from pyheta.pipeline.data.catalogue import CATALOGUE, ENDINGS, files_in
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.own import NAME, name_trouble, own_entries

FILE = Path("/home/ann/pyheta.toml")


def own(**table: Any) -> Any:
    return own_entries({"mine": table}, FILE)["mine"]


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_entry_is_whole(name: str) -> None:
    entry = CATALOGUE[name]

    assert NAME.fullmatch(name)
    assert entry.about
    assert entry.licence
    assert entry.origin
    assert entry.step
    assert entry.season
    assert DataOptions.of(entry.options).as_params() == entry.options
    assert entry.file.endswith(ENDINGS)
    for url in entry.urls:
        check_address(url)
    assert entry.sha256 is None or re.fullmatch("[0-9a-f]{64}", entry.sha256)
    assert entry.sha256 or len(entry.urls) <= 1  # nothing would tell two addresses apart
    assert not entry.columns or not entry.target or entry.target in entry.columns


def test_what_is_said_of_etth1_is_true(etth1_path: Path) -> None:
    frame = pl.read_csv(etth1_path)

    assert frame.height == CATALOGUE["etth1"].rows
    assert tuple(frame.columns[1:]) == CATALOGUE["etth1"].columns


def test_the_files_of_a_folder_have_names_and_those_of_the_catalogue_are_left_out(
    tmp_path: Path,
) -> None:
    for file in ("ETTh1.csv", "load.csv", "prices.csv.gz", "a.parquet", "README.md", ".x.part"):
        (tmp_path / file).touch()

    assert list(files_in(tmp_path)) == ["a", "load", "prices"]
    assert files_in(tmp_path / "absent") == {}


def test_an_entry_of_ones_own_has_the_same_fields_and_options() -> None:
    entry = own(
        path="sets/a.csv",
        url="https://host/a.csv",
        sha256="0" * 64,
        target="load",
        about="Mine",
        time="when",
        season=7,
    )

    assert entry.file == "/home/ann/sets/a.csv"
    assert (entry.urls, entry.target, entry.about) == (("https://host/a.csv",), "load", "Mine")
    assert entry.options == {"time": "when", "season": 7}


@pytest.mark.parametrize(
    ("table", "where", "what"),
    [
        ({"path": "a.csv", "tim": "date"}, "data.mine.tim", "unknown key 'tim'; did you mean"),
        ({"time": "date"}, "data.mine.path", "missing key 'path'"),
        ({"path": 3}, "data.mine.path", "valid string"),
        ({"path": "a", "sha256": "abc"}, "data.mine.sha256", "should match"),
        ({"path": "a", "season": "x"}, "data.mine.season", "valid integer"),
    ],
)
def test_a_mistake_in_it_is_named_with_file_and_key(
    table: dict[str, Any], where: str, what: str
) -> None:
    with pytest.raises(ConfigError) as refusal:
        own(**table)

    assert refusal.value.where == f"{FILE}: {where}"
    assert what in str(refusal.value)


@pytest.mark.parametrize("name", ["etth1", "synthetic", "a b", "", "ü", "x" * 65, "../a"])
def test_a_name_that_is_taken_or_none_is_refused(name: str) -> None:
    assert name_trouble(name)
    with pytest.raises(ConfigError, match="choose another name"):
        own_entries({name: {"path": "a.csv"}}, FILE)
