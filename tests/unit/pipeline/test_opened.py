"""A file is parsed once for all who look at it, and anew when it changed."""

from pathlib import Path

import pytest

from pyheta.errors import DataError
from pyheta.pipeline.data.files.opened import open_file
from pyheta.pipeline.data.options import DataOptions

PANEL = "symbol,date,price\na,2020-01-01,1.5\nb,2020-01-01,2.5\n"


def test_a_file_is_parsed_once_for_all_its_series(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(PANEL)
    first = open_file(path, DataOptions.of({"series": "symbol", "pick": "a"}))

    assert open_file(path, DataOptions.of({"series": "symbol", "pick": "b"})) is first
    assert open_file(path, DataOptions.of({"separator": ";"})) is not first


def test_a_file_that_changed_is_parsed_anew(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(PANEL)
    first = open_file(path, DataOptions())
    path.write_text(PANEL + "c,2020-01-01,3.5\n")

    assert open_file(path, DataOptions()).table.frame.height == first.table.frame.height + 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        open_file(tmp_path / "absent.csv", DataOptions())
