"""Attempts on a real child process, with a store of artifacts that has its troubles."""

import asyncio
import errno
import hashlib
from pathlib import Path

import pytest

from pyheta.errors import ConfigError, StoreUnavailable
from pyheta.ops import OPS
from pyheta.steps import Claim, Ending, Failure, Fence, Key, Kind, Product, StepId, Success
from pyheta.worker import attempt as attempts
from pyheta.worker.attempt import Attempt
from pyheta.worker.slot import Slot
from pyheta.worker.staging import Staging


class Artifacts:
    """Takes everything, after raising the errors it was given."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.puts = 0

    async def put(self, path: Path) -> Product:
        self.puts += 1
        if self.errors:
            raise self.errors.pop(0)
        content = path.read_bytes()
        return Product(path.stem, hashlib.sha256(content).hexdigest(), len(content))

    async def fetch(self, sha256: str, to: Path) -> None:
        await asyncio.sleep(3600)


@pytest.fixture
async def slot(tmp_path):
    slot = Slot(threads=1, folder=tmp_path)
    yield slot
    await slot.close()


def claim(op: str = "load", version: int = OPS["load"].version, **changes) -> Claim:
    params = {"synthetic": {"rows": 300, "seed": 0}}
    fields = {"params": params, "inputs": (), "kind": Kind.DATA, "key": Key("0" * 64)} | changes
    return Claim(StepId(1), Fence(1), op=op, version=version, **fields)


async def outcome(slot, home: Path, artifacts: Artifacts, claimed: Claim) -> Success | Failure:
    with Staging(home, artifacts) as staging:
        result = await Attempt(claimed, slot, staging).outcome()
        assert [path.name for path in staging.folder.iterdir()] == ["lock"]  # the attempt's folder is gone
    return result


async def test_a_result_outlives_a_store_that_is_away_when_it_is_ready(slot, tmp_path, monkeypatch):
    # Given a store that is away three times over when the products are handed to it
    monkeypatch.setattr(attempts, "KEEP_PAUSE", 0.0)
    artifacts = Artifacts(*[StoreUnavailable("away")] * 3)

    result = await outcome(slot, tmp_path / "home", artifacts, claim())

    # Then they are handed over the fourth time, and nothing was computed twice
    assert isinstance(result, Success)
    assert artifacts.puts == 4


async def test_products_outlive_a_store_that_goes_away_between_two_of_them(tmp_path):
    # Given two products, and a store that is away when the second is handed to it
    class AwayAtTheSecond(Artifacts):
        async def put(self, path: Path) -> Product:
            if self.puts == 1:
                self.errors = [StoreUnavailable("away")]
            return await super().put(path)

    with Staging(tmp_path, AwayAtTheSecond()) as staging:
        out = staging.out(claim())
        products = {name: out / name for name in ("weights", "curves")}
        for name, path in products.items():
            path.write_text(name)
        with pytest.raises(StoreUnavailable):
            await staging.keep(products, out)

        # When they are handed over again, Then both are taken and lie in the cache
        kept = await staging.keep(products, out)
        assert [product.name for product in kept] == ["weights", "curves"]
        assert all((staging.cache / product.sha256[:2] / product.sha256).exists() for product in kept)


async def test_a_full_disk_leaves_the_step_to_others_at_no_cost(slot, tmp_path):
    artifacts = Artifacts(OSError(errno.ENOSPC, "No space left on device"))

    result = await outcome(slot, tmp_path / "home", artifacts, claim())

    assert isinstance(result, Failure)
    assert result.ending is Ending.RELEASE
    assert result.after > 0


@pytest.mark.parametrize("error", [ConfigError("too large"), ZeroDivisionError("surprise")])
async def test_whatever_goes_wrong_with_one_step_is_its_own_failure(slot, tmp_path, error):
    result = await outcome(slot, tmp_path / "home", Artifacts(error), claim())

    assert isinstance(result, Failure)
    assert result.ending is Ending.ERROR
    assert not result.retry
    assert str(error) in result.reason


async def test_a_step_of_a_newer_version_is_left_to_newer_workers(slot, tmp_path):
    result = await outcome(slot, tmp_path / "home", Artifacts(), claim(version=OPS["load"].version + 1))

    assert isinstance(result, Failure)
    assert result.ending is Ending.RELEASE
    assert "must be upgraded" in result.reason


async def test_a_step_of_an_older_version_fails_since_nobody_computes_it_any_more(slot, tmp_path):
    result = await outcome(slot, tmp_path / "home", Artifacts(), claim(version=OPS["load"].version - 1))

    assert isinstance(result, Failure)
    assert not result.retry
    assert "submit it again" in result.reason


async def test_stopping_ends_an_attempt_that_waits_for_its_inputs(slot, tmp_path):
    # Given an attempt whose input never arrives
    from pyheta.steps import Input

    waiting = claim(inputs=(Input("raw", "raw", "a" * 64),))
    with Staging(tmp_path / "home", Artifacts()) as staging:
        attempt = Attempt(waiting, slot, staging)
        running = asyncio.create_task(attempt.outcome())
        await asyncio.sleep(0.05)

        # When it is stopped
        stopped = Failure(Ending.RELEASE, "the worker was stopped")
        attempt.stop(stopped)

        # Then it ends with just that
        assert await running == stopped


async def test_stopping_kills_a_child_that_computes(slot, tmp_path):
    endless = claim(params={"synthetic": {"rows": 30_000_000, "seed": 0}})
    with Staging(tmp_path / "home", Artifacts()) as staging:
        attempt = Attempt(endless, slot, staging)
        running = asyncio.create_task(attempt.outcome())
        while slot.pid is None:  # noqa: ASYNC110 -- the child is being started
            await asyncio.sleep(0.01)
        pid = slot.pid

        stopped = Failure(Ending.CRASH, "stalled")
        attempt.stop(stopped)

        assert await running == stopped
        assert not Path(f"/proc/{pid}").exists()
