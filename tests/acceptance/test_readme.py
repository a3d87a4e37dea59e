"""The README's console blocks are executed: what they show is what happens.

In a block, a line `$ command` is followed by what it prints on standard output. Results may differ
from machine to machine by a tenth; times and identifiers are not compared; a line `…` stands for
any lines.
"""

import re
from pathlib import Path

import pytest
from processes import PATIENCE, run_shell

from pyheta.cli import app
from pyheta.settings import KEYS, PREFIX
from pyheta.sweep import read_sweep

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()

FENCES = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [body for name, body in FENCES.findall(README) if name == language]


def commands(block: str) -> list[tuple[str, list[str]]]:
    """Each command of a block with the lines that it shall print."""
    found: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line.removeprefix("$ "), []))
        elif line.strip():
            found[-1][1].append(line)
    return found


def shape(line: str) -> str:
    """A line without what may differ: numbers, identifiers, widths."""
    line = re.sub(r"\b[0-9a-f]{12}\b", "#", line)
    line = re.sub(r"-?\d[\d,.:]*", "#", line)
    line = re.sub(r"─+", "─", line)
    return " ".join(line.split())


def numbers(text: str) -> list[float]:
    """The results in a text: numbers with three decimals that are neither a spread nor a time."""
    return [
        float(number) for number in re.findall(r"(?<!± )(?<![\d.])\d+\.\d{3}(?!\d)(?! s)", text)
    ]


def close(expected: list[float], printed: list[float]) -> bool:
    """Another processor may round otherwise, and training magnifies that."""
    return len(expected) == len(printed) and all(
        value == pytest.approx(shown, rel=0.1)
        for shown, value in zip(expected, printed, strict=True)
    )


def pattern(expected: list[str]) -> str:
    """What standard output must match, line by line."""
    return "".join(
        r"(?:.*\n)*?" if line == "…" else re.escape(shape(line)) + r"\n" for line in expected
    )


def test_what_the_console_blocks_show_is_what_happens(tmp_path: Path, home: Path) -> None:
    # Given the README's console blocks, one after the other in one folder with an embedded server
    # of its own
    steps = [step for block in blocks("console") for step in commands(block)]
    assert len(steps) >= 5

    for command, expected in steps:
        # When a command is executed
        done = run_shell(command, tmp_path, PYHETA_HOME=str(home), timeout=PATIENCE)

        # Then it succeeds and prints what the README shows
        assert done.returncode == 0, f"$ {command}\n{done.stdout}\n{done.stderr}"
        assert close(numbers("\n".join(expected)), numbers(done.stdout)), (
            f"$ {command}\n{done.stdout}"
        )
        printed = "".join(shape(line) + "\n" for line in done.stdout.splitlines() if line.strip())
        assert re.fullmatch(pattern(expected), printed), f"$ {command}\n{done.stdout}"


@pytest.mark.parametrize("block", blocks("yaml"))
def test_a_sweep_file_that_is_shown_is_one(tmp_path: Path, block: str) -> None:
    (tmp_path / "sweep.yaml").write_text(block)

    for overrides in [(), ("seeds=1", "train.epochs=5,20")]:
        assert read_sweep(tmp_path / "sweep.yaml", overrides).runs()


def test_the_net_of_ones_own_is_trained_as_it_is_shown(tmp_path: Path, home: Path) -> None:
    # Given the README's class and its sweep, as they stand there
    (net,) = blocks("python")
    assert len(net.strip().splitlines()) <= 24
    (tmp_path / "mynets.py").write_text(net)
    (sweep,) = [block for block in blocks("yaml") if "mynets" in block]
    (tmp_path / "sweep.yaml").write_text(sweep)

    # When it is run as the README says
    command = "PYTHONPATH=. pyheta run sweep.yaml --format csv"
    done = run_shell(command, tmp_path, PYHETA_HOME=str(home), timeout=PATIENCE)

    # Then its run has a result
    assert done.returncode == 0, done.stderr
    assert "mynets:Shortcut" in done.stdout
    assert re.search(r"mynets:Shortcut,False,rmse,test,\d", done.stdout)


@pytest.mark.parametrize("target", ["run", "test"])
def test_the_two_commands_of_the_set_up_are_targets_of_the_makefile(target: str) -> None:
    assert any(f"make {target}" in block for block in blocks("sh"))
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_every_command_is_in_the_readme() -> None:
    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    assert [name for name in names if f"pyheta {name}" not in README] == []


def test_every_setting_is_in_the_readme() -> None:
    assert [key for key in KEYS if PREFIX + key.upper() not in README] == []
