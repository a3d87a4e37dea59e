"""A rolling origin from a file to a table: what is shared, what is pooled, and what kills cost."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from processes import FAST, Pyheta, assert_complete, children, kill, pyheta, rows, wait_for
from servers import embedded_home

from pyheta.store.embedded import EmbeddedServer

# In a hurry: leases of a second or two, which another such test beside it may cost.
pytestmark = pytest.mark.xdist_group("hurried")

FOLDS, SEEDS = 8, 2

SWEEP = """\
name: rolling
seeds: 2
config:
  dataset: {name: synthetic, rows: 900}
  target: load
  exog: [leading]
  split: {train: 300, val: 60, test: 60, folds: 8}
  window: {input: 8}
  train: {epochs: 8, patience: 8}
  decompose: {method: emd, window: 60, max_imf: 1, nets: one}
parameters:
  net.name: [nlinear, mlp, ridge]
baselines: [last]
"""


@contextlib.contextmanager
def tool_in(folder: Path, home: Path) -> Iterator[Pyheta]:
    with pyheta(folder, PYHETA_HOME=str(home), PYHETA_TIME_SCALE=str(FAST * 3)) as tool:
        yield tool


def count(url: str, query: str) -> int:
    """Zero as well while the server is not there."""
    with contextlib.suppress(Exception):
        return int(rows(url, query)[0][0])
    return 0


def results(tool: Pyheta, *options: str) -> Any:
    """A report without the identity of its sweep."""
    document = tool.json("report", "--format", "json", *options)
    return {key: value for key, value in document.items() if key != "id"}


def test_folds_that_were_killed_twice_end_in_the_table_of_those_that_were_not(
    tmp_path: Path, home: Path
) -> None:
    (tmp_path / "s.yaml").write_text(SWEEP)
    server = EmbeddedServer(home)
    server.attach()
    url = server.url
    with (
        embedded_home() as other,
        tool_in(tmp_path, home) as tool,
        tool_in(tmp_path, other) as calm,
    ):
        # Given a run whose child is killed, and then the whole of it
        succeeded = "SELECT count(*) FROM pyheta.step WHERE state = 'succeeded'"
        running = tool.start("run", "s.yaml")
        wait_for(lambda: count(url, succeeded) >= 3, "the decompositions")
        kill(wait_for(lambda: children(running.pid), "a child")[0])
        wait_for(lambda: count(url, succeeded) >= 30, "some folds")
        kill(running.pid)
        running.wait()
        assert count(url, succeeded) < count(url, "SELECT count(*) FROM pyheta.step")

        # When the same command is given again
        tool.run("run", "s.yaml")

        # Then each step has succeeded once, and each column was decomposed once for all folds
        assert_complete(url)
        assert count(url, "SELECT count(*) FROM pyheta.step WHERE op = 'decompose'") == 2
        fits = count(url, "SELECT count(*) FROM pyheta.step WHERE op = 'fit'")
        assert fits == FOLDS * (2 * SEEDS + 1 + 1)  # ridge and the last value have no seed
        # And the tables are those of a run that nobody disturbed
        calm.run("run", "s.yaml")
        for options in ((), ("--rows", "net.name,fold", "--metric", "rmse,mae,skill")):
            assert results(tool, *options) == results(calm, *options)
    server.detach()
