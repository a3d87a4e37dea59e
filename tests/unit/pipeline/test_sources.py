"""From a data set's name or path to facts and a checked table."""

import hashlib
import os
from datetime import datetime
from errno import EACCES
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pyheta.errors import DataError
from pyheta.ops.load import load
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.files import rawfile
from pyheta.pipeline.data.sources import inspect, table
from pyheta.pipeline.data.table import read_table
from pyheta.task import Task

CSV = """date,a,OT
2026-01-01 00:00,1,10.5
2026-01-01 01:00,2,11
2026-01-01 02:00,3,-1e3
"""


def look(path: Path, **more: Any) -> tuple[DatasetFacts, Path | None]:
    return inspect({"path": path.name, **more}, base=path.parent, data=None)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "series.csv"
    path.write_text(CSV)
    return path


def test_facts_of_a_csv_hold_its_hash_and_no_path(csv: Path) -> None:
    facts, raw = look(csv)

    assert raw == csv
    assert facts.source == {"time": "date"}
    assert facts.files == {"raw": hashlib.sha256(csv.read_bytes()).hexdigest()}
    assert facts.columns == ("a", "OT")
    assert (facts.rows, facts.cadence.seconds) == (3, 3600.0)
    assert (facts.first, facts.last) == (datetime(2026, 1, 1, 0), datetime(2026, 1, 1, 2))  # noqa: DTZ001


def test_a_parquet_file_with_the_same_content_gives_the_same_table(
    csv: Path, tmp_path: Path
) -> None:
    parquet = tmp_path / "series.parquet"
    pl.read_csv(csv, try_parse_dates=True).write_parquet(parquet)

    assert table({"time": "date"}, parquet).frame.equals(table({"time": "date"}, csv).frame)


def test_a_catalogue_name_is_its_file_in_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "ETTh1.csv").write_text(CSV)

    facts, raw = inspect({"name": "etth1"}, base=Path("/nowhere"), data=tmp_path)

    assert raw == tmp_path / "ETTh1.csv"
    assert facts.rows == 3


def test_a_synthetic_data_set_needs_no_file_and_says_all_that_determines_it() -> None:
    facts, raw = inspect({"name": "synthetic", "rows": 300}, base=Path(), data=None)

    assert raw is None
    assert facts.files == {}
    assert facts.source == {"synthetic": {"rows": 300, "seed": 0}}
    assert facts.columns == ("load", "leading", "coincident", "noise")


def test_load_writes_the_table_that_the_inspected_facts_describe(csv: Path, tmp_path: Path) -> None:
    facts, raw = look(csv)

    assert raw is not None
    result = load(Task(facts.source, {"raw": {"raw": raw}}, tmp_path))

    frame = pl.read_parquet(result.products["table"])
    assert frame.schema == {"time": pl.Datetime("us"), "a": pl.Float64, "OT": pl.Float64}
    assert frame["OT"].to_list() == [10.5, 11.0, -1000.0]
    assert result.summary["rows"] == facts.rows
    assert tuple(result.summary["columns"]) == facts.columns
    assert result.summary["first"] == facts.first.isoformat()


def test_load_notes_constant_columns(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("time,a,b\n2026-01-01,1,5\n2026-01-02,2,5\n")

    assert load(Task({"time": "time"}, {"raw": {"raw": path}}, tmp_path)).summary["constant"] == [
        "b"
    ]


def test_load_of_equal_parameters_gives_equal_bytes(tmp_path: Path) -> None:
    def made(name: str) -> bytes:
        (tmp_path / name).mkdir()
        task = Task({"synthetic": {"rows": 250, "seed": 7}}, {}, tmp_path / name)
        return load(task).products["table"].read_bytes()

    assert made("a") == made("b")


def test_a_table_is_read_once_and_anew_when_its_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    table({"synthetic": {"rows": 200, "seed": 0}}, None).frame.write_parquet(path)
    first = read_table(path)
    assert read_table(path) is first

    table({"synthetic": {"rows": 300, "seed": 0}}, None).frame.write_parquet(path)

    assert read_table(path).rows == 300


def test_a_missing_file_names_its_neighbour(csv: Path) -> None:
    with pytest.raises(DataError, match=r"serie\.csv: no such file; did you mean 'series.csv'"):
        look(csv.with_name("serie.csv"))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no folder"):
        look(tmp_path / "absent" / "x.csv")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a directory"):
        look(tmp_path)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="not a regular file"):
        look(tmp_path / "pipe")


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(DataError, match="symbolic links"):
        look(tmp_path / "loop")


def test_a_file_without_read_permission_is_refused(
    csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_: object) -> None:
        raise PermissionError(EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)  # the superuser is never denied anything
    with pytest.raises(DataError, match="permission denied"):
        look(csv)


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.csv"
    with huge.open("wb") as file:
        file.truncate(rawfile.MAX_BYTES + 1)  # sparse: takes no space
    with pytest.raises(DataError, match="larger than 1024 MiB"):
        look(huge)


def test_a_url_as_a_path_is_refused_with_what_to_write_and_without_its_password() -> None:
    with pytest.raises(DataError, match=r"URLs are not read .* `source: \{url: …") as refusal:
        inspect({"path": "https://ann:s3cret@example.org/x.csv"}, base=Path(), data=None)
    assert "s3cret" not in str(refusal.value)


def test_an_unknown_catalogue_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(DataError, match="unknown data set 'eth1'; did you mean 'etth1'"):
        inspect({"name": "eth1"}, base=Path(), data=Path())


@pytest.mark.parametrize("name", ["exchange_rate", "mine"])
def test_a_name_is_any_file_of_that_name_in_the_data_folder(tmp_path: Path, name: str) -> None:
    raw = tmp_path / f"{name}.parquet"
    pl.DataFrame({"date": [0, 1, 2], "OT": [1.0, 2.0, 4.0]}).with_columns(
        pl.col("date").cast(pl.Datetime("us")) + pl.duration(days=pl.col("date"))
    ).write_parquet(raw)

    facts, path = inspect({"name": name}, base=Path("/nowhere"), data=tmp_path)

    assert path == raw
    assert facts.columns == ("OT",)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    for end in ("csv", "parquet"):
        (tmp_path / f"mine.{end}").write_text(CSV)
    with pytest.raises(DataError, match=r"'mine' may be mine\.csv and mine\.parquet; name one"):
        inspect({"name": "mine"}, base=Path(), data=tmp_path)


def test_the_file_of_the_catalogue_comes_first(tmp_path: Path) -> None:
    for end in ("csv", "parquet"):
        (tmp_path / f"ETTh1.{end}").write_text(CSV)
    assert inspect({"name": "etth1"}, base=Path(), data=tmp_path)[1] == tmp_path / "ETTh1.csv"


def test_a_name_whose_file_is_missing_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"traffic\.csv: no such file; .*pyheta data fetch traffic"):
        inspect({"name": "traffic"}, base=Path(), data=tmp_path)
    with pytest.raises(DataError, match=r"rapt\.csv: no such file; .*zenodo.*put it there"):
        inspect({"name": "rapt"}, base=Path(), data=tmp_path)


def test_a_catalogue_name_without_a_data_folder_says_what_to_set() -> None:
    with pytest.raises(DataError, match="set PYHETA_DATA"):
        inspect({"name": "etth1"}, base=Path(), data=None)


def test_etth1_is_what_the_literature_says(etth1_path: Path) -> None:
    facts, _ = inspect({"name": "etth1"}, base=Path(), data=etth1_path.parent)

    assert facts.rows == 17_420
    assert facts.columns == ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
    assert facts.first.isoformat() == "2016-07-01T00:00:00"
    assert facts.cadence.seconds == 3600
