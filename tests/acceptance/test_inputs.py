"""Bad input: one paragraph with the place and the cure, an exit code, nothing stored."""

from pathlib import Path

import pytest
from processes import Call

CONFIG = "config: {dataset: {name: synthetic}, target: load, window: {input: 8}, net: ridge}\n"
HEAD = f"name: s\n{CONFIG}"


def sweep(**changes: str) -> str:
    """A good sweep with other values for some keys of its configuration."""
    values = {
        "dataset": "{name: synthetic}",
        "target": "load",
        "window": "{input: 8}",
        "net": "ridge",
    }
    lines = [f"  {key}: {value}" for key, value in (values | changes).items()]
    return "\n".join(["name: s", "config:", *lines, ""])


def folds(words: str) -> str:
    """A rolling origin over the 4,000 made rows."""
    return sweep(split=f"{{train: 1000, val: 200, test: 100, {words}}}")


BAD_SWEEPS = {
    "empty": ("", ["empty"]),
    "only comments": ("# nothing\n", ["empty"]),
    "a list": ("- a\n", ["expected a mapping"]),
    "a tab as indent": ("a:\n\tb: 1\n", ["s.yaml:2"]),
    "an open bracket": ("a: [1\n", ["s.yaml:"]),
    "two documents": ("a: 1\n---\nb: 2\n", ["document"]),
    "a key twice": (f"{HEAD}seeds: 1\nseeds: 2\n", ["s.yaml:4", "duplicate key 'seeds'"]),
    "an unknown key": (f"{HEAD}sedes: 1\n", ["s.yaml:3", "sedes", "did you mean 'seeds'"]),
    "a missing name": (CONFIG, ["name"]),
    "a word for a number": (sweep(train="{epochs: ten}"), ["s.yaml:7", "epochs"]),
    "a truth value for a number": (sweep(train="{epochs: true}"), ["s.yaml:7", "epochs"]),
    "a number out of range": (sweep(train="{lr: -1}"), ["s.yaml:7", "lr"]),
    "not a number": (sweep(train="{lr: .nan}"), ["s.yaml:7", "finite"]),
    "billion laughs": (
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
            for old, new in zip("abcdefg", "bcdefgh", strict=True)
        ),
        ["alias"],
    ),
    "a recursive alias": ("a: &a [*a]\n", ["alias"]),
    "a python tag": ("a: !!python/object/apply:os.system ['touch canary']\n", ["tag"]),
    "too deep": ("a: " + "[" * 10_000 + "]" * 10_000, ["deep"]),
    "an empty axis": (f"{HEAD}parameters: {{scale: []}}\n", ["s.yaml:3", "empty"]),
    "too many runs": (
        f"{HEAD}parameters: {{exog: {{subsets: [a, b, c]}}}}\nrun_cap: 2\n",
        ["8", "run_cap"],
    ),
    "a value twice": (
        f"{HEAD}parameters: {{train.lr: [1, 1.0]}}\n",
        ["s.yaml:3", "duplicate value"],
    ),
    "an unknown net": (sweep(net="gruu"), ["s.yaml:6", "gruu", "known"]),
    "code as net": (sweep(net="'os:system(1)'"), ["s.yaml:6", "os:system(1)"]),
    "a path as name": (HEAD.replace("name: s", "name: ../x"), ["s.yaml:1", "name"]),
    "a password": (sweep(dataset="'amqp://u:secret@h/'"), ["s.yaml:3", "credentials"]),
    "a column that is not there": (sweep(target="laod"), ["s.yaml:4", "laod", "'load'"]),
    "the target among its helpers": (sweep(exog="[load]"), ["s.yaml:7", "load"]),
    "a window longer than the data": (sweep(window="{input: 100000}"), ["s.yaml:5", "rows"]),
    "the future unasked": (
        sweep(decompose="{method: emd, mode: full}"),
        ["s.yaml:7", "leakage: allow"],
    ),
    "shaping that looks ahead": (
        sweep(exog="[leading]", shaping="{method: farm, relevance: centred}"),
        ["s.yaml:8", "leakage: allow"],
    ),
    "a threshold out of range": (
        sweep(shaping="{method: farm, threshold: 2}"),
        ["s.yaml:7", "threshold"],
    ),
    "a decomposition nobody knows": (
        sweep(decompose="vmd"),
        ["s.yaml:7", "vmd", "did you mean 'emd'"],
    ),
    "a decomposition longer than the data": (
        sweep(decompose="{method: emd, window: 3000}"),
        ["s.yaml:7", "2,400", "3,001"],
    ),
    "a pattern that matches nothing": (
        sweep(decompose="emd", components="{IMF7: {exog: []}}"),
        ["s.yaml:8", "IMF7", "matches no component"],
    ),
    "an option that a component cannot have": (
        sweep(decompose="emd", components="{IMF0: {target: noise}}"),
        ["s.yaml:8", "target"],
    ),
    "a data set that is not there": (sweep(dataset="./no.csv"), ["no.csv", "no such file"]),
    "a data set by an unknown name": (
        sweep(dataset="ettx1"),
        ["s.yaml:3", "ettx1", "did you mean 'ett"],
    ),
    "a URL as data set": (sweep(dataset="'https://host/a.csv'"), ["URLs are not read"]),
    "more folds than the data have": (
        folds("folds: 40"),
        ["s.yaml:7:52", "40 folds do not fit into 4,000 rows, 28 do", "write folds: 28"],
    ),
    "not one fold": (folds("folds: 2, gap: 3000"), ["s.yaml:7", "not even one fold", "3,000"]),
    "a gap below zero": (folds("folds: 8, gap: -1"), ["s.yaml:7:60", "split.gap", "at least 0"]),
    "a net for more folds than there are": (
        folds("folds: 8, refit: 9"),
        ["s.yaml:7", "refit is 9, more than the 8 folds", "never"],
    ),
    "a net for no fold": (folds("folds: 8, refit: 0"), ["s.yaml:7:62", "split.refit", "got 0"]),
    "folds by dates": (
        sweep(split="{val: 2020-02-01, test: 2020-03-01, folds: 3}"),
        ["s.yaml:7", "lengths, not dates"],
    ),
    "an end of folds after the data": (
        folds("folds: 2, until: 9000"),
        ["s.yaml:7:62", "4,000 rows", "9,000"],
    ),
    "a misspelt key of folds": (folds("fold: 8"), ["s.yaml:7:45", "did you mean 'split.folds'"]),
    "what says nothing without folds": (folds("refit: never"), ["s.yaml:7", "write `folds` too"]),
    "the logarithm of what is not positive": (
        sweep(target="noise", transform="log"),
        ["s.yaml:7:14", "column 'noise'", "in row", "log needs values above 0"],
    ),
    "an unknown transform": (
        sweep(transform="logdiff"),
        ["s.yaml:7:14", "logdiff", "did you mean 'log_diff'"],
    ),
    "a metric of one's own by a name that is taken": (
        sweep(metrics="['mine:rmse']"),
        ["s.yaml:7:12", "'rmse' is a metric of PyHeta"],
    ),
    "two metrics of one name": (sweep(metrics="['a:f', 'b:f']"), ["s.yaml:7:12", "called 'f'"]),
    "a metric without a module": (sweep(metrics="[f]"), ["s.yaml:7:12", "module:function"]),
}


@pytest.mark.parametrize(("text", "words"), BAD_SWEEPS.values(), ids=BAD_SWEEPS)
def test_a_bad_sweep_is_refused_with_its_place(
    pyheta: Call, home: Path, tmp_path: Path, text: str, words: list[str]
) -> None:
    # Given
    (tmp_path / "s.yaml").write_text(text)
    # When
    done = pyheta("submit", "s.yaml")
    # Then
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("pyheta: ")
    for word in words:
        assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr
    assert not (home / "pyheta").exists()
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"\xff\xfea\x00", "UTF-8"), (b"name: caf\xe9\n", "UTF-8"), (b"name: \x00\n", "character")],
    ids=["UTF-16", "latin-1", "NUL"],
)
def test_a_file_that_is_no_text_is_refused(
    pyheta: Call, tmp_path: Path, content: bytes, word: str
) -> None:
    (tmp_path / "s.yaml").write_bytes(content)
    done = pyheta("submit", "s.yaml")
    assert (done.returncode, word in done.stderr, "Traceback" in done.stderr) == (2, True, False)


@pytest.mark.parametrize(("name", "words"), [("none.yaml", "no such file"), (".", "directory")])
def test_a_sweep_that_is_no_file_is_refused(pyheta: Call, name: str, words: str) -> None:
    done = pyheta("submit", name)
    assert done.returncode == 2
    assert words in done.stderr


@pytest.mark.parametrize(
    ("override", "word"),
    [("train.epoch=3", "epochs"), ("train.epochs", "="), ("train.epochs=x", "epochs")],
)
def test_a_bad_override_is_refused(pyheta: Call, tmp_path: Path, override: str, word: str) -> None:
    (tmp_path / "s.yaml").write_text(HEAD)
    done = pyheta("submit", "s.yaml", override)
    assert (done.returncode, word in done.stderr, "Traceback" in done.stderr) == (2, True, False)


BAD_DATA = {
    "no rows": ("time,load\n", ["row"]),
    "nothing at all": ("", ["empty"]),
    "no names": ("2020-01-01,1\n2020-01-02,2\n2020-01-03,3\n", ["first line is data"]),
    "a missing value": ("time,load\n2020-01-01,1\n2020-01-02,\n2020-01-03,3\n", ["load", "3"]),
    "rows out of order": ("time,load\n2020-01-02,1\n2020-01-01,2\n", ["3"]),
    "a time twice": ("time,load\n2020-01-01,1\n2020-01-01,2\n", ["3"]),
    "a number of two readings": (
        'time\tload\n2020-01-01\t"1,234"\n2020-01-02\t"2,345"\n',
        ["1,234", "decimal"],
    ),
    "a column twice": ("time,a,a\n2020-01-01,1,2\n2020-01-02,1,2\n", ["'a'"]),
}


@pytest.mark.parametrize(("text", "words"), BAD_DATA.values(), ids=BAD_DATA)
def test_bad_data_are_refused_with_row_and_column(
    pyheta: Call, tmp_path: Path, text: str, words: list[str]
) -> None:
    (tmp_path / "d.csv").write_text(text)
    done = pyheta("data", "check", "d.csv")
    assert done.returncode == 2
    assert done.stderr.startswith("pyheta: ")
    for word in ("d.csv", *words):
        assert word in done.stderr
    assert "Traceback" not in done.stderr


TOLD = {
    "a decimal comma": ('time,load\n2020-01-01,"1,5"\n2020-01-02,2\n', "with a decimal comma"),
    "another delimiter": ("time;load\n2020-01-01;1\n2020-01-02;2\n", "with ';' between cells"),
}


@pytest.mark.parametrize(("text", "words"), TOLD.values(), ids=TOLD)
def test_what_needs_no_decision_is_told(
    pyheta: Call, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "d.csv").write_text(text)
    done = pyheta("data", "check", "d.csv")
    assert (done.returncode, words in done.stdout) == (0, True), done.stderr


DECOMPOSED = """
name: s
config:
  dataset: ./d.csv
  target: load
  window: {input: 4}
  net: ridge
  split: {train: 0.5, val: 0.25, test: 0.25}
  decompose: {method: emd, window: 16, max_imf: 1}
  exog: [other]
"""
UNFIT = {
    "a constant column": ([7] * 80, ["s.yaml:9", "'other' is constant"]),
    "a column that turns too rarely": (range(80), ["s.yaml:9", "'other' turns 0 times"]),
    "the target's own values": (
        [i * i % 7 for i in range(80)],
        ["s.yaml:9", "values of the target 'load'"],
    ),
}


@pytest.mark.parametrize(("values", "words"), UNFIT.values(), ids=UNFIT)
def test_columns_that_cannot_be_decomposed_are_refused_before_anything_is_computed(
    pyheta: Call, tmp_path: Path, values: list[int] | range, words: list[str]
) -> None:
    # Given a file whose second column is unfit
    rows = [
        f"2020-01-{1 + i // 24:02} {i % 24:02}:00,{i * i % 7},{value}"
        for i, value in enumerate(values)
    ]
    (tmp_path / "d.csv").write_text("\n".join(["time,load,other", *rows, ""]))
    (tmp_path / "s.yaml").write_text(DECOMPOSED.lstrip())
    # When it is to be run
    done = pyheta("run", "s.yaml")
    # Then nothing is begun
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (2, "", False)
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    ("variables", "code", "words"),
    [
        ({"PYHETA_DATABASE_URL": "foo:secret"}, 78, ["PYHETA_DATABASE_URL"]),
        ({"PYHETA_DATABASE_URL": "postgresql://u:secret@127.0.0.1:1/x"}, 75, ["127.0.0.1:1"]),
        ({"PYHETA_TIME_SCALE": "fast"}, 78, ["PYHETA_TIME_SCALE", "fast"]),
        ({"PYHETA_ARTIFACTS_URL": "ftp://u:secret@h/"}, 78, ["PYHETA_ARTIFACTS_URL"]),
    ],
)
def test_bad_settings_are_refused_without_showing_secrets(
    pyheta: Call, variables: dict[str, str], code: int, words: list[str]
) -> None:
    done = pyheta("status", **variables)
    assert done.returncode == code, done.stderr
    for word in words:
        assert word in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_misspelt_variable_is_pointed_out(pyheta: Call) -> None:
    assert "did you mean 'PYHETA_HOME'" in pyheta("data", "list", PYHETA_HOMES="x").stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["status"], "no sweep yet"),
        (["report", "nothing"], "no sweep 'nothing'"),
        (["show", "nothing"], "is not a run"),
        (["logs", "deadbeef"], "deadbeef"),
        (["cancel"], "no sweep yet"),
        (["retry"], "no sweep yet"),
    ],
)
def test_what_is_not_there_is_said(pyheta: Call, arguments: list[str], words: str) -> None:
    done = pyheta(*arguments)
    assert (done.returncode, words in done.stderr, "Traceback" in done.stderr) == (2, True, False)
