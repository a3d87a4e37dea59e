"""A supervisor with real children and a real store, on a machine that has its troubles."""

import asyncio
import errno
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import builders
import pytest
from processes import assert_complete, rows

from pyheta.commands.submit import submit
from pyheta.plan.prepare import prepare
from pyheta.steps import Product
from pyheta.store.postgres import PostgresStore
from pyheta.store.seam import Artifacts

# In a hurry: leases of a second or two, which another such test beside it may cost.
pytestmark = pytest.mark.xdist_group("hurried")

SWEEP = """
version: 1
name: troubles
config:
  dataset: {name: synthetic, rows: 400}
  target: load
  split: {train: 0.6, val: 0.2, test: 0.2}
  window: {input: 8, horizon: 1}
  net: ridge
parameters:
  exog: [[], [leading], [noise]]
baselines: [last]
"""

SCALE = 0.02


class FullDisk:
    """Artifacts that find the disk full some times before they go on as always."""

    def __init__(self, artifacts: Artifacts, times: int) -> None:
        self._artifacts = artifacts
        self._times = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._artifacts, name)

    async def put(self, path: Path) -> Product:
        if self._times:
            self._times -= 1
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return await self._artifacts.put(path)


@pytest.fixture
async def store(database_url: str, tmp_path: Path) -> AsyncIterator[PostgresStore]:
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    async with PostgresStore.open(database_url, time_scale=SCALE) as store:
        prepared = prepare(tmp_path / "sweep.yaml", (), None)
        await submit(prepared, store, store.artifacts)
        yield store


async def test_a_disk_that_is_full_for_a_while_costs_time_and_nothing_else(
    store: PostgresStore, database_url: str, tmp_path: Path
) -> None:
    # Given a worker with two slots whose disk is full three times
    artifacts = FullDisk(store.artifacts, times=3)

    # When it works until nothing is left
    await builders.supervisor(store, tmp_path / "home", SCALE, artifacts=artifacts, procs=2).run()

    # Then all is there, the steps were given back three times, and no budget has paid for it
    await asyncio.to_thread(assert_complete, database_url)
    paid = "SELECT sum(releases), sum(tries), sum(crashes), sum(lost) FROM pyheta.step"
    assert await asyncio.to_thread(rows, database_url, paid) == [(3, 0, 0, 0)]


async def test_a_worker_that_is_told_to_stop_before_it_has_begun_holds_nothing(
    store: PostgresStore, database_url: str, tmp_path: Path
) -> None:
    worker = builders.supervisor(store, tmp_path / "home", SCALE, procs=1)

    worker.stop()
    await worker.run()

    held = "SELECT count(*) FROM pyheta.step WHERE state = 'running'"
    assert await asyncio.to_thread(rows, database_url, held) == [(0,)]
    assert [path.name for path in (tmp_path / "home" / "work").iterdir()] == ["lock"]
