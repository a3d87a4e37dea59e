"""Submitting, cancelling and trying again."""

import asyncio
from dataclasses import replace
from typing import Any

import builders
import pytest
import tables
from builders import BOTH, DONE, RELEASE

from pyheta.steps import Ending, Failure, Kind, State, Step, StepId
from pyheta.store.postgres import PostgresStore

FATAL = Failure(Ending.ERROR, "boom", retry=False)


class TestSubmit:
    async def test_queues_what_needs_nothing_and_lets_the_rest_wait(
        self, store: PostgresStore, database_url: str
    ) -> None:
        receipt = await store.submit(builders.submission(*builders.chain()))

        assert (receipt.new, receipt.added, receipt.revived) == (True, 3, 0)
        assert receipt.steps == {State.QUEUED: 1, State.WAITING: 2}
        assert list((await tables.states(database_url)).values()) == [
            "queued",
            "waiting",
            "waiting",
        ]

    async def test_twice_adds_nothing(self, store: PostgresStore) -> None:
        submission = builders.submission(*builders.chain())
        await store.submit(submission)

        receipt = await store.submit(submission)

        assert (receipt.new, receipt.added, receipt.revived) == (False, 0, 0)
        assert len(await store.sweeps()) == 1

    async def test_of_another_sweep_adds_only_what_is_new(self, store: PostgresStore) -> None:
        load, fit, score = builders.chain()
        await store.submit(builders.submission(load, fit, score, name="first"))

        receipt = await store.submit(
            builders.submission(load, fit, score, builders.fit("b", load), name="second")
        )

        assert (receipt.new, receipt.added) == (True, 1)
        assert receipt.steps == {State.QUEUED: 1, State.WAITING: 3}

    async def test_tells_how_many_fits_an_older_version_has_computed(
        self, store: PostgresStore
    ) -> None:
        # Given two fits of an older version, of which one has succeeded
        old = builders.fits(2)
        await store.submit(builders.submission(*old))
        await builders.succeed_next(store, await builders.new_worker(store))

        # When the sweep comes again in a newer one, and when it comes once more
        new = [replace(step, version=2) for step in old]
        receipts = [await store.submit(builders.submission(*new)) for _ in range(2)]

        # Then the first time says so
        assert [receipt.outdated for receipt in receipts] == [1, 0]

    async def test_queues_at_once_what_needs_only_what_has_succeeded(
        self, store: PostgresStore, database_url: str
    ) -> None:
        load = builders.load()
        await store.submit(builders.submission(load, name="first"))
        await builders.succeed_next(store, await builders.new_worker(store))

        await store.submit(builders.submission(load, builders.fit("b", load), name="second"))

        assert (await tables.states(database_url))["fit b"] == "queued"

    async def test_fails_at_once_what_needs_what_has_failed(
        self, store: PostgresStore, database_url: str
    ) -> None:
        load, fit, score = builders.chain()
        await store.submit(builders.submission(load, name="first"))
        claim = await builders.claim_one(store, await builders.new_worker(store))
        await store.fail(claim.step, claim.fence, FATAL)

        receipt = await store.submit(builders.submission(load, fit, score, name="second"))

        assert receipt.steps == {State.FAILED: 3}
        row = await tables.step_of(database_url, score)
        assert row["reason"] == f"needs load {load.key[:12]}: boom"
        assert row["blocked_by"] == claim.step

    async def test_raises_the_priority_of_shared_steps_and_never_lowers_it(
        self, store: PostgresStore, database_url: str
    ) -> None:
        load = builders.load()
        for name, priority in (("a", 1), ("b", 7), ("c", 3)):
            await store.submit(builders.submission(load, name=name, priority=priority))

        assert (await tables.step_of(database_url, load))["priority"] == 7

    async def test_by_two_at_once_makes_one_sweep(
        self, store: PostgresStore, database_url: str
    ) -> None:
        # Given a sweep large enough that two submissions overlap
        loads = [builders.load(str(n)) for n in range(300)]
        submission = builders.submission(
            *loads, *(builders.fit(str(n), load) for n, load in enumerate(loads))
        )

        async with PostgresStore.open(database_url) as other:
            receipts = await asyncio.gather(*(each.submit(submission) for each in (store, other)))

        assert sorted((receipt.new, receipt.added) for receipt in receipts) == [
            (False, 0),
            (True, 600),
        ]
        assert len(await tables.states(database_url)) == 600

    async def test_while_a_need_is_being_finished_loses_no_wake(
        self, store: PostgresStore, database_url: str
    ) -> None:
        load, fit, _ = builders.chain()
        await store.submit(builders.submission(load, name="first"))
        await builders.claim_one(store, await builders.new_worker(store))
        # Given that the success of a need is recorded, but not yet committed
        finish = "UPDATE pyheta.step SET state = 'succeeded', worker_id = NULL, finished_at = now()"
        async with tables.uncommitted(database_url, finish):
            # When a step that needs it is submitted
            submitting = asyncio.create_task(
                store.submit(builders.submission(load, fit, name="second"))
            )
            await tables.blocked(database_url)
        # Then the step is ready
        assert (await submitting).steps == {State.SUCCEEDED: 1, State.QUEUED: 1}

    @pytest.mark.parametrize(("failure", "state"), [(None, "queued"), (FATAL, "failed")])
    async def test_not_yet_committed_is_seen_when_a_need_ends(
        self, store: PostgresStore, database_url: str, failure: Failure | None, state: str
    ) -> None:
        load, fit, score = builders.chain()
        other = builders.load("other")
        await store.submit(builders.submission(load, other, name="first"))
        claim = await builders.claim_one(store, await builders.new_worker(store))
        # Given a submission that has added its steps, but waits for a lock on another of them
        lock = "SELECT FROM pyheta.step WHERE key = $1 FOR UPDATE"
        async with tables.uncommitted(database_url, lock, other.key):
            second = builders.submission(load, other, fit, score, name="second", priority=1)
            submitting = asyncio.create_task(store.submit(second))
            await tables.blocked(database_url)
            # When a need ends
            fence = claim.fence
            ending: asyncio.Task[Any]
            if failure:
                ending = asyncio.create_task(store.fail(claim.step, fence, failure))
            else:
                ending = asyncio.create_task(store.succeed(claim.step, fence, DONE))
            await tables.blocked(database_url, 2)
        await asyncio.gather(submitting, ending)
        # Then what was submitted has heard of it
        assert (await tables.states(database_url))["fit a"] == state


class TestCancel:
    async def test_ends_what_is_open_and_asks_the_running_to_stop(
        self, store: PostgresStore, database_url: str
    ) -> None:
        submission = builders.submission(*builders.chain(), builders.load("b"))
        await store.submit(submission)
        worker = await builders.new_worker(store)
        claim = await builders.claim_one(store, worker)

        assert await store.cancel(submission.id) == {
            State.RUNNING: 1,
            State.QUEUED: 1,
            State.WAITING: 2,
        }

        [holding] = await store.heartbeat(worker, lease_seconds=60, progress={})
        assert holding.cancel_requested
        assert await store.fail(claim.step, claim.fence, RELEASE) is State.CANCELLED
        assert set((await tables.states(database_url)).values()) == {"cancelled"}
        assert (await store.find_sweep(None)).cancelled_at is not None

    async def test_twice_changes_nothing(self, store: PostgresStore) -> None:
        submission = builders.submission(*builders.chain())
        await store.submit(submission)
        await store.cancel(submission.id)

        assert await store.cancel(submission.id) == {}

    async def test_spares_what_another_live_sweep_needs(
        self, store: PostgresStore, database_url: str
    ) -> None:
        load, fit, score = builders.chain()
        mine = builders.submission(load, fit, score, name="mine")
        await store.submit(mine)
        await store.submit(builders.submission(load, fit, name="theirs"))

        await store.cancel(mine.id)

        assert list((await tables.states(database_url)).values()) == [
            "queued",
            "waiting",
            "cancelled",
        ]

    async def test_lets_a_result_stand_that_came_first(
        self, store: PostgresStore, database_url: str
    ) -> None:
        submission = builders.submission(*builders.chain())
        await store.submit(submission)
        claim = await builders.claim_one(store, await builders.new_worker(store))
        await store.cancel(submission.id)

        assert await store.succeed(claim.step, claim.fence, DONE)

        assert list((await tables.states(database_url)).values()) == [
            "succeeded",
            "cancelled",
            "cancelled",
        ]

    async def test_racing_results_ends_every_step_once(
        self, store: PostgresStore, database_url: str
    ) -> None:
        submission = builders.submission(*(builders.load(str(n)) for n in range(30)))
        await store.submit(submission)
        claims = await store.claim_next(await builders.new_worker(store), BOTH, 30)

        finished, _ = await asyncio.gather(
            asyncio.gather(*(store.succeed(claim.step, claim.fence, DONE) for claim in claims)),
            store.cancel(submission.id),
        )

        assert all(finished)
        assert set((await tables.states(database_url)).values()) == {"succeeded"}

    async def test_is_undone_by_submitting_again(
        self, store: PostgresStore, database_url: str
    ) -> None:
        submission = builders.submission(*builders.chain(), builders.load("b"))
        await store.submit(submission)
        worker = await builders.new_worker(store)
        claim = await builders.claim_one(store, worker)
        await store.cancel(submission.id)

        receipt = await store.submit(submission)

        assert (receipt.new, receipt.added, receipt.revived) == (False, 0, 3)
        assert receipt.steps == {State.RUNNING: 1, State.QUEUED: 1, State.WAITING: 2}
        assert (await store.find_sweep(None)).cancelled_at is None
        [holding] = await store.heartbeat(worker, lease_seconds=60, progress={})
        assert not holding.cancel_requested
        assert await store.fail(claim.step, claim.fence, RELEASE) is State.QUEUED

    async def test_is_undone_for_shared_steps_by_a_new_sweep(
        self, store: PostgresStore, database_url: str
    ) -> None:
        load, fit, score = builders.chain()
        old = builders.submission(load, fit, score, name="old")
        await store.submit(old)
        await store.cancel(old.id)

        receipt = await store.submit(builders.submission(load, fit, name="new"))

        assert (receipt.new, receipt.added, receipt.revived) == (True, 0, 2)
        assert list((await tables.states(database_url)).values()) == [
            "queued",
            "waiting",
            "cancelled",
        ]


def of_file(tag: str) -> tuple[Step, Step, Step]:
    """load → fit → score, where the fit sees rows that every file has: its key is the same."""
    load = builders.load(tag)
    fit = Step(
        "fit", 1, Kind.TRAIN, {"tag": "fit"}, needs={"load": load.key}, sees={"load": "rows"}
    )
    return load, fit, builders.score(tag, fit)


class TestStepsThatSeeTheSame:
    """Two sweeps on two files, whose fit is one step: it keeps what it was first submitted with."""

    async def finished(self, store: PostgresStore) -> None:
        """Compute all that is ready until nothing is."""
        worker = await builders.new_worker(store)
        while claims := await store.claim_next(worker, BOTH, 1):
            for claim in claims:
                assert await store.succeed(claim.step, claim.fence, DONE)

    @pytest.mark.parametrize("cancelled", ["before", "after"])
    async def test_are_computed_whatever_becomes_of_the_first_sweep(
        self, store: PostgresStore, cancelled: str
    ) -> None:
        first = builders.submission(*of_file("a"), name="a")
        second = builders.submission(*of_file("b"), name="b")
        await store.submit(first)
        if cancelled == "before":
            await store.cancel(first.id)
        await store.submit(second)
        if cancelled == "after":
            await store.cancel(first.id)

        await self.finished(store)

        assert await store.run_counts(second.id) == {State.SUCCEEDED: 1}

    async def test_are_tried_again_with_what_failed_before_them(self, store: PostgresStore) -> None:
        # Given a first file that could not be loaded
        await store.submit(builders.submission(*of_file("a"), name="a"))
        claim = await builders.claim_one(store, await builders.new_worker(store))
        await store.fail(claim.step, claim.fence, FATAL)
        second = builders.submission(*of_file("b"), name="b")
        await store.submit(second)

        # When the second sweep is retried
        await store.retry(second.id)
        await self.finished(store)

        # Then it ends well
        assert await store.run_counts(second.id) == {State.SUCCEEDED: 1}

    @pytest.mark.parametrize("failed", [False, True])
    async def test_stay_whole_when_the_first_sweep_is_removed(
        self, store: PostgresStore, failed: bool, database_url: str
    ) -> None:
        first = builders.submission(*of_file("a"), name="a")
        second = builders.submission(*of_file("b"), name="b")
        await store.submit(first)
        if failed:
            claim = await builders.claim_one(store, await builders.new_worker(store))
            await store.fail(claim.step, claim.fence, FATAL)
        await store.submit(second)
        await store.cancel(first.id)

        removal = await store.remove_unneeded()

        # Only the first sweep's own score is gone
        assert (len(removal.sweeps), removal.steps) == (1, 1)
        steps = "SELECT id FROM pyheta.step"
        dangling = f"SELECT FROM pyheta.need WHERE need_id NOT IN ({steps})"
        assert await tables.fetch(database_url, dangling) == []
        await store.retry(second.id)
        await self.finished(store)
        assert await store.run_counts(second.id) == {State.SUCCEEDED: 1}


class TestRetry:
    async def fail_next(self, store: PostgresStore) -> None:
        claim = await builders.claim_one(store, await builders.new_worker(store))
        await store.fail(claim.step, claim.fence, FATAL)

    async def test_starts_failed_steps_and_what_they_blocked_afresh(
        self, store: PostgresStore, database_url: str
    ) -> None:
        submission = builders.submission(*builders.chain(), builders.load("b"))
        await store.submit(submission)
        await self.fail_next(store)

        assert await store.retry(submission.id) == 3

        assert list((await tables.states(database_url)).values()) == [
            "queued",
            "waiting",
            "waiting",
            "queued",
        ]
        row = await tables.step_of(database_url, builders.load())
        assert (row["tries"], row["reason"]) == (0, None)
        assert len(await store.attempts([row["id"]])) == 1  # history stays

    async def test_of_some_runs_leaves_the_others_alone(
        self, store: PostgresStore, database_url: str
    ) -> None:
        submission = builders.submission(builders.load("a"), builders.load("b"))
        await store.submit(submission)
        await self.fail_next(store)
        await self.fail_next(store)

        assert await store.retry(submission.id, runs=[1]) == 1

        assert await tables.states(database_url) == {"load a": "failed", "load b": "queued"}

    async def test_of_what_went_well_does_nothing(
        self, store: PostgresStore, database_url: str
    ) -> None:
        submission = builders.submission(builders.load())
        await store.submit(submission)
        await builders.succeed_next(store, await builders.new_worker(store))

        assert await store.retry(submission.id) == 0

        assert await tables.states(database_url) == {"load a": "succeeded"}

    async def test_makes_a_cancelled_sweep_live_again(self, store: PostgresStore) -> None:
        submission = builders.submission(*builders.chain())
        await store.submit(submission)
        await store.cancel(submission.id)

        assert await store.retry(submission.id) == 3
        assert (await store.find_sweep(None)).cancelled_at is None

    async def test_lets_what_still_runs_run_on(
        self, store: PostgresStore, database_url: str
    ) -> None:
        # Given a sweep that was cancelled while a step of it runs, which has been asked to stop
        submission = builders.submission(*builders.chain())
        await store.submit(submission)
        worker = await builders.new_worker(store)
        claim = await builders.claim_one(store, worker)
        await store.cancel(submission.id)

        # When the sweep is tried again, Then nobody stops the step any more
        await store.retry(submission.id)
        (held,) = await store.heartbeat(worker, lease_seconds=60, progress={})
        assert (held.step, held.cancel_requested) == (claim.step, False)


class TestEstimates:
    async def test_know_the_states_of_keys(self, store: PostgresStore) -> None:
        load, fit, _ = builders.chain()
        await store.submit(builders.submission(load))

        assert await store.known([load.key, fit.key]) == {load.key: State.QUEUED}

    async def test_know_how_long_steps_took(self, store: PostgresStore) -> None:
        load = builders.load()
        await store.submit(
            builders.submission(load, builders.fit("a", load), builders.fit("b", load))
        )
        worker = await builders.new_worker(store)
        for _ in range(3):
            claim = await builders.claim_one(store, worker)
            await store.succeed(claim.step, claim.fence, builders.a_success())

        means = await store.mean_seconds(["net.name", "tag", "mode"])

        assert means == {
            ("load", (None, "a", None)): 1.5,
            ("fit", ("lstm", "a", None)): 1.5,
            ("fit", ("lstm", "b", None)): 1.5,
        }

    async def test_leave_out_cold_steps_where_there_are_others(self, store: PostgresStore) -> None:
        # Given a load and a fit that took long because modules were imported, a fit that was not
        # measured, and one that was warm
        load = builders.load()
        fits = [builders.fit(tag, load) for tag in "abc"]
        await store.submit(builders.submission(load, *fits))
        worker = await builders.new_worker(store)
        warm = builders.a_success()
        cold = replace(warm, cost=replace(builders.A_COST, wall_seconds=9.0, cold=True))
        for success in (cold, cold, builders.DONE, warm):
            claim = await builders.claim_one(store, worker)
            await store.succeed(claim.step, claim.fence, success)

        means = await store.mean_seconds(["net.name"])

        assert means == {("load", (None,)): 9.0, ("fit", ("lstm",)): 1.5}


class TestOutbox:
    @pytest.fixture
    async def steps(self, store: PostgresStore, database_url: str) -> list[StepId]:
        steps = [builders.load(tag) for tag in "abc"]
        await store.submit(builders.submission(*steps, builders.fit("z")))
        return [await tables.id_of(database_url, step) for step in steps]

    async def announced(self, store: PostgresStore, *, stale_after: float = 3600) -> list[StepId]:
        async with store.unrung(Kind.DATA, limit=10, stale_after=stale_after) as bells:
            return [bell.step for bell in bells]

    async def test_gives_every_ready_step_of_a_kind_once(
        self, store: PostgresStore, steps: list[StepId]
    ) -> None:
        assert await self.announced(store) == steps
        assert await self.announced(store) == []

    async def test_gives_at_most_what_is_asked_for(
        self, store: PostgresStore, steps: list[StepId]
    ) -> None:
        async with store.unrung(Kind.DATA, limit=2, stale_after=3600) as bells:
            assert [bell.step for bell in bells] == steps[:2]

    async def test_gives_them_again_when_announcing_failed(
        self, store: PostgresStore, steps: list[StepId]
    ) -> None:
        async def announce_badly() -> None:
            async with store.unrung(Kind.DATA, limit=10, stale_after=3600):
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await announce_badly()

        assert await self.announced(store) == steps

    async def test_gives_one_announcer_a_kind_at_a_time(
        self, store: PostgresStore, steps: list[StepId]
    ) -> None:
        async with store.unrung(Kind.DATA, limit=10, stale_after=3600):
            assert await self.announced(store) == []
            async with store.unrung(Kind.TRAIN, limit=10, stale_after=3600) as others:
                assert len(others) == 1

    async def test_gives_again_what_was_announced_too_long_ago(
        self, store: PostgresStore, steps: list[StepId]
    ) -> None:
        await self.announced(store)

        assert await self.announced(store, stale_after=3600) == []
        assert await self.announced(store, stale_after=0) == steps

    async def test_does_not_hinder_a_claim_meanwhile(
        self, store: PostgresStore, steps: list[StepId]
    ) -> None:
        async with store.unrung(Kind.DATA, limit=10, stale_after=3600):
            claim = await store.claim(await builders.new_worker(store), steps[0])

        assert claim is not None
        await store.fail(claim.step, claim.fence, RELEASE)
        assert await self.announced(store) == steps[:1]  # ready again: to be announced again
