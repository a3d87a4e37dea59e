"""No entry of a list can be lost unnoticed: without it, something that people do fails."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from builders import run_row, small, sweep_row

from pyheta.errors import DataError
from pyheta.pipeline.data.files import rawfile
from pyheta.pipeline.data.options.format import Format
from pyheta.pipeline.data.sources import inspect
from pyheta.pipeline.decomposition.methods import METHODS
from pyheta.pipeline.leakage import leaks
from pyheta.report import formats, labels
from pyheta.report.query import ReportQuery
from pyheta.report.table import Table, build
from pyheta.steps import State
from pyheta.store.seam import RunRow

CONFIG: dict[str, Any] = {
    "dataset": {"name": "a"},
    "target": "b",
    "split": {"train": 1},
    "window": {"horizon": 1},
}


def reports(name: str, folder: Path) -> None:
    assert small(folder, f"report: {{metric: {name}}}").report.metric == name


def decomposes(name: str, folder: Path) -> None:
    assert small(folder, f"  decompose: {name}\n").runs()[0].config.decompose.method == name


def explains(name: str, folder: Path) -> None:
    assert small(folder, f"explain: {{relevance: [{name}]}}").explain.relevance == (name,)


def shapes(option: str) -> Callable[[str, Path], None]:
    def check(name: str, folder: Path) -> None:
        text = f"  shaping: {{method: farm, {option}: {name}}}\n  exog: [a]\nleakage: allow\n"
        assert getattr(small(folder, text).runs()[0].config.shaping, option) == name

    return check


def tells_of_leaks(mode: str, _folder: Path) -> None:
    assert bool(leaks({"decompose": {"method": "emd", "mode": mode}})) == (mode != "causal")


def finds(name: str, folder: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        inspect({"name": name}, base=folder, data=folder)


def recognises(magic: bytes, _folder: Path) -> None:
    with pytest.raises(DataError, match=r"looks like|: damaged"):
        rawfile.parse(magic + b"\x01\x02\x03\x04", "odd.csv", Format())


def table(*runs: RunRow) -> Table:
    return build(sweep_row(), runs, ReportQuery(("rmse",), rows=("net.name",)))


def row(net: str, rmse: float, state: State = State.SUCCEEDED, **changes: Any) -> RunRow:
    config = CONFIG | changes | {"net": {"name": net}}
    return run_row(config, metrics={"rmse": rmse}, state=state)


def keeps_apart(key: str, _folder: Path) -> None:
    section, _, field = key.partition(".")
    other_data = {"name": "other"} if section == "dataset" else "other"
    changed = {**CONFIG[section], field: 2} if field else other_data
    changes: dict[str, Any] = {} if key == "fold" else {section: changed}
    rival = replace(row("gru", 0.4, **changes), fold=1 if key == "fold" else None)
    other = table(row("mlp", 0.5), rival)
    assert not any(cell.best for line in other.rows for cell in line.cells if cell)


def counts_as_open(state: State, _folder: Path) -> None:
    (line,) = table(row("mlp", 0.5, state)).rows
    assert [cell.open for cell in line.cells if cell] == [1]


def is_written(field: str, _folder: Path) -> None:
    assert field in formats.to_csv(table(row("mlp", 0.5))).splitlines()[0].split(",")


def is_one_value(key: str, _folder: Path) -> None:
    assert list(labels.leaves({key: {"IMF0": {}}})) == [(key, {"IMF0": {}})]


class Listed(NamedTuple):
    """A list by its module and name, what is in it, and what fails without an entry."""

    module: str
    name: str
    entries: tuple[Any, ...]
    check: Callable[[Any, Path], None]


LISTS = (
    Listed(
        "pyheta.pipeline.metrics",
        "METRICS",
        (
            *("mae", "mse", "rmse", "mae_scaled", "mse_scaled", "rmse_scaled"),
            *("smape", "mape", "wape", "mase", "rmsse", "r2", "skill"),
            *("bias", "direction", "ic", "rank_ic", "pinball", "pinball_scaled"),
        ),
        reports,
    ),
    Listed(
        "pyheta.pipeline.decomposition.methods",
        "METHODS",
        ("none", "emd", "eemd", "ceemdan", "wavelet", "stl"),
        decomposes,
    ),
    Listed(
        "pyheta.pipeline.relevance.measures",
        "MEASURES",
        ("farm", "pearson", "spearman", "mutual_information", "dtw"),
        explains,
    ),
    Listed(
        "pyheta.pipeline.relevance.shaping_methods",
        "RELEVANCES",
        ("trailing", "end_spot", "centred"),
        shapes("relevance"),
    ),
    Listed(
        "pyheta.pipeline.relevance.shaping_methods",
        "FACTORS",
        ("continuous", "binary", "soft"),
        shapes("factor"),
    ),
    Listed(
        "pyheta.pipeline.relevance.shaping_methods",
        "VALUES",
        ("standardised", "raw"),
        shapes("values"),
    ),
    Listed("pyheta.pipeline.leakage", "MODES", ("causal", "full", "parts"), tells_of_leaks),
    Listed(
        "pyheta.pipeline.data.catalogue",
        "CATALOGUE",
        (
            *("etth1", "etth2", "ettm1", "ettm2", "electricity", "traffic", "weather"),
            *("exchange_rate", "ili", "meteoswiss-pollen", "meteoswiss-weather"),
            *("epex-de", "rapt", "b3"),
        ),
        finds,
    ),
    Listed(
        "pyheta.pipeline.data.files.packing",
        "PACKINGS",
        (b"\x1f\x8b", b"BZh", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"),
        recognises,
    ),
    Listed(
        "pyheta.pipeline.data.files.foreign",
        "FOREIGN",
        (
            *(b"\x89HDF", b"CDF", b"SQLite format 3", b"%PDF", b"\x93NUMPY", b"MATLAB 5.0"),
            *(b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"RDX", b"X\n\x00"),
            *(b"\xd0\xcf\x11\xe0", b"FEA1", b"ORC", b"Obj\x01", b"GRIB", b"PK\x05\x06"),
            *(b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\x04\x22\x4d\x18"),
            *(b"\x89PNG", b"\xff\xd8\xff"),
        ),
        recognises,
    ),
    Listed(
        "pyheta.report.cells",
        "QUESTION",
        ("dataset", "target", "split", "window.horizon", "window.stride", "fold"),
        keeps_apart,
    ),
    Listed(
        "pyheta.report.cells", "OPEN", (State.WAITING, State.QUEUED, State.RUNNING), counts_as_open
    ),
    Listed(
        "pyheta.report.formats",
        "CSV_FIELDS",
        (
            *("metric", "split", "mean", "std", "n", "asked"),
            *(
                "failed",
                "cancelled",
                "open",
                "best",
                "tied",
                "worse_than",
                "tied_with",
                "better_than",
                "leaks",
            ),
        ),
        is_written,
    ),
    Listed("pyheta.report.labels", "VALUE_SECTIONS", ("components",), is_one_value),
)
ENTRIES = [
    pytest.param(listed, entry, id=f"{listed.name}-{entry}")
    for listed in LISTS
    for entry in listed.entries
]


@pytest.mark.parametrize("listed", LISTS, ids=lambda listed: listed.name)
def test_every_list_has_the_entries_that_are_tried_here(listed: Listed) -> None:
    assert tuple(getattr(sys.modules[listed.module], listed.name)) == listed.entries


@pytest.mark.parametrize(("listed", "entry"), ENTRIES)
def test_an_entry_does_what_it_is_there_for(listed: Listed, entry: Any, tmp_path: Path) -> None:
    listed.check(entry, tmp_path)


@pytest.mark.parametrize(("listed", "entry"), ENTRIES)
def test_without_an_entry_something_fails(
    listed: Listed, entry: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = getattr(sys.modules[listed.module], listed.name)
    if isinstance(listing, Mapping):
        monkeypatch.delitem(listing, entry)
    else:
        rest = tuple(other for other in listing if other != entry)
        monkeypatch.setattr(sys.modules[listed.module], listed.name, rest)

    with pytest.raises(BaseException):  # noqa: B017 -- an error, or a failed assertion
        listed.check(entry, tmp_path)


def test_every_method_reads_the_options_that_its_steps_were_stored_with() -> None:
    assert {name: method.options for name, method in METHODS.items()} == {
        "none": (),
        "emd": ("max_imf",),
        "eemd": ("max_imf", "trials", "noise", "seed"),
        "ceemdan": ("max_imf", "trials", "noise", "seed"),
        "wavelet": ("max_imf", "wavelet"),
        "stl": ("period",),
    }
