"""The commands as a user meets them: help, exit codes, output for people and for programs."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from processes import Call

from pyheta.cli import app

PYHETA = Path(sys.executable).with_name("pyheta")
HEAVY = ("torch", "polars", "numpy", "numba", "asyncpg", "aio_pika", "pydantic", "rich", "yaml")

COMMANDS = (
    *((command.callback.__name__,) for command in app.registered_commands if command.callback),
    *(("data", name) for name in ("list", "check", "show")),
    *(("db", name) for name in ("upgrade", "start", "stop")),
)

SMALL = """\
name: small
seeds: 2
config:
  dataset: {name: synthetic, rows: 400}
  target: load
  window: {input: 6}
  train: {epochs: 1}
parameters:
  net.name: [mlp, ridge]
baselines: [last]
"""


# ---- start-up ------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [(), *COMMANDS], ids=" ".join)
def test_every_command_explains_itself(pyheta: Call, command: Sequence[str]) -> None:
    done = pyheta(*command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: {' '.join(('pyheta', *command))}")
    assert done.stderr == ""


def test_help_lists_the_commands_of_the_design() -> None:
    names = {" ".join(command) for command in COMMANDS}
    assert names >= {
        *("run", "plan", "submit", "worker", "status", "report", "show", "logs", "retry", "cancel"),
        *("schema", "init", "doctor", "data list", "data check", "data show"),
        *("db upgrade", "db start", "db stop"),
    }


@pytest.mark.parametrize(
    "code",
    [
        (
            "import pyheta, pyheta.cli, pyheta.errors, pyheta.steps, pyheta.ops.registry, "
            "pyheta.settings"
        ),
        "import sys; sys.argv = ['pyheta', '--help']\nimport pyheta.cli\npyheta.cli.main()",
    ],
    ids=["import", "help"],
)
def test_nothing_heavy_is_imported_before_it_is_needed(code: str) -> None:
    # Given a script that says at its end what it has imported
    script = (
        f"import atexit, sys\natexit.register(lambda: print(*sys.modules, file=sys.stderr))\n{code}"
    )
    # When
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    # Then
    imported = {name.partition(".")[0] for name in done.stderr.split()}
    assert "pyheta" in imported
    assert not imported & set(HEAVY)


LOOKING = (
    "pyheta.wiring, pyheta.commands.status_view, pyheta.commands.follow, pyheta.commands.show, "
    "pyheta.commands.cancel, pyheta.commands.worker"
)


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        (LOOKING, {"torch", "polars", "scipy", "numpy"}),
        # What can be told apart is computed
        ("pyheta.report.read, pyheta.report.formats", {"torch", "polars", "scipy"}),
    ],
    ids=["looking", "reports"],
)
def test_what_only_looks_loads_nothing_heavy(modules: str, absent: set[str]) -> None:
    script = f"import sys, {modules}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not absent & set(done.stdout.split())


def test_the_version_is_printed(pyheta: Call) -> None:
    assert pyheta("--version").stdout.startswith("pyheta 0.")


# ---- usage errors --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["stauts"], "Did you mean 'status'"),
        (["run"], "Missing argument 'SWEEP'"),
        (["worker", "--procs", "0"], "--procs"),
        (["worker", "--procs", "two"], "--procs"),
        (["worker", "--procs", "1000000"], "--procs"),
        (["worker", "--lanes", "0"], "--lanes"),
        (["worker", "--kind", "gpu"], "--kind"),
        (["report", "--format", "pdf"], "--format"),
        (["status", "--wach"], "--watch"),
        (["status", "--watch", "--json"], "--watch and --json"),
    ],
)
def test_wrong_usage_exits_2_and_says_what_is_wrong(
    pyheta: Call, arguments: list[str], words: str
) -> None:
    done = pyheta(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


# ---- init, schema, data --------------------------------------------------------------------------


def test_init_writes_a_sweep_that_can_be_planned_and_never_overwrites(
    pyheta: Call, tmp_path: Path
) -> None:
    # Given
    first = pyheta("init")
    assert (first.returncode, first.stdout) == (0, "wrote sweep.yaml; now: pyheta run sweep.yaml\n")
    written = (tmp_path / "sweep.yaml").read_text()
    # When it is planned, and written again
    plan, second = pyheta("plan", "sweep.yaml", "--json"), pyheta("init")
    # Then
    assert json.loads(plan.stdout)["runs"] == 8
    assert second.returncode == 2
    assert "sweep.yaml" in second.stderr
    assert (tmp_path / "sweep.yaml").read_text() == written


def test_the_schema_is_one_json_document(pyheta: Call) -> None:
    assert "parameters" in json.loads(pyheta("schema").stdout)["properties"]


def test_known_data_sets_are_listed_with_their_files(pyheta: Call, tmp_path: Path) -> None:
    (tmp_path / "ETTh1.csv").write_text("date,OT\n")
    listed = json.loads(pyheta("--data", ".", "data", "list", "--json").stdout)
    assert {entry["name"]: entry["present"] for entry in listed} | {"etth1": True} == {
        entry["name"]: entry["name"] in ("synthetic", "etth1") for entry in listed
    }


def test_a_data_set_is_described(pyheta: Call, tmp_path: Path) -> None:
    rows = "\n".join(f"2020-01-01 {hour:02}:00:00,{hour}" for hour in range(24))
    (tmp_path / "hours.csv").write_text(f"time,load\n{rows}\n")
    facts = json.loads(pyheta("data", "check", "hours.csv", "--json").stdout)
    assert (facts["rows"], facts["columns"], facts["step_seconds"]) == (24, ["load"], 3600)


def test_an_option_of_a_data_set_is_said_as_in_a_sweep(pyheta: Call, tmp_path: Path) -> None:
    rows = "\n".join(f"2020-01-{day:02},2021-01-{day:02},{day}" for day in range(1, 31))
    (tmp_path / "days.csv").write_text(f"date,seen,y\n{rows}\n")
    facts = json.loads(pyheta("data", "check", "days.csv", "time=seen", "--json").stdout)
    assert facts["first"] == "2021-01-01T00:00:00"
    same = pyheta("data", "check", "days.csv", "--time", "seen", "--json")
    assert json.loads(same.stdout) == facts
    wrong = pyheta("data", "check", "days.csv", "seasn=7")
    assert wrong.returncode == 2
    assert "did you mean 'season'?" in wrong.stderr


def test_a_data_set_is_drawn_without_colours_where_nobody_watches(
    pyheta: Call, tmp_path: Path
) -> None:
    rows = "\n".join(f"2020-01-{day:02},{day % 7}" for day in range(1, 31))
    (tmp_path / "days.csv").write_text(f"time,sales\n{rows}\n")
    done = pyheta("data", "show", "days.csv", PYTHONIOENCODING="utf-8")
    assert done.returncode == 0
    assert done.stdout.startswith("sales: probably the one to forecast")
    assert "\x1b" not in done.stdout
    shown = json.loads(pyheta("data", "show", "days.csv", "--json").stdout)
    assert shown["columns"]["sales"]["autocorrelation"]["7"] > 0.7


def test_what_is_refused_is_drawn_as_far_as_it_goes(pyheta: Call, tmp_path: Path) -> None:
    days = [day for day in range(1, 31) if day not in (9, 10)]
    rows = "\n".join(f"2020-01-{day:02},{day}" for day in days)
    (tmp_path / "days.csv").write_text(f"time,y\n{rows}\n")
    done = pyheta("data", "show", "days.csv")
    assert done.returncode == 2
    assert "1 gap between rows" in done.stdout
    assert done.stderr.startswith("pyheta: days.csv: row 10")


@pytest.mark.slow
def test_a_file_of_ones_own_gets_a_sweep_that_ends_in_a_table(pyheta: Call, tmp_path: Path) -> None:
    # Given a short file
    rows = "\n".join(
        f"2020-{1 + n // 28:02}-{1 + n % 28:02},{n % 7},{n * n % 5}" for n in range(28)
    )
    (tmp_path / "days.csv").write_text(f"when,sales # all,other\n{rows}\n")
    # When
    written = pyheta("init", "days.csv", "time=when")
    done = pyheta("run", "sweep.yaml", "--format", "csv")
    # Then
    assert written.stdout.splitlines()[:1] == ["wrote sweep.yaml; now: pyheta run sweep.yaml"]
    assert "target: 'sales # all'" in written.stdout
    assert done.returncode == 0, done.stderr
    assert {line.split(",")[0] for line in done.stdout.splitlines()[1:]} == {
        *("nlinear", "mlp", "last", "seasonal", "drift", "ridge")
    }


# ---- a sweep from beginning to end ---------------------------------------------------------------


def test_a_sweep_runs_on_the_embedded_default_and_everything_about_it_can_be_seen(
    pyheta: Call, tmp_path: Path
) -> None:
    # Given a sweep that was handed in
    (tmp_path / "small.yaml").write_text(SMALL)
    submitted = pyheta("submit", "small.yaml")
    assert submitted.returncode == 0
    assert "13 steps added, 13 to compute" in submitted.stdout
    assert "0 steps added" in pyheta("submit", "small.yaml").stdout
    waiting = json.loads(pyheta("status", "--json").stdout)
    assert waiting["hints"] == [
        "1 data step is ready and no worker takes them: pyheta worker --kind data"
    ]
    # When it is run
    done = pyheta("run", "small.yaml", "--procs", "1", "--lanes", "4", "--format", "json")
    # Then results alone are on standard output, and progress is on standard error
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["runs"], report["finished"], report["failed"]) == (5, 5, 0)
    rmse = {
        row["row"]["net.name"]: (cell["n"], cell["std"] is None)
        for row in report["rows"]
        for cell in row["cells"]
        if cell["metric"] == "rmse"
    }
    assert rmse == {"mlp": (2, False), "ridge": (1, True), "last": (1, True)}
    assert "small: 13 of 13 steps, 5 of 5 runs done" in done.stderr
    # And every view shows it
    assert "nothing to do, all 5 runs are there" in pyheta("submit", "small.yaml").stdout
    plan = json.loads(pyheta("plan", "small.yaml", "train.epochs=2", "--json").stdout)
    todo = {op["op"]: op["todo"] for op in plan["ops"]}
    steps = ("fit", "forecast", "score")
    assert todo == {"load": 0, **dict.fromkeys(steps, 2)} | {f"{op} (baselines)": 0 for op in steps}
    story = json.loads(pyheta("show", "small/0", "--json").stdout)
    assert [step["op"] for step in story["steps"]] == ["load", "fit", "forecast", "score"]
    assert [cost["op"] for cost in story["costs"]] == [step["op"] for step in story["steps"]]
    assert all(cost["cost"]["peak_memory"] > 0 for cost in story["costs"])
    [fit] = [cost for cost in story["costs"] if cost["op"] == "fit"]
    assert fit["examples_per_second"] > 0
    assert "examples/s" in pyheta("show", "small/0").stdout
    assert "fit" in pyheta("logs", "small/0").stdout
    assert "5 of 5 runs finished" in pyheta("report", COLUMNS="1", LC_ALL="C").stdout
    assert pyheta("retry").stdout == "small: nothing failed or was cancelled\n"
    pyheta("cancel")
    assert pyheta("cancel").stdout.startswith("small: already cancelled; to forget the sweep")
    listed = json.loads(pyheta("status", "--all", "--json").stdout)
    assert [sweep["name"] for sweep in listed] == ["small"]


def test_a_sweep_with_more_epochs_goes_on_where_the_earlier_one_stood(
    pyheta: Call, tmp_path: Path
) -> None:
    # Given a sweep of two epochs that can be resumed
    (tmp_path / "small.yaml").write_text(SMALL.replace("epochs: 1", "epochs: 2, resumable: true"))
    assert pyheta("run", "small.yaml", "seeds=1").returncode == 0

    # When it is run with five
    assert pyheta("run", "small.yaml", "seeds=1", "train.epochs=5").returncode == 0

    # Then its net has taken the first two from there, and what it has left is what it has after
    # five
    _, fit, _, _ = json.loads(pyheta("show", "small/0", "--json").stdout)["steps"]
    assert (fit["summary"]["resumed"], fit["summary"]["epochs"]) == (2, 5)
    assert {product["name"] for product in fit["products"]} == {"weights", "curves", "standing"}


def test_failed_runs_are_shown_as_failed_until_they_are_retried(
    pyheta: Call, tmp_path: Path
) -> None:
    # Given a sweep on a file that the store has lost before any worker came
    rows = "\n".join(
        f"2020-01-{day:02} {hour:02}:00,{hour}" for day in range(1, 11) for hour in range(24)
    )
    (tmp_path / "d.csv").write_text(f"time,load\n{rows}\n")
    (tmp_path / "s.yaml").write_text(SMALL.replace("{name: synthetic, rows: 400}", "./d.csv"))
    store = {"PYHETA_ARTIFACTS_URL": f"file://{tmp_path}/artifacts", "PYHETA_TIME_SCALE": "0.02"}
    assert pyheta("submit", "s.yaml", **store).returncode == 0
    shutil.rmtree(tmp_path / "artifacts")
    # When a worker has tried
    assert pyheta("worker", "--procs", "1", "--exit-when-idle", **store).returncode == 0
    # Then every run failed, and everything says why
    assert "5 failed (why: pyheta status " in pyheta("report", **store).stdout
    status = json.loads(pyheta("status", "--json", **store).stdout)
    assert [(group["op"], group["count"]) for group in status["failures"]] == [("load", 1)]
    assert "is not there" in pyheta("logs", "small/0", **store).stdout
    assert "failed 2/2" in pyheta("report", **store).stdout
    # And running it again does not hide it: what failed is tried again when somebody says so
    again = pyheta("run", "s.yaml", "--procs", "1", **store)
    assert again.returncode == 1
    assert "steps back in the queue" in pyheta("retry", **store).stdout
    assert pyheta("run", "s.yaml", "--procs", "1", **store).returncode == 0


def test_a_broker_that_is_out_of_reach_costs_a_warning_and_no_step(
    pyheta: Call, tmp_path: Path
) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    done = pyheta("submit", "small.yaml", PYHETA_BROKER_URL="amqp://me:secret@127.0.0.1:1/")
    assert done.returncode == 0
    assert "13 steps added" in done.stdout
    assert done.stderr.startswith("pyheta: warning: ")
    assert "127.0.0.1:1" in done.stderr
    assert "secret" not in done.stderr


def test_ctrl_c_stops_a_run_in_order_and_says_how_to_go_on(
    environment: dict[str, str], tmp_path: Path
) -> None:
    # Given a run that would take hours
    (tmp_path / "long.yaml").write_text(
        SMALL.replace("epochs: 1", "epochs: 1000000, patience: 1000000")
    )
    command = [str(PYHETA), "run", "long.yaml", "--procs", "1"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdout=-1,
        stderr=-1,
        text=True,
        start_new_session=True,
    )
    status = [str(PYHETA), "status", "--json"]
    try:
        running: list[str] = []
        while "fit" not in running and process.poll() is None:
            seen = subprocess.run(
                status, cwd=tmp_path, env=environment, capture_output=True, check=False
            )
            document = json.loads(seen.stdout) if seen.returncode == 0 else {"running": []}
            running = [step["op"] for step in document["running"]]
        # When Ctrl-C is pressed twice
        for _ in range(2):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.5)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    # Then
    assert process.returncode == 130
    assert "run the same command again to continue" in said
    assert "Traceback" not in said


# ---- surroundings --------------------------------------------------------------------------------


def test_a_reader_that_leaves_is_no_error(environment: dict[str, str]) -> None:
    command = f"'{PYHETA}' schema | true"
    done = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, check=False
    )
    assert done.stderr == b""


def test_text_that_the_terminal_cannot_show_does_no_harm(pyheta: Call) -> None:
    done = pyheta("data", "list", PYTHONIOENCODING="ascii", COLUMNS="1")
    assert done.returncode == 0
    assert "synthetic" in done.stdout


def test_doctor_finds_everything_in_order(pyheta: Call) -> None:
    done = pyheta("doctor", "--json")
    findings = json.loads(done.stdout)
    assert done.returncode == 0, findings
    assert {finding["what"] for finding in findings} >= {"versions", "home", "store", "artifacts"}


def test_doctor_names_what_is_wrong_and_its_cure(pyheta: Call, tmp_path: Path) -> None:
    done = pyheta(
        "--data", "nowhere", "doctor", PYHETA_DATABASE_URL="postgresql://me:secret@127.0.0.1:1/db"
    )
    assert done.returncode == 78
    assert "nowhere is no folder; set PYHETA_DATA" in done.stdout
    assert "127.0.0.1:1" in done.stdout
    assert "secret" not in done.stdout + done.stderr


def test_the_embedded_server_runs_until_it_is_stopped(pyheta: Call) -> None:
    assert pyheta("db", "start").returncode == 0
    assert pyheta("db", "upgrade").returncode == 0
    assert pyheta("db", "stop").stdout == "stopped\n"
