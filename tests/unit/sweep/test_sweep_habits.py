"""Whoever writes an option of a data set as other tools call it is told its name here."""

from pathlib import Path

import pytest
from builders import BASE, WINDOW, complaint

from pyheta.errors import SweepError
from pyheta.sweep.dataset import OPTIONS, read_dataset
from pyheta.sweep.habits import _CALLED, of_another_tool
from pyheta.sweep.overrides import parsed


@pytest.mark.parametrize(
    ("key", "cure"),
    [
        ("fill", "write missing: {fill: forward}"),
        ("limit", "write missing: {fill: forward, limit: 3}"),
        ("dropna", "write missing: drop"),
        ("sep", 'write separator: ";"'),
        ("delimiter", 'write separator: ";"'),
        ("skiprows", "write skip_rows: 1"),
        ("tz", "write time_zone: Europe/Zurich"),
        ("timezone", "write time_zone: Europe/Zurich"),
        ("index", "write time: COLUMN"),
        ("index_col", "write time: COLUMN"),
        ("date_format", 'write time_format: "%d/%m/%Y"'),
        ("start", "write from: 2019-01-31"),
        ("end", "write to: 2019-12-31"),
        ("group", "write series: COLUMN"),
        ("unique_id", "write series: COLUMN"),
        ("freq", "leave it out: the step is found in the times"),
    ],
)
def test_a_key_of_another_tool_under_dataset_is_answered(
    tmp_path: Path, key: str, cure: str
) -> None:
    said = complaint(tmp_path, BASE + WINDOW + f"  dataset.{key}: x\n")
    assert said.endswith(f"unknown key 'dataset.{key}'; {cure}")


def test_an_override_is_answered_as_one() -> None:
    with pytest.raises(SweepError) as caught:
        parsed("dataset.fill=forward")
    assert caught.value.cure == "write 'dataset.missing={fill: forward}'"


def test_elsewhere_such_a_key_is_a_mistake_like_others() -> None:
    with pytest.raises(SweepError, match=r"unknown key 'train\.limit'; did you mean"):
        parsed("train.limit=3")
    with pytest.raises(SweepError, match="unknown key 'fill'; "):
        parsed("fill=forward")


@pytest.mark.parametrize("key", _CALLED)
def test_what_is_proposed_is_read(key: str) -> None:
    assert key not in OPTIONS
    option, value = _CALLED[key]
    assert of_another_tool(key, OPTIONS) == f"write {option}: {value}"
    assert read_dataset("x.csv", [f"{option}={value}"])[option] is not None
