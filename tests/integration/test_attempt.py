"""Attempts on a real child process, with a store of artifacts that has its troubles."""

import asyncio
import errno
import hashlib
import os
import signal
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest

from pyheta.errors import ConfigError, StoreError, StoreUnavailable
from pyheta.ops.registry import OPS
from pyheta.steps import (
    EARLIER,
    Claim,
    Ending,
    Failure,
    Fence,
    Input,
    Key,
    Kind,
    Product,
    StepId,
    Success,
)
from pyheta.store import seam
from pyheta.worker import attempt as attempts
from pyheta.worker.attempt import Attempt
from pyheta.worker.bundle import Bundle
from pyheta.worker.slot import Slot
from pyheta.worker.staging import Staging

ENDLESS = {"synthetic": {"rows": 30_000_000, "seed": 0}}
FENCES = map(Fence, count(1))
NOT_FOUND, NEVER_THERE = "0" * 64, "a" * 64
STOPPED = Failure(Ending.RELEASE, "the worker was stopped")


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
        if sha256 == NOT_FOUND:
            raise FileNotFoundError(sha256)
        await asyncio.sleep(3600)


@pytest.fixture
async def slot(tmp_path: Path) -> AsyncIterator[Slot]:
    slot = Slot(folder=tmp_path)
    yield slot
    await slot.close()


def claim(op: str = "load", version: int = OPS["load"].version, **changes: Any) -> Claim:
    params = {"synthetic": {"rows": 300, "seed": 0}}
    fields = {"params": params, "inputs": (), "kind": Kind.DATA, "key": Key("0" * 64)} | changes
    return Claim(StepId(1), next(FENCES), op=op, version=version, **fields)


def staged(home: Path, artifacts: Artifacts) -> Staging:
    return Staging(home, cast(seam.Artifacts, artifacts))


def bundle(slot: Slot, staging: Staging, *claims: Claim) -> list[Attempt]:
    """Attempts that one child computes together."""
    lanes = Bundle(slot, claims[0].op, len(claims)).lanes
    return [Attempt(claimed, lane, staging) for claimed, lane in zip(claims, lanes, strict=True)]


async def started(slot: Slot) -> int:
    """The pid of the child, as soon as there is one."""
    while slot.pid is None:  # noqa: ASYNC110 -- the child is being started
        await asyncio.sleep(0.01)
    return slot.pid


async def outcome(
    slot: Slot, home: Path, artifacts: Artifacts, claimed: Claim
) -> Success | Failure:
    with staged(home, artifacts) as staging:
        [attempt] = bundle(slot, staging, claimed)
        result = await attempt.outcome()
        assert [path.name for path in staging.folder.iterdir()] == [
            "lock"
        ]  # the attempt's folder is gone
    return result


async def test_a_result_outlives_a_store_that_is_away_when_it_is_ready(
    slot: Slot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a store that is away three times over when the products are handed to it
    monkeypatch.setattr(attempts, "KEEP_PAUSE", 0.0)
    artifacts = Artifacts(*[StoreUnavailable("away")] * 3)

    result = await outcome(slot, tmp_path / "home", artifacts, claim())

    # Then they are handed over the fourth time, and nothing was computed twice
    assert isinstance(result, Success)
    assert artifacts.puts == 4


async def test_products_outlive_a_store_that_goes_away_between_two_of_them(tmp_path: Path) -> None:
    # Given two products, and a store that is away when the second is handed to it
    class AwayAtTheSecond(Artifacts):
        async def put(self, path: Path) -> Product:
            if self.puts == 1:
                self.errors = [StoreUnavailable("away")]
            return await super().put(path)

    with staged(tmp_path, AwayAtTheSecond()) as staging:
        out = staging.out(claim())
        products = {name: out / name for name in ("weights", "curves")}
        for name, path in products.items():
            path.write_text(name)
        with pytest.raises(StoreUnavailable):
            await staging.keep(products, out)

        # When they are handed over again, Then both are taken and lie in the cache
        kept = await staging.keep(products, out)
        assert [product.name for product in kept] == ["weights", "curves"]
        assert all(
            (staging.cache / product.sha256[:2] / product.sha256).exists() for product in kept
        )


class Cleared(Artifacts):
    """All but one artifact has gone."""

    async def fetch(self, sha256: str, to: Path) -> None:
        if sha256 == NEVER_THERE:
            raise StoreError("artifact aaaaaaaaaaaa is not there")
        to.write_bytes(b"here")


async def test_a_step_does_without_what_an_earlier_one_has_left_if_that_has_gone(
    tmp_path: Path,
) -> None:
    needed = Input("load", "table", "b" * 64)
    left = [
        Input(EARLIER, name, sha256)
        for name, sha256 in {"curves": "c" * 64, "weights": NEVER_THERE}.items()
    ]

    with staged(tmp_path, Cleared()) as staging:
        brought = await staging.bring([*left, needed])

        assert {role: list(names) for role, names in brought.items()} == {"load": ["table"]}
        with pytest.raises(StoreError, match="not there"):
            await staging.bring([Input("load", "table", NEVER_THERE)])


async def test_a_full_disk_leaves_the_step_to_others_at_no_cost(slot: Slot, tmp_path: Path) -> None:
    artifacts = Artifacts(OSError(errno.ENOSPC, "No space left on device"))

    result = await outcome(slot, tmp_path / "home", artifacts, claim())

    assert isinstance(result, Failure)
    assert result.ending is Ending.RELEASE
    assert result.after > 0


@pytest.mark.parametrize("error", [ConfigError("too large"), ZeroDivisionError("surprise")])
async def test_whatever_goes_wrong_with_one_step_is_its_own_failure(
    slot: Slot, tmp_path: Path, error: ConfigError | ZeroDivisionError
) -> None:
    result = await outcome(slot, tmp_path / "home", Artifacts(error), claim())

    assert isinstance(result, Failure)
    assert result.ending is Ending.ERROR
    assert not result.retry
    assert str(error) in result.reason


async def test_a_step_of_a_newer_version_is_left_to_newer_workers(
    slot: Slot, tmp_path: Path
) -> None:
    result = await outcome(
        slot, tmp_path / "home", Artifacts(), claim(version=OPS["load"].version + 1)
    )

    assert isinstance(result, Failure)
    assert result.ending is Ending.RELEASE
    assert "must be upgraded" in result.reason


async def test_a_step_of_an_older_version_fails_since_nobody_computes_it_any_more(
    slot: Slot, tmp_path: Path
) -> None:
    result = await outcome(
        slot, tmp_path / "home", Artifacts(), claim(version=OPS["load"].version - 1)
    )

    assert isinstance(result, Failure)
    assert not result.retry
    assert "submit it again" in result.reason


async def test_stopping_ends_an_attempt_that_waits_for_its_inputs(
    slot: Slot, tmp_path: Path
) -> None:
    # Given an attempt whose input never arrives
    waiting = claim(inputs=(Input("raw", "raw", NEVER_THERE),))
    with staged(tmp_path / "home", Artifacts()) as staging:
        [attempt] = bundle(slot, staging, waiting)
        running = asyncio.create_task(attempt.outcome())
        await asyncio.sleep(0.05)

        # When it is stopped
        stopped = Failure(Ending.RELEASE, "the worker was stopped")
        attempt.stop(stopped)

        # Then it ends with just that
        assert await running == stopped


async def test_stopping_kills_a_child_that_computes(slot: Slot, tmp_path: Path) -> None:
    endless = claim(params=ENDLESS)
    with staged(tmp_path / "home", Artifacts()) as staging:
        [attempt] = bundle(slot, staging, endless)
        running = asyncio.create_task(attempt.outcome())
        pid = await started(slot)

        stopped = Failure(Ending.CRASH, "stalled")
        attempt.stop(stopped)

        assert await running == stopped
        assert not Path(f"/proc/{pid}").exists()


class TestBundle:
    """Several attempts with one child."""

    async def test_has_an_outcome_for_every_lane(self, slot: Slot, tmp_path: Path) -> None:
        with staged(tmp_path / "home", Artifacts()) as staging:
            attempts = bundle(slot, staging, claim(), claim(params={}), claim())

            outcomes = await asyncio.gather(*(attempt.outcome() for attempt in attempts))

        assert [type(outcome) for outcome in outcomes] == [Success, Failure, Success]
        assert "Traceback" in outcomes[1].detail

    async def test_goes_without_a_lane_whose_inputs_cannot_be_brought(
        self, slot: Slot, tmp_path: Path
    ) -> None:
        lost = claim(inputs=(Input("raw", "raw", NOT_FOUND),))
        with staged(tmp_path / "home", Artifacts()) as staging:
            attempts = bundle(slot, staging, lost, claim())

            failure, success = await asyncio.gather(*(attempt.outcome() for attempt in attempts))

        assert failure.ending is Ending.RELEASE
        assert isinstance(success, Success)

    async def test_goes_without_a_lane_that_is_stopped_while_its_inputs_are_awaited(
        self, slot: Slot, tmp_path: Path
    ) -> None:
        # Given two lanes, one of which waits for an input that never arrives
        waiting = claim(inputs=(Input("raw", "raw", NEVER_THERE),))
        with staged(tmp_path / "home", Artifacts()) as staging:
            first, second = bundle(slot, staging, waiting, claim())
            outcomes = [asyncio.create_task(attempt.outcome()) for attempt in (first, second)]
            await asyncio.sleep(0.05)
            assert slot.pid is None

            # When that one is stopped, Then the other is computed
            first.stop(STOPPED)
            assert await outcomes[0] == STOPPED
            assert isinstance(await outcomes[1], Success)

    async def test_goes_on_without_a_lane_that_is_stopped(self, slot: Slot, tmp_path: Path) -> None:
        # Given a child with two lanes that is held up
        with staged(tmp_path / "home", Artifacts()) as staging:
            attempts = bundle(slot, staging, claim(), claim())
            outcomes = [asyncio.create_task(attempt.outcome()) for attempt in attempts]
            pid = await started(slot)
            os.kill(pid, signal.SIGSTOP)

            # When one lane is stopped, Then it ends at once
            attempts[0].stop(STOPPED)
            assert await outcomes[0] == STOPPED

            # And the same child computes the other, whose answer is not taken for the first's
            os.kill(pid, signal.SIGCONT)
            assert isinstance(await outcomes[1], Success)
            assert slot.pid == pid

    async def test_of_which_all_lanes_are_stopped_ends_its_child(
        self, slot: Slot, tmp_path: Path
    ) -> None:
        with staged(tmp_path / "home", Artifacts()) as staging:
            attempts = bundle(slot, staging, claim(params=ENDLESS), claim(params=ENDLESS))
            outcomes = [asyncio.create_task(attempt.outcome()) for attempt in attempts]
            pid = await started(slot)

            for attempt in attempts:
                attempt.stop(STOPPED)

            assert await asyncio.gather(*outcomes) == [STOPPED, STOPPED]
            assert not Path(f"/proc/{pid}").exists()

    async def test_loses_only_what_was_not_answered_when_its_child_dies(
        self, slot: Slot, tmp_path: Path
    ) -> None:
        # Given a child that has answered for one of three lanes
        with staged(tmp_path / "home", Artifacts()) as staging:
            claims = (claim(), claim(params=ENDLESS), claim(params=ENDLESS))
            outcomes = [
                asyncio.create_task(each.outcome()) for each in bundle(slot, staging, *claims)
            ]
            assert isinstance(await outcomes[0], Success)

            # When it is killed, Then that is the outcome of the other two
            os.kill(await started(slot), signal.SIGKILL)
            for outcome in outcomes[1:]:
                assert (await outcome).ending is Ending.CRASH
                assert "killed by SIGKILL" in (await outcome).reason
