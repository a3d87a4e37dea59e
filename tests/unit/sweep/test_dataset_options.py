"""Options of a data set on the command line, and values as a sweep file has them."""

from pathlib import Path

import pytest
from builders import sweep
from hypothesis import given, settings
from hypothesis import strategies as st

from pyheta.errors import SweepError
from pyheta.sweep.dataset import read_dataset
from pyheta.sweep.syntax import parse
from pyheta.sweep.written import can_be_written, written

values = st.recursive(
    st.text()
    | st.integers(-(2**62), 2**62)
    | st.booleans()
    | st.none()
    # the smallest numbers are written with a hundred digits by nobody
    | st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("named", "options", "section"),
    [
        ("load.csv", [], {"path": "load.csv"}),
        ("etth1", ["season=7"], {"name": "etth1", "season": 7}),
        ("a/b", ["time=[year, month]"], {"path": "a/b", "time": ["year", "month"]}),
        ("a/b", ["time=year,month"], {"path": "a/b", "time": ["year", "month"]}),
        ("synthetic", ["rows=300"], {"name": "synthetic", "rows": 300, "seed": 0}),
        ("x.csv", ["sort=true", "separator=;"], {"path": "x.csv", "separator": ";", "sort": True}),
        ("x.csv", ['time="#1"'], {"path": "x.csv", "time": "#1"}),
    ],
)
def test_options_mean_what_they_mean_in_a_sweep(
    tmp_path: Path, named: str, options: list[str], section: dict[str, object]
) -> None:
    assert read_dataset(named, options) == section
    text = f"name: a\nbaselines: []\nconfig:\n  dataset: {written(section)}\n"
    text += "  target: y\n  window: {input: 4}\n  net: ridge\n"
    (run,) = sweep(tmp_path, text).runs()
    assert run.config.dataset.model_dump(mode="json") == section


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ("fill=forward", "command line: unknown key 'fill'; write 'missing={fill: forward}'"),
        ("tz=UTC", "command line: unknown key 'tz'; write time_zone=Europe/Zurich"),
        ("freq=h", "command line: unknown key 'freq'; leave it out: the step is found"),
        ("seasn=7", "command line: unknown key 'seasn'; did you mean 'season'?"),
        ("season", "command line: 'season' is not an override; write key=value"),
        ("season=", "command line: 'season=' is not an override; write key=value"),
        ("season=x", 'command line, season=x: season: expected a whole number, got "x"'),
        ("season=7,3", "command line, season=7,3: season: expected a whole number, got [7, 3]"),
        ("path=y.csv", "command line: unknown key 'path'"),
        ("rows=300", "command line, rows=300: unknown key 'rows'"),
    ],
)
def test_a_wrong_option_is_named_as_it_was_written(option: str, complaint: str) -> None:
    with pytest.raises(SweepError) as caught:
        read_dataset("x.csv", [option])
    assert str(caught.value).startswith(complaint)


def test_a_file_that_is_there_is_a_path_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_dataset("load") == {"name": "load"}
    Path("load").write_text("time,y\n")
    assert read_dataset("load") == {"path": "load"}


@settings(deadline=None, max_examples=200)
@given(values)
def test_what_is_written_reads_back_the_same(value: object) -> None:
    if all(can_be_written(text) for text in _texts(value)):
        assert parse(written(value), "").data == value
        assert parse(f"- [{written(value)}, 1] # a comment", "").data == [[value, 1]]


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("word", ["no", "OT", "Price EUR", "../hours.csv", "é", "on"])
def test_a_word_needs_no_quotes(word: str) -> None:
    assert written(word) == (word if word.isascii() else f'"{word}"')


@pytest.mark.parametrize("text", ["null", "1e3", "a: b", "# x", "*", "it's", ".inf", "~", " a", ""])
def test_what_reads_as_something_else_is_quoted(text: str) -> None:
    assert written(text) == f'"{text}"'


@pytest.mark.parametrize("text", ["a\x07b", "postgresql://me:secret@db"])
def test_what_a_sweep_file_refuses_cannot_be_written(text: str) -> None:
    assert not can_be_written(text)
