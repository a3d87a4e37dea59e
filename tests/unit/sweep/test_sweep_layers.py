"""Files that extend files, and words on the command line: the last word about a key counts."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from builders import BASE, WINDOW, complaint, small, sweep
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.sweep import Sweep, read_sweep

START = BASE + WINDOW


def extending(folder: Path, base: str, text: str, overrides: Sequence[str] = ()) -> Sweep:
    (folder / "base.yaml").write_text(base)
    return sweep(folder, text, overrides)


def test_a_file_builds_on_another(tmp_path: Path) -> None:
    read = extending(
        tmp_path,
        START + "  train: {lr: 0.5, epochs: 7}\nseeds: 3\nreport: {metric: mae}\n",
        "extends: [base.yaml]\nname: above\nconfig: {train: {lr: 0.25}}\nreport: {rows: [net]}\n",
    )

    config = read.runs()[0].config
    assert (read.name, read.seeds) == ("above", (0, 1, 2))
    assert (config.train.lr, config.train.epochs, config.target) == (0.25, 7, ("load",))
    assert (read.report.metric, read.report.rows) == ("mae", ("net",))
    assert read.text.startswith("extends")


def test_a_later_file_wins_over_an_earlier_one(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(START + "  train.epochs: 1\n  train.lr: 0.1\n")
    (tmp_path / "two.yaml").write_text("config: {train: {epochs: 2}}\n")

    read = sweep(tmp_path, "extends: [one.yaml, two.yaml]\n")

    train = read.runs()[0].config.train
    assert (train.epochs, train.lr) == (2, 0.1)


def test_paths_start_at_the_folder_of_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "middle.yaml").write_text("extends: [../bottom.yaml]\nname: middle\n")
    (tmp_path / "bottom.yaml").write_text(START)

    assert sweep(tmp_path, "extends: [deep/middle.yaml]\n").name == "middle"


@pytest.mark.parametrize(
    ("above", "axes", "runs"),
    [
        ("parameters: {train.lr: [0.1, 0.2]}", ("train.lr", "scale"), 4),  # an axis for a value
        ("config: {scale: none}", (), 1),  # a value for an axis
        ("parameters: {scale: [none]}", (), 1),  # an axis for an axis
        ("zip: {z: {scale: [none, minmax], train.epochs: [1, 2]}}", ("scale", "train.epochs"), 2),
        ("config: {net: ridge}", ("scale",), 2),  # a whole section for its parts
    ],
)
def test_what_a_file_says_of_a_key_replaces_what_lies_below(
    tmp_path: Path, above: str, axes: tuple[str, ...], runs: int
) -> None:
    base = START + "  train.lr: 0.5\n  net.hidden: 3\nparameters: {scale: [none, standard]}\n"

    read = extending(tmp_path, base, f"extends: [base.yaml]\n{above}\n")

    assert sorted(read.axes) == sorted(axes)
    assert len(read.runs()) == runs


def test_errors_of_a_lower_file_have_its_name(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(START + "  train: {epochs: ten}\n")

    said = complaint(tmp_path, "extends: [base.yaml]\n")

    assert said.startswith("base.yaml:8:19: train.epochs")


def test_a_file_cannot_extend_itself(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("extends: [sweep.yaml]\n")

    said = complaint(tmp_path, START + "extends: [base.yaml]\n")

    assert "base.yaml:1:11: 'sweep.yaml' extends itself" in said


def test_a_file_that_is_extended_has_to_be_there(tmp_path: Path) -> None:
    assert "absent.yaml: no such file" in complaint(tmp_path, START + "extends: [absent.yaml]\n")


@pytest.mark.parametrize(
    ("override", "written"),
    [
        ("train.epochs=3", "  train.epochs: 3\n"),
        ("train.epochs=3,4", "parameters: {train.epochs: [3, 4]}\n"),
        ("exog=[a,b]", "  exog: [a, b]\n"),
        ("exog=[a],[]", "parameters: {exog: [[a], []]}\n"),
        ("seeds=4", "seeds: 4\n"),
        ("seeds=4,5", "seeds: [4, 5]\n"),
        ("leakage=allow", "leakage: allow\n"),
        ("priority=-3", "priority: -3\n"),
        ("scale=none", "  scale: none\n"),
    ],
)
def test_an_override_is_the_same_as_an_edit(tmp_path: Path, override: str, written: str) -> None:
    overridden = small(tmp_path, overrides=[override])
    edited = small(tmp_path, written)

    assert overridden.runs() == edited.runs()
    assert overridden.axes == edited.axes
    assert (overridden.seeds, overridden.priority) == (edited.seeds, edited.priority)
    assert overridden.overrides == (override,)


@hypothesis_settings(deadline=None, max_examples=25)
@given(st.floats(1e-6, 10), st.lists(st.integers(1, 999), min_size=1, max_size=3, unique=True))
def test_any_numbers_can_be_overridden(
    tmp_path_factory: pytest.TempPathFactory, lr: float, epochs: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("sweep")
    words = ",".join(map(str, epochs))

    overridden = small(folder, overrides=[f"train.lr={lr!r}", f"train.epochs={words}"])
    edited = small(folder, f"  train.lr: {lr!r}\nparameters: {{train.epochs: {epochs}}}\n")

    assert overridden.runs() == edited.runs()


def test_an_override_of_an_axis_replaces_it(tmp_path: Path) -> None:
    axes = "parameters: {net.name: [lstm, mlp], scale: [none, minmax]}\n"

    assert small(tmp_path, axes, ["net.name=ridge"]).axes == ("scale",)
    assert small(tmp_path, axes, ["net.name=ridge,last"]).axes == ("scale", "net.name")


def test_an_override_of_one_key_of_a_zip_leaves_the_others(tmp_path: Path) -> None:
    zipped = "zip: {z: {scale: [none, minmax], train.epochs: [1, 2]}}\n"

    read = small(tmp_path, zipped, ["scale=standard"])

    assert read.axes == ("train.epochs",)
    assert {run.config.scale for run in read.runs()} == {"standard"}


def test_an_override_reaches_into_conditions(tmp_path: Path) -> None:
    when = "when: [{if: {net: lstm}, parameters: {train.lr: [0.1, 0.2]}}]\n"

    assert len(small(tmp_path, when, ["train.lr=0.5"]).runs()) == 1


def test_the_name_can_be_overridden_but_the_text_stays(tmp_path: Path) -> None:
    read = small(tmp_path, overrides=["name=other", "baselines=last"])

    assert read.name == "other"
    assert read.text == START
    assert [run.role for run in read.runs()] == ["net", "baseline"]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("train.epochs", "command line: 'train.epochs' is not an override; write key=value"),
        ("train.epochs=", "command line: 'train.epochs=' is not an override; write key=value"),
        ("trainlr=3", "command line: unknown key 'trainlr'; did you mean 'train.lr'?"),
        ("seed=3", "command line: unknown key 'seed'; did you mean 'seeds'?"),
        (
            "train.epochs=x",
            'command line, train.epochs=x: train.epochs: expected a whole number, got "x"',
        ),
        ("seeds=x", "command line, seeds=x: seeds: expected 1 to 100,000"),
        ("net.name=lstm,lstm", "net.name: duplicate value"),
        ("train.lr=[", "not valid YAML"),
        ("train.lr=.inf", "is not a finite number"),
    ],
)
def test_a_wrong_override_is_named(tmp_path: Path, override: str, said: str) -> None:
    assert said in complaint(tmp_path, START, [override])


def test_a_password_in_an_override_is_refused_and_not_repeated(tmp_path: Path) -> None:
    said = complaint(tmp_path, START, ["dataset=amqp://guest:hunter2@host"])

    assert "credentials do not belong" in said
    assert "hunter2" not in said


def test_errors_of_file_and_overrides_come_together(tmp_path: Path) -> None:
    said = complaint(tmp_path, START + "  scale: x\n", ["train.lr=y", "z=1"])

    assert len(said.splitlines()) == 3


def test_the_sweeps_that_come_with_the_project_can_be_read(request: pytest.FixtureRequest) -> None:
    folder = request.config.rootpath / "experiments"

    for name in ("quickstart", "etth1-onestep"):
        read = read_sweep(folder / f"{name}.yaml")

        assert read.name == name
        assert {run.role for run in read.runs()} == {"net", "baseline"}
