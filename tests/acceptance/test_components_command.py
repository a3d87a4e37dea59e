"""A sweep that decomposes, shapes and explains, as its user sees it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from failing import NAME, write_net
from processes import Call

SWEEP = """\
name: parts
leakage: allow
config:
  dataset: ./d.csv
  target: load
  window: {input: 6}
  net: ridge
  split: {train: 0.6, val: 0.2, test: 0.2}
  decompose: {window: 60, max_imf: 1}
  shaping: farm
parameters:
  decompose.method: [none, emd]
  decompose.mode: [causal, full]
  exog: {subsets: [other]}
baselines: [last]
explain: {relevance: [pearson], permutations: 2}
"""
ROWS = 400


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """A season, and a column that runs one row ahead of it."""
    season = [50 + 10 * ((i * i) % 7) + i % 24 for i in range(ROWS + 1)]
    lines = [
        f"2020-01-{1 + i // 24:02} {i % 24:02}:00,{season[i]},{season[i + 1]}" for i in range(ROWS)
    ]
    (tmp_path / "d.csv").write_text("\n".join(["time,load,other", *lines, ""]))
    path = tmp_path / "s.yaml"
    path.write_text(SWEEP)
    return path


def told(done: subprocess.CompletedProcess[str], code: int = 0) -> Any:
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_everything_that_explains_a_sweep_can_be_seen(pyheta: Call, sweep: Path) -> None:
    # Given a sweep with honest and leaky runs, computed on the embedded default
    report = told(pyheta("run", "s.yaml", "--format", "json"))
    rows = {tuple(row["row"].values()): row["cells"][0] for row in report["rows"]}

    # Then the leaky ones are marked and win nothing
    leaky = {labels: bool(cell["leaks"]) for labels, cell in rows.items()}
    assert {labels for labels, leaks in leaky.items() if leaks} == {
        ("ridge", "emd", "full", "-"),
        ("ridge", "emd", "full", "other"),
    }
    assert not any(cell["best"] for labels, cell in rows.items() if leaky[labels])

    # And every view answers
    about = {
        view: told(pyheta("report", "--about", view, "--format", "json"))
        for view in ("components", "relevance", "importance", "shapley")
    }
    metrics = {cell["metric"] for row in about["components"]["rows"] for cell in row["cells"]}
    assert metrics == {"rmse", "IMF0/rmse", "Residue/rmse"}
    assert {row["row"]["component"] for row in about["relevance"]["rows"]} == {
        "target",
        "IMF0",
        "Residue",
    }
    assert all(row["pearson.lag"] >= 0 for row in about["relevance"]["rows"])
    assert {row["row"]["decompose"] for row in about["importance"]["rows"]} == {
        "-",
        "emd causal",
        "emd full",
    }
    assert all("other" in row for row in about["shapley"]["rows"])

    # And one run tells what its steps learned from
    shown = pyheta("show", "parts/7").stdout
    assert "saw the future: whole-series decomposition" in shown
    assert "whole" in shown


def test_a_step_that_fails_takes_only_the_runs_along_that_need_it(
    pyheta: Call, sweep: Path, tmp_path: Path
) -> None:
    # Given a net that cannot be trained, in half of the runs
    write_net(tmp_path)
    options = "{error: StepError, text: it cannot}"
    overrides = [
        "decompose.method=none",
        "decompose.mode=causal",
        "exog=[other]",
        "shaping.method=none",
        f"net=ridge,{{name: '{NAME}', options: {options}}}",
    ]
    done = pyheta("run", "s.yaml", *overrides, "--format", "json", PYTHONPATH=str(tmp_path))

    # When they have run, Then the others are complete and the report names the step that failed
    report = told(done, code=1)
    assert (report["runs"], report["finished"], report["failed"]) == (3, 2, 1)
    ((reason, count),) = report["failures"].items()
    assert count == 1
    assert reason.startswith("needs fit ")
    assert "Traceback" not in done.stderr


def test_the_probe_tells_honest_from_leaky_runs(pyheta: Call, sweep: Path) -> None:
    findings = told(pyheta("doctor", "--leakage", "s.yaml", "--json"))

    found = {finding["what"]: finding["found"] for finding in findings}
    full = {
        what for what in found if "emd full" in what and ("decompose" in what or "score" in what)
    }
    assert full
    assert all("permits" in found[what] for what in full)
    assert all("nothing changed" in text for what, text in found.items() if "full" not in what)
