"""Workers are killed, frozen and stopped in mid-sweep: it ends complete, nothing done twice."""

import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from processes import FAST, Pyheta, assert_complete, children, gone, kill, pyheta, rows, wait_for

# In a hurry: leases of a second or two, which another such test beside it may cost.
pytestmark = pytest.mark.xdist_group("hurried")

SWEEP = """
version: 1
name: kills
seeds: 3
config:
  dataset: {name: synthetic, rows: 1200}
  target: load
  split: {train: 0.6, val: 0.2, test: 0.2}
  window: {input: 8, horizon: 1}
  scale: standard
  # With dropout no kernel makes it too quick to be killed.
  net: {name: mlp, hidden: [16], dropout: 0.1}
  train: {lr: 1.0e-3, batch_size: 64, epochs: 250, patience: 250}
parameters:
  exog: [[], [leading]]
"""

#: Four nets that may be trained together, two of them quickly.
BUNDLE = """
version: 1
name: bundle
config:
  dataset: {name: synthetic, rows: 1200}
  target: load
  split: {train: 0.6, val: 0.2, test: 0.2}
  window: {input: 8, horizon: 1}
  net: {name: mlp, hidden: [4], dropout: 0.1}
  train: {patience: 2000}
parameters:
  train.epochs: [1, 2000]
  train.lr: [1.0e-3, 2.0e-3]
baselines: []
"""

RUNNING_FITS = "SELECT id FROM pyheta.step WHERE state = 'running' AND op = 'fit'"


@pytest.fixture
def tool(tmp_path: Path, database_url: str) -> Iterator[Pyheta]:
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    environment = {
        "PYHETA_DATABASE_URL": database_url,
        "PYHETA_HOME": str(tmp_path / "home"),
        "PYHETA_TIME_SCALE": str(FAST),
    }
    with pyheta(tmp_path, **environment) as tool:
        yield tool


def worker(tool: Pyheta, procs: int = 2, lanes: int = 16) -> subprocess.Popen[bytes]:
    size = ("--procs", str(procs), "--lanes", str(lanes))
    return tool.start("worker", "--kind", "all", *size, "--exit-when-idle")


def outcomes(url: str) -> dict[str, int]:
    return dict(rows(url, "SELECT outcome::text, count(*) FROM pyheta.attempt GROUP BY outcome"))


def crashes_are(url: str, query: str, count: int) -> bool:
    return rows(url, query) == [(count,)]


def fitting(url: str, tool: Pyheta) -> None:
    """Wait until fits are being computed."""
    wait_for(lambda: rows(url, RUNNING_FITS), f"a running fit\n{tool.logs()}")


def test_a_killed_child_costs_one_attempt(tool: Pyheta, database_url: str) -> None:
    # Given a worker that trains one net at a time, in the middle of a sweep
    tool.run("submit", "sweep.yaml")
    supervisor = worker(tool, procs=1, lanes=1)
    fitting(database_url, tool)

    # When its child is killed
    kill(children(supervisor.pid)[0])

    # Then it notices, goes on with a new child, and ends complete
    assert supervisor.wait(timeout=90) == 0, tool.logs()
    assert outcomes(database_url)["crash"] == 1
    assert_complete(database_url)


def test_a_killed_child_costs_each_of_its_unfinished_nets_one_attempt(
    tool: Pyheta, database_url: str
) -> None:
    # Given a child that trains two nets that take long together with two that do not
    (tool.folder / "bundle.yaml").write_text(BUNDLE)
    tool.run("submit", "bundle.yaml")
    supervisor = worker(tool, procs=1)
    finished = "SELECT count(*) FROM pyheta.step WHERE op = 'fit' AND state = 'succeeded'"
    wait_for(lambda: rows(database_url, finished) == [(2,)], f"two nets\n{tool.logs()}")

    # When it is killed after it has answered for those
    kill(children(supervisor.pid)[0])

    # Then they have paid nothing for it, and each of the others one crash
    assert supervisor.wait(timeout=90) == 0, tool.logs()
    paid = (
        "SELECT (params -> 'train' ->> 'epochs')::int AS epochs, tries, crashes, lost FROM "
        "pyheta.step"
    )
    fits = f"{paid} WHERE op = 'fit' ORDER BY epochs"
    assert rows(database_url, fits) == [(1, 0, 0, 0)] * 2 + [(2000, 0, 1, 0)] * 2
    assert_complete(database_url)

    # And those were tried again one after the other, with all others out of the way
    assert rows(database_url, "SELECT count(*) FROM pyheta.attempt WHERE outcome = 'crash'") == [
        (2,)
    ]
    overlapping = """
        SELECT one.step_id FROM pyheta.attempt AS crashed
        JOIN pyheta.attempt AS one ON one.step_id = crashed.step_id AND one.outcome = 'ok'
        JOIN pyheta.attempt AS other ON other.step_id <> one.step_id
            AND other.started_at < one.ended_at AND other.ended_at > one.started_at
        WHERE crashed.outcome = 'crash'
    """
    assert rows(database_url, overlapping) == []


def test_a_killed_supervisor_takes_its_children_along_and_another_worker_finishes(
    tool: Pyheta, database_url: str
) -> None:
    # Given two workers in the middle of a sweep
    tool.run("submit", "sweep.yaml")
    victim, survivor = worker(tool), worker(tool, procs=1)
    fitting(database_url, tool)
    held = (
        "SELECT count(*) FROM pyheta.step JOIN pyheta.worker ON worker.id = worker_id WHERE "
        "pid = {}"
    )
    wait_for(
        lambda: rows(database_url, held.format(victim.pid)) > [(0,)], "a step in the victim's hands"
    )
    orphans = children(victim.pid)

    # When one is killed without warning
    kill(victim.pid)
    victim.wait()

    # Then its children die with it, its steps are given back, and the other worker ends the sweep
    wait_for(lambda: gone(orphans), "the children's death")
    assert survivor.wait(timeout=90) == 0, tool.logs()
    assert outcomes(database_url)["lost"] >= 1
    assert_complete(database_url)


def test_a_frozen_worker_that_wakes_up_late_changes_nothing(
    tool: Pyheta, database_url: str
) -> None:
    # Given a worker in the middle of a sweep
    tool.run("submit", "sweep.yaml")
    zombie = worker(tool)
    fitting(database_url, tool)

    # When it freezes (children too) for longer than its lease, and another worker does all the work
    frozen = [zombie.pid, *children(zombie.pid)]
    for pid in frozen:
        kill(pid, signal.SIGSTOP)
    other = worker(tool)
    assert other.wait(timeout=90) == 0, tool.logs()
    assert_complete(database_url)
    before = rows(database_url, "SELECT * FROM pyheta.metric ORDER BY 1, 2, 3, 4, 5")

    # Then, thawed, it can record nothing, notices that it was given up, and leaves in order
    for pid in frozen:
        kill(pid, signal.SIGCONT)
    assert zombie.wait(timeout=90) == 0, tool.logs()
    assert rows(database_url, "SELECT * FROM pyheta.metric ORDER BY 1, 2, 3, 4, 5") == before
    assert_complete(database_url)


def test_sigterm_gives_back_what_cannot_be_finished_at_no_cost(
    tool: Pyheta, database_url: str
) -> None:
    # Given a worker in the middle of a sweep
    tool.run("submit", "sweep.yaml")
    stopped = worker(tool)
    fitting(database_url, tool)

    # When it is told to stop, twice
    stopped.send_signal(signal.SIGTERM)
    stopped.send_signal(signal.SIGTERM)

    # Then it leaves in order, holds nothing any more, and no step has paid for it
    assert stopped.wait(timeout=30) == 0, tool.logs()
    assert rows(database_url, "SELECT count(*) FROM pyheta.step WHERE state = 'running'") == [(0,)]
    assert rows(database_url, "SELECT sum(tries + crashes + lost) FROM pyheta.step") == [(0,)]
    assert rows(database_url, "SELECT state FROM pyheta.worker") == [("stopped",)]

    # And the next worker goes on where it stood
    assert worker(tool).wait(timeout=90) == 0, tool.logs()
    assert_complete(database_url)


def test_a_step_that_kills_its_process_every_time_fails_as_poison_and_the_rest_goes_on(
    tool: Pyheta, database_url: str
) -> None:
    # Its neighbours in the bundle die with it the first time only.
    # Given a worker whose child dies whenever it computes the first of the fits
    tool.run("submit", "sweep.yaml")
    supervisor = worker(tool, procs=1)
    first = f"{RUNNING_FITS} ORDER BY id LIMIT 1"
    ((victim,),) = wait_for(lambda: rows(database_url, first), "a running fit")

    # When that happens three times
    running = f"SELECT crashes FROM pyheta.step WHERE id = {victim} AND state = 'running'"
    for crashes in range(3):
        attempted = partial(crashes_are, database_url, running, crashes)
        wait_for(attempted, f"attempt {crashes + 1}")
        kill(children(supervisor.pid)[0])

    # Then it fails for good, so does the run that needs it, and every other run succeeds
    supervisor.wait(timeout=90)
    ((state, reason),) = rows(
        database_url, f"SELECT state, reason FROM pyheta.step WHERE id = {victim}"
    )
    assert state == "failed"
    assert reason.startswith("poison: ")
    failed = rows(
        database_url, "SELECT op, blocked_by FROM pyheta.step WHERE state = 'failed' ORDER BY id"
    )
    assert failed == [("fit", None), ("forecast", victim), ("score", victim)]
    open_steps = "SELECT id FROM pyheta.step WHERE state NOT IN ('succeeded', 'failed')"
    assert rows(database_url, open_steps) == []
