"""Whatever is wrong with a sweep is said in one line: where it stands, what it is, what to do."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from builders import BASE, WINDOW, complaint, small, sweep
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.errors import Exit, SweepError, SweepErrors
from pyheta.sweep import read_sweep

START = BASE + WINDOW  # seven lines


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "  train: {epochss: 3}",
            ("8:11: unknown key 'train.epochss'; did you mean 'train.epochs'?"),
        ),
        ("  lr: 3", "8:3: unknown key 'lr'; did you mean 'train.lr'?"),
        (
            "  shapin: {method: farm}",
            ("8:12: unknown key 'shapin.method'; did you mean 'shaping.method'?"),
        ),
        ("  train: {epochs: ten}", '8:19: train.epochs: expected a whole number, got "ten"'),
        ("  train: {epochs: 10.5}", "8:19: train.epochs: expected a whole number, got 10.5"),
        ("  train: {epochs: true}", "8:19: train.epochs: expected a whole number, got true"),
        ("  train: {epochs: 0}", "8:19: train.epochs: expected at least 1, got 0"),
        ("  train: {lr: -1}", "8:15: train.lr: expected more than 0.0, got -1"),
        ("  train: {lr: .nan}", "8:15: '.nan' is not a finite number"),
        ("  train: {shuffle: no}", '8:20: train.shuffle: expected true or false, got "no"'),
        ("  train: 5", "8:10: train: expected a mapping, got 5"),
        (
            "  train: {optimizer: os:system}",
            ("8:22: unknown train.optimizer 'os:system'; known: adam"),
        ),
        ("  net.dropout: 1.5", "8:16: net.dropout: expected less than 1.0, got 1.5"),
        ("  net.alpha: 1", "8:14: net 'lstm' has no key 'alpha'; set it under 'when'"),
        ("  split: {train: 0.9}", "8:18: split: train, val and test add up to 1.3, not to 1"),
        (
            "  split: {train: 100}",
            ("8:18: split: write all three as fractions, as rows or as lengths of time (8d, "),
        ),
        ("  split: {train: 12mo, val: 4mo, test: 300}", "not as train 12mo, val 4mo, test 300"),
        (
            "  split: {train: 1.5}",
            ("8:18: split.train: expected a fraction below 1, a number of rows, a length"),
        ),
        ("  split: {train: 0, val: 5, test: 5}", "8:18: split.train: expected a fraction below 1"),
        ("  split: {train: 1 year}", 'or a date as 2019-01-31, got "1 year"'),
        (
            "  split: {val: 2019-01-01}",
            "training begins with the data: write split: {val: 2019-01-01, test: …}",
        ),
        (
            "  split: {train: 0.5, val: 2019-01-01, test: 2020-01-01}",
            "write split: {val: 2019-01-01, test: 2020-01-01}",
        ),
        (
            "  split: {val: 2020-01-01, test: 2019-01-01T06:00+02:00}",
            "test has to begin after val, not 2019-01-01T06:00+02:00 after 2020-01-01",
        ),
        ("  split: {val: 2019-02-30, test: 2020-01-01}", "or a date as 2019-01-31"),
        (
            "  exog: load",
            '8:9: exog: expected a list of columns, as [load], or all, got "load"',
        ),
        ("  exog: [a, a]", "8:9: exog: column 'a' is listed twice"),
        ("  scale: minmaxx", "8:10: unknown scale 'minmaxx'; did you mean 'minmax'?"),
        ("  window.horizon: 0", "8:19: window.horizon: expected at least 1, got 0"),
        ("  window: {horizon: 2}", "8:3: duplicate key 'window' (first at sweep.yaml:7:3)"),
        ("  window.input: 9", "8:3: 'window.input' is given twice (first at sweep.yaml:7:12)"),
        ("  net.name: mlp", "8:3: 'net.name' is given twice (first at sweep.yaml:6:3)"),
        ("parametres: {}", "8:1: unknown key 'parametres'; did you mean 'parameters'?"),
        ("parameters: {net.name: [lstm, arima]}", "8:31: unknown net 'arima'; known: lstm, gru"),
        ("parameters: {net.name: [lstm, mlpp]}", "8:31: unknown net 'mlpp'; did you mean 'mlp'?"),
        ("parameters: {net: [{name: mlp, hiden: 3}]}", "8:20: unknown key 'net.hiden'"),
        ("parameters: {train.lrr: [1]}", "8:14: unknown key 'train.lrr'; did you mean 'train.lr'?"),
        ("parameters: {train.lr: []}", "8:14: train.lr: empty list: the sweep would have 0 runs"),
        (
            "parameters: {train.lr: [1, 1.0]}",
            ("8:28: train.lr: duplicate value (first at sweep.yaml:8:25)"),
        ),
        ("parameters: {exog: [[a, b], [b, a]]}", "8:29: exog: duplicate value"),
        ("parameters: {train.lr: 1}", "8:24: train.lr: expected a list of values, got 1"),
        ("parameters: {train.lr: {val: 1}}", "8:24: train.lr: not an axis; write a list"),
        ("parameters: {train.lr: {values: [1], x: 2}}", "unknown key 'train.lr.x'; known: values"),
        ("parameters: {train.lr: {min: 1, max: 2}}", "8:24: missing key 'train.lr.num'"),
        ("parameters: {train.lr: {min: 3, max: 2, num: 3}}", "train.lr: max 2 has to be more than"),
        (
            "parameters: {train.lr: {min: 0, max: 2, num: 3, distribution: log_uniform}}",
            "train.lr: log_uniform needs min > 0, got 0",
        ),
        ("parameters: {exog: {subsets: [a], always: [a]}}", "exog: column 'a' is listed twice"),
        ("parameters: {exog: {subsets: [a], min: 2}}", "exog: empty list"),
        (
            "parameters: {window.input: [1]}",
            ("8:14: 'window.input' is an axis and has a value in config"),
        ),
        (
            "zip: {z: {train.lr: [1], scale: [none, minmax]}}",
            "'train.lr' has 1 values but 'scale' has 2",
        ),
        ("zip: {z: {train.lr: 1}}", "8:21: zip.z.train.lr: expected a list, got 1"),
        ("zip: {z: {}}", "8:7: z: empty list"),
        (
            "zip: {z: {net: [lstm, mlp], net.name: [mlp, lstm]}}",
            "8:29: 'net.name' is set twice in this zip",
        ),
        (
            "zip: {z: {train.lr: [1]}}\nparameters: {train.lr: [2]}",
            "9:14: 'train.lr' is an axis twice (first at sweep.yaml:8:7)",
        ),
        ("when: [{if: {net.nam: lstm}, parameters: {}}]", "8:14: unknown key 'net.nam'"),
        ("when: [{if: {}, parameters: {target: [a]}}]", "'target' is an axis and has a value"),
        ("when: [{iff: {}, parameters: {}}]", "8:9: unknown key 'when.0.iff'; did you mean 'if'?"),
        (
            "when: [{if: {}, parameters: {scale: [none]}}, {if: {}, parameters: {scale: [none]}}]",
            "'scale' gets an axis from two 'when' blocks at once",
        ),
        ("exclude: [{net.namee: lstm}]", "8:12: unknown key 'net.namee'; did you mean 'net.name'?"),
        ("exclude: [{net: lstm}]", "8:1: 'exclude' leaves no run"),
        ("seeds: 0", "8:8: seeds: expected 1 to 100,000 or a list of seeds, got 0"),
        ("seeds: true", "8:8: seeds: expected 1 to 100,000 or a list of seeds, got true"),
        ("seeds: [1, 1]", "8:8: seeds: seed 1 is listed twice"),
        ("seeds: []", "8:8: seeds: expected at least 1 of them"),
        ("seeds: [0, x]", '8:12: seeds.1: expected a whole number, got "x"'),
        ("leakage: maybe", "8:10: unknown leakage 'maybe'; known: forbid, allow"),
        ("version: 2", "8:10: version: expected 1, got 2"),
        ("priority: high", '8:11: priority: expected a whole number, got "high"'),
        ("run_cap: 0", "8:10: run_cap: expected at least 1, got 0"),
        ("report: {metric: rmsee}", "8:18: unknown report.metric 'rmsee'; did you mean 'rmse'?"),
        ("report: {rows: [net.nam]}", "8:17: unknown key 'net.nam'; did you mean 'net.name'?"),
        ("report: {row: []}", "8:10: unknown key 'report.row'; did you mean 'rows'?"),
    ],
)
def test_an_error_names_its_place_and_what_to_do(tmp_path: Path, line: str, said: str) -> None:
    text = complaint(tmp_path, START + line + "\n")

    assert text.startswith("sweep.yaml:")
    assert said in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("replaced", "by", "said"),
    [
        ("net: lstm", "net: {hidden: 3}", "missing key 'net.name'"),
        ("  net: lstm\n", "", "sweep.yaml:3:1: missing key 'net' in config"),
        ("name: small\n", "", "sweep.yaml: missing key 'name'"),
        ("small", "a/b", "1:7: name: character 2, '/' (solidus), cannot stand in a name"),
        ("small", "a b", "1:7: name: character 2, ' ' (space), cannot stand in a name: letters"),
        ("small", "..", "1:7: name: a name begins with a letter or a digit"),
        ("small", "ends.", "1:7: name: a name begins with a letter or a digit, and does not end"),
        ("small", "😀", "1:7: name: character 1, '😀' (grinning face), cannot stand in a name"),
        ("small", 65 * "x", "1:7: name: expected at most 64 characters"),
        ("small", "5", "1:7: name: expected text, got 5"),
        ("baselines: []", "baselines: [lastt]", "2:13: unknown baselines.0 'lastt'; did you mean"),
        ("dataset: synthetic", "dataset: {rows: 500}", "missing key 'dataset.name'"),
        (
            "dataset: synthetic",
            "dataset: {name: synthetic, rows: 5}",
            "4:36: dataset.rows: expected",
        ),
        ("target: load", "target: 5", "5:11: target: expected text, got 5"),
        ("target: load", "target: []", "5:11: target: expected at least one column"),
        ("target: load", "target: [load, a, load]", "5:11: target: column 'load' is listed twice"),
        ("target: load", 'target: ""', "5:11: target: expected some text"),
        ("target: load", "target: 'x\"; DROP TABLE job;--'\n  a: 1", "unknown key 'a'"),
    ],
)
def test_what_is_missing_or_wrong_in_the_smallest_sweep(
    tmp_path: Path, replaced: str, by: str, said: str
) -> None:
    assert said in complaint(tmp_path, START.replace(replaced, by))


def test_a_strange_column_name_is_a_name(tmp_path: Path) -> None:
    read = sweep(tmp_path, START.replace("target: load", "target: 'x\"; DROP TABLE job;--'"))

    assert read.runs()[0].config.target == ('x"; DROP TABLE job;--',)


def test_a_sweep_without_anything_lacks_everything_that_it_needs(tmp_path: Path) -> None:
    with pytest.raises(SweepErrors) as caught:
        sweep(tmp_path, "name: x\n")

    assert [error.what for error in caught.value.errors] == [
        f"missing key '{key}' in config" for key in ("dataset", "target", "window", "net")
    ]


def test_what_is_misspelt_is_not_called_missing_as_well(tmp_path: Path) -> None:
    text = complaint(tmp_path, BASE + "  windw: {input: 8}\n")

    assert text == "sweep.yaml:7:11: unknown key 'windw.input'; did you mean 'window.input'?"


def test_all_errors_are_shown_at_once(tmp_path: Path) -> None:
    with pytest.raises(SweepErrors) as caught:
        sweep(
            tmp_path,
            START
            + "  train: {epochs: ten, lrr: 1}\n"
            + "priority: high\n"
            + "parameters: {net.name: [lstm, mlpp], scale: []}\n",
        )

    lines = [error.where.rpartition("/")[2] for error in caught.value.errors]
    assert lines == [
        "sweep.yaml:9:11",
        "sweep.yaml:10:38",
        "sweep.yaml:8:24",
        "sweep.yaml:8:19",
        "sweep.yaml:10:31",
    ]
    assert caught.value.exit_code is Exit.INPUT


def test_no_more_than_twenty_errors_are_shown(tmp_path: Path) -> None:
    wrong = "".join(f"  wrong{number}: 1\n" for number in range(50))

    with pytest.raises(SweepErrors) as caught:
        sweep(tmp_path, START + wrong)

    assert len(caught.value.errors) == 20


def test_too_many_runs_are_counted_without_making_them(tmp_path: Path) -> None:
    axis = "{min: 1, max: 1000, num: 1000}"
    axes = (
        f"parameters: {{train.epochs: {axis}, train.patience: {axis}, train.batch_size: {axis}}}\n"
    )

    said = complaint(tmp_path, START + axes)

    assert said.startswith("sweep.yaml:8:1: the sweep has 1,000,000,000 runs; run_cap is 20,000")


def test_subsets_of_many_columns_are_counted_without_making_them(tmp_path: Path) -> None:
    columns = ", ".join(f"c{number}" for number in range(60))

    said = complaint(tmp_path, START + f"parameters: {{exog: {{subsets: [{columns}]}}}}\n")

    assert "1,152,921,504,606,846,976 subsets; limit 1,000,000" in said


def test_runs_that_conditions_add_count_too(tmp_path: Path) -> None:
    axes = (
        "when: [{if: {}, parameters: {train.epochs: {min: 1, max: 100, num: 100}}}]\nrun_cap: 99\n"
    )

    assert "the sweep has more than 99 runs" in complaint(tmp_path, START + axes)


def test_a_sweep_may_have_as_many_runs_as_its_cap(tmp_path: Path) -> None:
    axes = "parameters: {train.epochs: {min: 1, max: 100, num: 100}}\nrun_cap: 100\n"

    assert len(small(tmp_path, axes).runs()) == 100


pieces = st.sampled_from(
    [
        *("name", "config", "parameters", "zip", "when", "exclude", "seeds", "report", "extends"),
        *("if", "net", "net.name", "dataset", "exog", "train", "train.lr", "window", "baselines"),
        *("values", "value", "min", "max", "num", "subsets", "always", "x", "lstm", "mlp"),
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | pieces,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(pieces, inner, max_size=4),
    max_leaves=20,
)


@hypothesis_settings(deadline=None, max_examples=300)
@given(st.dictionaries(pieces, values, max_size=6))
def test_any_structure_is_a_sweep_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(json.dumps(data))  # JSON is YAML
    with suppress(SweepError):
        read_sweep(path)


@hypothesis_settings(deadline=None, max_examples=200)
@given(st.sampled_from(["seeds", "net", "train.lr", "exog", "x", ""]), st.text(max_size=20))
def test_any_override_is_taken_or_refused(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "override.yaml"
    path.write_text(START)
    with suppress(SweepError):
        read_sweep(path, [f"{key}={value}"])


def test_a_list_with_a_wrong_item_is_not_called_too_short_as_well(tmp_path: Path) -> None:
    with pytest.raises(SweepError) as caught:
        small(tmp_path, "", ["net={name: mlp, hidden: 65537}"]).runs()

    assert str(caught.value).endswith("net.hidden: expected at most 65536, got 65537")
