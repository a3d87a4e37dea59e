"""What gc removes and what it leaves: cancelled sweeps go, whatever any other sweep needs stays."""

import asyncio
import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import builders
import pytest
import tables
from builders import BOTH, DONE, RELEASE

from pyheta.commands.gc import GcResult, Total, collect, in_words
from pyheta.errors import StoreError
from pyheta.steps import Ending, Failure, State, Step, Success
from pyheta.store.artifacts import ObjectArtifacts
from pyheta.store.postgres import PostgresStore
from pyheta.store.seam import Artifacts, Submission
from pyheta.store.sql import load as statements

FATAL = Failure(Ending.ERROR, "boom", retry=False)
TABLES = (
    "sweep",
    "run",
    "sweep_step",
    "step",
    "need",
    "file",
    "attempt",
    "product",
    "metric",
    "blob",
)
DANGLING = """
    SELECT FROM pyheta.need
        WHERE step_id NOT IN (SELECT id FROM pyheta.step)
            OR need_id NOT IN (SELECT id FROM pyheta.step)
    UNION ALL SELECT FROM pyheta.sweep_step
        WHERE step_id NOT IN (SELECT id FROM pyheta.step)
            OR sweep_id NOT IN (SELECT id FROM pyheta.sweep)
    UNION ALL SELECT FROM pyheta.step WHERE id NOT IN (SELECT step_id FROM pyheta.sweep_step)
"""


@pytest.fixture
def artifacts(store: PostgresStore) -> Artifacts:
    return store.artifacts


def digest_of(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def reading(content: str) -> Step:
    """A step that reads a user's file of this content."""
    return replace(builders.load(), files={"raw": digest_of(content)})


async def put(artifacts: Artifacts, folder: Path, name: str) -> Success:
    """A success whose only product holds its own name."""
    path = folder / name
    path.write_text(name)
    return Success(products=(await artifacts.put(path),))


async def compute(store: PostgresStore, artifacts: Artifacts, folder: Path, *names: str) -> None:
    """Finish the next steps, each with a product of this content."""
    worker = await builders.new_worker(store)
    for name in names:
        claim = await builders.claim_one(store, worker)
        assert await store.succeed(claim.step, claim.fence, await put(artifacts, folder, name))


async def cancelled(store: PostgresStore, *submissions: Submission) -> None:
    for submission in submissions:
        await store.cancel(submission.id)


async def age(url: str) -> None:
    await tables.execute(url, "UPDATE pyheta.blob SET created_at = now() - interval '61 minutes'")


async def rows(url: str) -> dict[str, int]:
    """How many rows each table has; those that are empty are left out."""
    counts = {
        table: len(await tables.fetch(url, f"SELECT FROM pyheta.{table}")) for table in TABLES
    }
    return {table: count for table, count in counts.items() if count}


async def assert_intact(url: str) -> None:
    """What stays has all that it needs, and nothing stays that nobody needs."""
    assert await tables.fetch(url, DANGLING) == []


class TestSweeps:
    async def test_that_were_cancelled_go_with_everything_that_only_they_had(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str, tmp_path: Path
    ) -> None:
        # Given a sweep with a result for each step, metrics among them
        submission = builders.submission(*builders.chain(), builders.load("b", files=True))
        await store.submit(submission)
        await compute(store, artifacts, tmp_path, "one", "two", "three")
        claim = await builders.claim_one(store, await builders.new_worker(store))
        await store.succeed(claim.step, claim.fence, builders.a_success())
        await age(database_url)
        # When it was cancelled
        await cancelled(store, submission)
        removed = await collect(store, artifacts, dry_run=False)
        # Then no row of it is left
        assert removed == GcResult(
            dry_run=False,
            sweeps=1,
            steps=4,
            stopping=0,
            others=0,
            freed=Total(3, len("onetwothree")),
        )
        assert await rows(database_url) == {}

    async def test_that_are_live_stay_whatever_became_of_them(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str
    ) -> None:
        await store.submit(builders.submission(*builders.chain(), builders.load("b")))
        worker = await builders.new_worker(store)
        await builders.succeed_next(store, worker)
        claim = await builders.claim_one(store, worker)
        await store.fail(claim.step, claim.fence, FATAL)
        before = await rows(database_url)

        removed = await collect(store, artifacts, dry_run=False)

        assert removed == GcResult(dry_run=False, sweeps=0, steps=0, stopping=0, others=0)
        assert await rows(database_url) == before

    async def test_keep_the_steps_and_bytes_that_they_share_with_a_cancelled_one(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str, tmp_path: Path
    ) -> None:
        load, fit, score = builders.chain()
        mine = builders.submission(load, fit, score, name="mine")
        await store.submit(mine)
        await store.submit(builders.submission(load, fit, name="theirs"))
        await compute(store, artifacts, tmp_path, "loaded", "fitted", "scored")
        await age(database_url)
        await cancelled(store, mine)

        removed = await collect(store, artifacts, dry_run=False)

        assert (removed.sweeps, removed.steps, removed.freed) == (1, 1, Total(1, len("scored")))
        assert await tables.states(database_url) == {"load a": "succeeded", "fit a": "succeeded"}
        await artifacts.fetch(digest_of("fitted"), tmp_path / "back")
        await assert_intact(database_url)

    async def test_that_failed_go_with_the_steps_that_their_failure_blocked(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str
    ) -> None:
        submission = builders.submission(*builders.chain())
        await store.submit(submission)
        claim = await builders.claim_one(store, await builders.new_worker(store))
        await store.fail(claim.step, claim.fence, FATAL)
        await cancelled(store, submission)

        assert (await collect(store, artifacts, dry_run=False)).steps == 3
        assert await rows(database_url) == {}

    async def test_keep_the_failed_step_that_blocks_theirs(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str
    ) -> None:
        load, fit, score = builders.chain()
        mine = builders.submission(load, name="mine")
        await store.submit(mine)
        await store.submit(builders.submission(load, fit, score, name="theirs"))
        claim = await builders.claim_one(store, await builders.new_worker(store))
        await store.fail(claim.step, claim.fence, FATAL)
        await cancelled(store, mine)

        removed = await collect(store, artifacts, dry_run=False)

        assert (removed.sweeps, removed.steps) == (1, 0)
        assert (await tables.step_of(database_url, score))["blocked_by"] == claim.step

    async def test_stay_while_a_step_runs_for_them_and_go_when_it_ended(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str
    ) -> None:
        submission = builders.submission(*builders.chain())
        await store.submit(submission)
        worker = await builders.new_worker(store)
        await builders.succeed_next(store, worker)
        claim = await builders.claim_one(store, worker)
        await cancelled(store, submission)
        # Given a step of a cancelled sweep that has not noticed yet: the step and what it reads
        # stay
        waiting = await collect(store, artifacts, dry_run=False)
        assert (waiting.sweeps, waiting.steps, waiting.stopping) == (0, 0, 1)
        assert in_words(waiting) == "nothing to remove: 1 cancelled sweep still being stopped"
        assert len(await tables.states(database_url)) == 3
        # When it has
        assert await store.fail(claim.step, claim.fence, RELEASE) is State.CANCELLED
        removed = await collect(store, artifacts, dry_run=False)
        # Then
        assert (removed.sweeps, removed.steps, removed.stopping) == (1, 3, 0)
        assert await rows(database_url) == {}

    async def test_go_while_a_step_that_they_share_runs_for_another(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str
    ) -> None:
        load, fit, _ = builders.chain()
        mine = builders.submission(load, fit, name="mine")
        await store.submit(mine)
        await store.submit(builders.submission(load, builders.fit("b", load), name="theirs"))
        claim = await builders.claim_one(store, await builders.new_worker(store))
        await cancelled(store, mine)

        removed = await collect(store, artifacts, dry_run=False)

        assert (removed.sweeps, removed.steps) == (1, 1)
        assert await store.succeed(claim.step, claim.fence, DONE)
        assert await tables.states(database_url) == {"load a": "succeeded", "fit b": "queued"}

    async def test_that_were_removed_can_be_submitted_again_and_are_computed_afresh(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str, tmp_path: Path
    ) -> None:
        submission = builders.submission(*builders.chain())
        await store.submit(submission)
        await compute(store, artifacts, tmp_path, "one", "two", "three")
        await cancelled(store, submission)
        await collect(store, artifacts, dry_run=False)

        receipt = await store.submit(submission)
        await compute(store, artifacts, tmp_path, "one", "two", "three")

        assert (receipt.new, receipt.added) == (True, 3)
        assert set((await tables.states(database_url)).values()) == {"succeeded"}

    async def test_that_are_submitted_meanwhile_have_all_that_they_need(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str
    ) -> None:
        # Given a cancelled sweep, and another one that has most of its steps
        loads = [builders.load(str(number)) for number in range(100)]
        fits = [builders.fit(load.params["tag"], load) for load in loads]
        mine = builders.submission(*loads, *fits, name="mine")
        theirs = builders.submission(*loads, *fits, builders.fit("new", *loads), name="theirs")
        async with PostgresStore.open(database_url) as other:
            for _ in range(5):
                await store.submit(mine)
                await cancelled(store, mine, theirs)
                # When that one is submitted while the first one is removed
                submitting = (each.submit(theirs) for each in (store, other))
                await asyncio.gather(*submitting, collect(store, artifacts, dry_run=False))
                # Then it is whole
                await assert_intact(database_url)
                assert len(await store.step_counts(theirs.id)) > 0

    async def test_are_gone_for_a_worker_that_hears_of_their_steps_late(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str
    ) -> None:
        submission = builders.submission(*builders.chain())
        await store.submit(submission)
        worker = await builders.new_worker(store)
        step = await tables.id_of(database_url, builders.load())
        claim = await store.claim(worker, step)
        await cancelled(store, submission)
        await store.fail(claim.step, claim.fence, RELEASE)

        await collect(store, artifacts, dry_run=False)

        assert await store.claim(worker, step) is None
        assert not await store.succeed(claim.step, claim.fence, DONE)
        assert await store.fail(claim.step, claim.fence, RELEASE) is None


class TestArtifacts:
    async def test_of_the_last_hour_are_left_to_a_later_gc(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str, tmp_path: Path
    ) -> None:
        submission = builders.submission(builders.load())
        await store.submit(submission)
        await compute(store, artifacts, tmp_path, "one")
        await cancelled(store, submission)

        first = await collect(store, artifacts, dry_run=False)
        await age(database_url)
        second = await collect(store, artifacts, dry_run=False)

        assert (first.freed, first.young) == (Total(), Total(1, 3))
        assert (
            in_words(first)
            == "removed 1 sweep, 1 step\n1 artifact (3 B) of the last hour left to a later gc"
        )
        assert (second.freed, second.young) == (Total(1, 3), Total())
        assert in_words(second) == "removed 1 artifact (3 B)"

    async def test_that_no_step_ever_named_go_when_they_are_old(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str, tmp_path: Path
    ) -> None:
        await put(artifacts, tmp_path, "of an attempt that was lost")
        await age(database_url)

        assert (await collect(store, artifacts, dry_run=False)).freed.artifacts == 1
        assert await rows(database_url) == {}

    async def test_that_are_put_again_before_they_are_named_stay(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str, tmp_path: Path
    ) -> None:
        # Given old bytes that nobody needs any more, and a step that makes them anew
        await put(artifacts, tmp_path, "same")
        await age(database_url)
        await store.submit(builders.submission(builders.load()))
        claim = await builders.claim_one(store, await builders.new_worker(store))
        success = await put(artifacts, tmp_path, "same")
        # When gc comes before its success
        removed = await collect(store, artifacts, dry_run=False)
        await store.succeed(claim.step, claim.fence, success)
        # Then
        assert removed.freed == Total()
        await artifacts.fetch(success.products[0].sha256, tmp_path / "back")

    async def test_that_are_put_while_they_are_being_removed_stay(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str, tmp_path: Path
    ) -> None:
        # Given old bytes, and a worker that is putting them again
        success = await put(artifacts, tmp_path, "same")
        await age(database_url)
        renew = statements("blobs")["renew"]
        async with tables.uncommitted(database_url, renew, success.products[0].sha256):
            # When gc gets as far as removing them
            removing = asyncio.create_task(collect(store, artifacts, dry_run=False))
            await tables.blocked(database_url)
        # Then they are there
        assert (await removing).freed == Total()
        assert await rows(database_url) == {"blob": 1}

    async def test_that_another_step_made_as_well_stay(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str, tmp_path: Path
    ) -> None:
        mine, theirs = (
            builders.submission(builders.load(name), name=name) for name in ("mine", "theirs")
        )
        for submission in (mine, theirs):
            await store.submit(submission)
        await compute(store, artifacts, tmp_path, "equal", "equal")
        await age(database_url)
        await cancelled(store, mine)
        first = await collect(store, artifacts, dry_run=False)
        await cancelled(store, theirs)
        second = await collect(store, artifacts, dry_run=False)

        assert (first.steps, first.freed) == (1, Total())
        assert (second.steps, second.freed) == (1, Total(1, 5))

    async def test_that_a_live_sweep_reads_as_its_data_stay(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str, tmp_path: Path
    ) -> None:
        await put(artifacts, tmp_path, "data")
        await put(artifacts, tmp_path, "nobody's")
        await age(database_url)
        await store.submit(builders.submission(reading("data")))

        would = await collect(store, artifacts, dry_run=True)
        removed = await collect(store, artifacts, dry_run=False)

        assert would.freed == removed.freed == Total(1, len("nobody's"))

    async def test_that_were_named_just_now_are_not_removed(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str, tmp_path: Path
    ) -> None:
        # Given bytes that nobody needed when gc asked
        await put(artifacts, tmp_path, "data")
        # When a sweep comes to need them, or a step that made them succeeds
        await store.submit(builders.submission(reading("data")))
        await compute(store, artifacts, tmp_path, "made")
        await age(database_url)
        # Then they stay, whatever gc believes
        assert await artifacts.remove([digest_of("data"), digest_of("made")], 0) == set()


class TestDryRun:
    async def test_says_what_would_go_and_changes_nothing(
        self, store: PostgresStore, artifacts: Artifacts, database_url: str, tmp_path: Path
    ) -> None:
        # Given a cancelled sweep that shares a step and bytes with a live one
        load, fit, score = builders.chain()
        mine = builders.submission(load, fit, score, name="mine")
        await store.submit(mine)
        await store.submit(builders.submission(load, builders.fit("b", load), name="theirs"))
        await compute(store, artifacts, tmp_path, "loaded", "fitted", "fitted", "scored")
        await age(database_url)
        await put(artifacts, tmp_path, "young")
        await cancelled(store, mine)
        before = await rows(database_url)
        # When
        would = await collect(store, artifacts, dry_run=True)
        # Then it is as before, and what was said is what happens
        assert await rows(database_url) == before
        assert in_words(would).startswith("would remove 1 sweep, 2 steps, 1 artifact (6 B)\n")
        did = await collect(store, artifacts, dry_run=False)
        assert (did.sweeps, did.steps, did.freed, did.young) == (
            would.sweeps,
            would.steps,
            would.freed,
            would.young,
        )
        await assert_intact(database_url)

    async def test_of_an_empty_store_says_how_to_begin(
        self, store: PostgresStore, artifacts: Artifacts
    ) -> None:
        would = await collect(store, artifacts, dry_run=True)

        assert in_words(would) == "nothing to remove: first cancel a sweep (pyheta cancel SWEEP)"


class TestObjectStore:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        return tmp_path / "artifacts"

    @pytest.fixture
    def artifacts(self, store: PostgresStore, root: Path) -> Artifacts:
        return ObjectArtifacts(root.as_uri(), store.id)

    @pytest.fixture
    async def removable(
        self, store: PostgresStore, artifacts: Artifacts, root: Path, tmp_path: Path
    ) -> None:
        """Two old artifacts, one of them of a cancelled sweep alone."""
        mine = builders.submission(builders.load("mine"), name="mine")
        await store.submit(mine)
        await store.submit(builders.submission(builders.load("theirs"), name="theirs"))
        await compute(store, artifacts, tmp_path, "mine", "theirs")
        for path in root.glob("??/*"):
            os.utime(path, (time.time() - 3660,) * 2)
        await cancelled(store, mine)

    @pytest.mark.usefixtures("removable")
    async def test_keeps_what_a_live_sweep_needs(
        self, store: PostgresStore, artifacts: Artifacts, tmp_path: Path
    ) -> None:
        would = await collect(store, artifacts, dry_run=True)
        removed = await collect(store, artifacts, dry_run=False)

        assert would.freed == removed.freed == Total(1, 4)
        await artifacts.fetch(digest_of("theirs"), tmp_path / "back")
        with pytest.raises(StoreError, match="is not there"):
            await artifacts.fetch(digest_of("mine"), tmp_path / "back")

    @pytest.mark.usefixtures("removable")
    async def test_keeps_what_is_put_again(
        self, store: PostgresStore, artifacts: Artifacts, tmp_path: Path
    ) -> None:
        await put(artifacts, tmp_path, "mine")

        removed = await collect(store, artifacts, dry_run=False)

        assert (removed.steps, removed.freed, removed.young) == (1, Total(), Total(1, 4))

    @pytest.mark.usefixtures("removable")
    async def test_keeps_all_where_another_store_has_put_something(
        self, store: PostgresStore, artifacts: Artifacts, root: Path, tmp_path: Path
    ) -> None:
        await put(ObjectArtifacts(root.as_uri(), uuid4()), tmp_path, "of another")

        removed = await collect(store, artifacts, dry_run=False)

        assert (removed.steps, removed.freed) == (1, Total())
        assert "1 other store" in in_words(removed)
        await artifacts.fetch(digest_of("mine"), tmp_path / "back")


async def test_a_long_history_is_removed_while_workers_go_on(
    store: PostgresStore, artifacts: Artifacts, database_url: str
) -> None:
    # Given a sweep of which nothing is left to do, and another one at work
    done = builders.submission(
        *(builders.load(f"done {number}") for number in range(50)), name="done"
    )
    await store.submit(done)
    await builders.succeed_next(store, await builders.new_worker(store), 50)
    await cancelled(store, done)
    await store.submit(
        builders.submission(*(builders.load(str(number)) for number in range(50)), name="live")
    )
    claims = await store.claim_next(await builders.new_worker(store), BOTH, 50)
    # When both happen at once
    ends = (store.succeed(claim.step, claim.fence, DONE) for claim in claims)
    collecting = asyncio.create_task(collect(store, artifacts, dry_run=False))
    recorded = await asyncio.gather(*ends)
    removed = await collecting
    # Then neither has disturbed the other
    assert removed.steps == 50
    assert all(recorded)
    assert set((await tables.states(database_url)).values()) == {"succeeded"}
    assert len(await tables.states(database_url)) == 50
