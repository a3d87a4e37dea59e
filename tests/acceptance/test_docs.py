"""The console blocks of the README and of `docs/` are executed: what they show is what happens.

In a block, a line `$ command` is followed by what it prints on standard output; a command that ends
in `# exit code 2` fails so, and what it prints on standard error is shown. Results may differ from
machine to machine by a tenth; times and identifiers are not compared; a line `…` stands for any
lines. The blocks of a page are executed one after the other in a folder with an embedded server of
its own and a data set `load.csv`.
"""

import re
from pathlib import Path

import pytest
from processes import PATIENCE, run_shell

from pyheta.cli import app
from pyheta.pipeline.data.synthetic import generate
from pyheta.settings import KEYS, PREFIX
from pyheta.sweep import read_sweep

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
USERS = (README, *sorted((ROOT / "docs").glob("*.md")))
ALL = (*USERS, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "experiments/RESULTS.md")

FENCES = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINKS = re.compile(r"\]\(([^)#:]+)\)")
FILES = re.compile(r"`([\w./-]+/[\w.-]+\.(?:py|sql|yaml|md|toml))`")
EXIT_CODE = re.compile(r"# exit code (\d+)$")


def blocks(page: Path, language: str) -> list[str]:
    return [body for name, body in FENCES.findall(page.read_text()) if name == language]


def all_blocks(language: str) -> list[str]:
    return [block for page in USERS for block in blocks(page, language)]


def commands(block: str) -> list[tuple[str, list[str]]]:
    """Each command of a block with the lines that it shall print."""
    listed: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            listed.append((line.removeprefix("$ "), []))
        elif line.strip():
            listed[-1][1].append(line)
    return listed


def exit_code(command: str) -> int:
    code = EXIT_CODE.search(command)
    return int(code[1]) if code else 0


def shape(line: str) -> str:
    """A line without what may differ: numbers, identifiers, machines, widths."""
    line = re.sub(r"\b[0-9a-f]{12}\b", "#", line)
    line = re.sub(r"[\w.-]+:\d+, fence", "#, fence", line)
    line = re.sub(r"-?\d[\d,.:]*", "#", line)
    line = re.sub(r"─+", "─", line)
    return " ".join(line.split())


def numbers(text: str) -> list[float]:
    """The results in a text: numbers with three decimals that are neither a spread nor a time."""
    return [
        float(number) for number in re.findall(r"(?<!± )(?<![\d.])\d+\.\d{3}(?!\d)(?! s)", text)
    ]


def close(expected: list[float], printed: list[float]) -> bool:
    """Whether the expected numbers were printed in this order, perhaps with others between them.

    Another CPU may round otherwise, and training magnifies that.
    """
    rest = iter(printed)
    return all(any(value == pytest.approx(shown, rel=0.1) for value in rest) for shown in expected)


def pattern(expected: list[str]) -> str:
    """What must be printed, line by line."""
    return "".join(
        r"(?:.*\n)*?" if line == "…" else re.escape(shape(line)) + r"\n" for line in expected
    )


@pytest.mark.parametrize(
    "page", [page for page in USERS if blocks(page, "console")], ids=lambda page: page.stem
)
def test_what_the_console_blocks_show_is_what_happens(
    tmp_path: Path, home: Path, page: Path
) -> None:
    # Given a page's console blocks, and a folder that nothing was computed in
    generate(rows=2000).rename({"time": "date"}).write_csv(tmp_path / "load.csv")
    steps = [step for block in blocks(page, "console") for step in commands(block)]

    for command, expected in steps:
        # When a command is executed
        done = run_shell(command, tmp_path, PYHETA_HOME=str(home), timeout=PATIENCE)

        # Then it ends as the page says and prints what the page shows
        shown = f"$ {command}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == exit_code(command), shown
        output = done.stderr if exit_code(command) else done.stdout
        assert close(numbers("\n".join(expected)), numbers(output)), shown
        printed = "".join(shape(line) + "\n" for line in output.splitlines() if line.strip())
        assert re.fullmatch(pattern(expected), printed), shown


@pytest.mark.parametrize("block", all_blocks("yaml"))
def test_a_sweep_file_that_is_shown_is_one(tmp_path: Path, block: str) -> None:
    (tmp_path / "sweep.yaml").write_text(block)

    for overrides in ([], ["seeds=1", "train.epochs=5,20"]):
        assert read_sweep(tmp_path / "sweep.yaml", overrides).runs()


def test_the_net_of_ones_own_is_trained_as_it_is_shown(tmp_path: Path, home: Path) -> None:
    # Given the class and the sweep of `docs/nets-and-training.md`, as they stand there
    (net,) = [block for block in all_blocks("python") if "nn.Module" in block]
    assert len(net.strip().splitlines()) <= 24
    (tmp_path / "mynets.py").write_text(net)
    (sweep,) = [block for block in all_blocks("yaml") if "mynets" in block]
    (tmp_path / "sweep.yaml").write_text(sweep)

    # When it is run as the page says
    command = "PYTHONPATH=. pyheta run sweep.yaml --format csv"
    done = run_shell(command, tmp_path, PYHETA_HOME=str(home), timeout=PATIENCE)

    # Then its run has a result
    assert done.returncode == 0, done.stderr
    assert "mynets:Shortcut" in done.stdout
    assert re.search(r"mynets:Shortcut,False,rmse,test,\d", done.stdout)


def test_the_metric_of_ones_own_is_computed_as_it_is_shown(tmp_path: Path, home: Path) -> None:
    # Given the function and the sweep of `docs/sweep-file.md`, as they stand there
    (metric,) = [block for block in all_blocks("python") if "def asymmetric" in block]
    (tmp_path / "mine.py").write_text(metric)
    (sweep,) = [block for block in all_blocks("yaml") if "mine:asymmetric" in block]
    (tmp_path / "sweep.yaml").write_text(sweep)

    # When it is run
    command = "PYTHONPATH=. pyheta run sweep.yaml --format csv"
    done = run_shell(command, tmp_path, PYHETA_HOME=str(home), timeout=PATIENCE)

    # Then its runs and the baselines have the metric
    assert done.returncode == 0, done.stderr
    for net in ("ridge", "last"):
        assert re.search(rf"^{net},.*asymmetric,test,\d", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize("target", ["run", "test", "wheel"])
def test_the_commands_of_the_set_up_are_targets_of_the_makefile(target: str) -> None:
    assert any(f"make {target}" in block for block in blocks(README, "sh"))
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_every_command_has_its_place_among_the_commands() -> None:
    page = (ROOT / "docs/commands.md").read_text()
    assert [name for name in command_names() if f"pyheta {name}" not in page] == []


def command_names() -> list[str]:
    """Such as "run" and "db upgrade"."""
    groups = [(f"{group.name} ", group.typer_instance) for group in app.registered_groups]
    return [
        f"{prefix}{command.name or getattr(command.callback, '__name__', '')}"
        for prefix, typer in [("", app), *groups]
        for command in (typer.registered_commands if typer else ())
    ]


def test_every_setting_is_explained() -> None:
    page = (ROOT / "docs/cluster.md").read_text()
    assert [key for key in KEYS if PREFIX + key.upper() not in page] == []


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.stem)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    text = page.read_text()
    linked = [page.parent / name for name in LINKS.findall(text)]
    named = [ROOT / name for name in FILES.findall(text)]
    assert [str(path) for path in (*linked, *named) if not path.exists()] == []
