"""`pyheta run` on the embedded server, with kills of the server, the worker and the user's."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import FAST, Pyheta, assert_complete, kill, pyheta, rows, wait_for

from pyheta.store.embedded import EmbeddedServer

# In a hurry: leases of a second or two, which another such test beside it may cost.
pytestmark = pytest.mark.xdist_group("hurried")

SWEEP = """
version: 1
name: embedded-kills
seeds: 4
config:
  dataset: {name: synthetic, rows: 1200}
  target: load
  exog: [leading]
  split: {train: 0.6, val: 0.2, test: 0.2}
  window: {input: 8, horizon: 1}
  scale: standard
  net: {name: mlp, hidden: [16], dropout: 0.1}
  train: {lr: 1.0e-3, batch_size: 64, epochs: 125, patience: 250}
  decompose: {method: emd, window: 100, max_imf: 1}
  shaping: farm
"""


@pytest.fixture
def tool(tmp_path: Path, home: Path) -> Iterator[Pyheta]:
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    with pyheta(tmp_path, PYHETA_HOME=str(home), PYHETA_TIME_SCALE=str(FAST * 3)) as tool:
        yield tool


@pytest.fixture
def url(home: Path) -> Iterator[str]:
    """The embedded server's, which stays up for the test's own look."""
    server = EmbeddedServer(home)
    server.attach()
    yield server.url
    server.detach()


def succeeded_fits(url: str) -> int:
    """Zero as well while the server is not there."""
    try:
        query = "SELECT count(*) FROM pyheta.step WHERE op = 'fit' AND state = 'succeeded'"
        return int(rows(url, query)[0][0])
    except Exception:  # noqa: BLE001 -- not started yet, or just killed
        return 0


def postmaster(home: Path) -> int:
    return int(next(home.rglob("postmaster.pid")).read_text().split()[0])


def test_the_server_is_killed_in_the_middle_and_the_sweep_ends_complete(
    tool: Pyheta, home: Path, url: str
) -> None:
    running = tool.start("run", "sweep.yaml")
    wait_for(lambda: succeeded_fits(url) >= 2, "two fits")

    kill(postmaster(home))

    assert running.wait(timeout=90) == 0, tool.logs()
    assert_complete(url)


def test_the_process_is_killed_and_the_same_command_goes_on(tool: Pyheta, url: str) -> None:
    # Given a run that is killed after some of its fits
    running = tool.start("run", "sweep.yaml")
    wait_for(lambda: succeeded_fits(url) >= 2, "two fits")
    kill(running.pid)
    running.wait()

    # When the same command is given again
    tool.run("run", "sweep.yaml")

    # Then all is there, what had succeeded was not computed again (or it would be recorded twice)
    assert_complete(url)


def test_ctrl_c_ends_in_order_and_the_same_command_goes_on(tool: Pyheta, url: str) -> None:
    running = tool.start("run", "sweep.yaml")
    wait_for(lambda: succeeded_fits(url) >= 2, "two fits")

    running.send_signal(signal.SIGINT)

    assert running.wait(timeout=60) == 130, tool.logs()
    assert "Traceback" not in tool.logs()
    tool.run("run", "sweep.yaml")
    assert_complete(url)


def test_two_terminals_share_the_work(tool: Pyheta, url: str) -> None:
    first, second = tool.start("run", "sweep.yaml"), tool.start("run", "sweep.yaml")

    assert [first.wait(timeout=90), second.wait(timeout=90)] == [0, 0], tool.logs()
    assert_complete(url)
