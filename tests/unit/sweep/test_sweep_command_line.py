"""Spellings of the command line that other tools know are refused with the right one, to paste."""

import shlex
from pathlib import Path

import pytest
from builders import BASE, WINDOW, complaint, small

START = BASE + WINDOW


@pytest.mark.parametrize(
    ("words", "right"),
    [
        (["exog=0,1"], 'exog=["0", "1"]'),
        (["exog=a"], "exog=[a]"),
        (["exog=a,b"], "exog=[a, b]"),
        (["exog=a,b c"], 'exog=[a, "b c"]'),
        (["target=*"], "target=all"),
        (["exog=*"], "exog=all"),
        (["exog=*_in"], 'exog=["*_in"]'),
        (["target=0"], 'target="0"'),
        (["target=0,1.5"], 'target="0","1.5"'),
        (["train.epochs=range(1,5)"], "train.epochs=1,2,3,4"),
        (["train.epochs=range(10, 0, -5)"], "train.epochs=10,5"),
        (["train.epochs=range(1,101)"], "train.epochs={min: 1, max: 100, num: 100}"),
        (["train.lr=choice(0.1, 0.2)"], "train.lr=0.1,0.2"),
        (["+train.lr=1"], "train.lr=1"),
        (["++train.lr=1"], "train.lr=1"),
        (["--train.lr=1"], "train.lr=1"),
        (["train.lr", "=", "1"], "train.lr=1"),
        (["train.lr=", "1"], "train.lr=1"),
        (["train.lr", "=1"], "train.lr=1"),
        (["seeds=2", "train.lr", "=", "1"], "train.lr=1"),
    ],
)
def test_the_right_spelling_is_said_and_is_right(
    tmp_path: Path, words: list[str], right: str
) -> None:
    said = complaint(tmp_path, START, words)

    assert len(said.splitlines()) == 1
    written = said.partition("; write ")[2].partition(" for ")[0]
    assert shlex.split(written) == [right]
    assert small(tmp_path, overrides=[right]).runs()


def test_columns_may_be_meant_at_once_or_one_after_the_other(tmp_path: Path) -> None:
    said = complaint(tmp_path, START, ["exog=a,b"])

    assert "write 'exog=[a, b]' for all at once, 'exog=[a],[b]' for one after the other" in said
    assert len(small(tmp_path, overrides=["exog=[a],[b]"]).runs()) == 2


@pytest.mark.parametrize(
    "written",
    ["target=a,b", "exog=[a],[]", "exog=all", "exog=[],all,[a]", "exog=[],{all_but: [a]}"],
)
def test_what_is_right_stays_so(tmp_path: Path, written: str) -> None:
    if "all," in written:
        assert "stand in a list" in complaint(tmp_path, START, [written])
    else:
        assert small(tmp_path, overrides=[written]).runs()


def test_an_axis_is_written_as_in_the_file(tmp_path: Path) -> None:
    read = small(tmp_path, overrides=["train.epochs={min: 1, max: 3, num: 3}"])

    assert [run.config.train.epochs for run in read.runs()] == [1, 2, 3]
