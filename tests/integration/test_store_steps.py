"""Claims, leases and endings, as workers meet them."""

import asyncio
from itertools import chain
from typing import Any

import builders
import pytest
import tables
from builders import BOTH, DONE, ERROR, RELEASE

from pyheta.errors import LeaseLost, StoreError
from pyheta.steps import Claim, Ending, Failure, Input, Kind, Metric, State, StepId, Success, digest
from pyheta.store.postgres import PostgresStore


class TestClaim:
    async def test_hands_over_what_the_step_is(
        self, store: PostgresStore, database_url: str
    ) -> None:
        # Given a step that reads a file
        step = builders.load("a", files=True)
        await store.submit(builders.submission(step))
        # When a living worker claims it
        worker = await builders.new_worker(store)
        claim = await store.claim(worker, await tables.id_of(database_url, step))
        # Then it learns everything that it needs to compute it
        assert (claim.key, claim.op, claim.kind, claim.params) == (
            step.key,
            "load",
            Kind.DATA,
            step.params,
        )
        assert claim.inputs == (Input("raw", "raw", digest("a")),)

    async def test_lists_the_products_of_every_need_by_role(self, store: PostgresStore) -> None:
        load, other = builders.load("a"), builders.load("b")
        await store.submit(builders.submission(load, other, builders.fit("c", load, other)))
        worker = await builders.new_worker(store)
        for claim in await store.claim_next(worker, BOTH, 2):
            await store.succeed(claim.step, claim.fence, builders.a_success())

        claim = await builders.claim_one(store, worker)

        assert [(each.role, each.name) for each in claim.inputs] == [
            ("load/0", "forecast"),
            ("load/0", "weights"),
            ("load/1", "forecast"),
            ("load/1", "weights"),
        ]

    async def test_takes_the_highest_priority_then_the_oldest(self, store: PostgresStore) -> None:
        await store.submit(
            builders.submission(builders.load("old"), builders.load("older"), name="a")
        )
        await store.submit(builders.submission(builders.load("urgent"), name="b", priority=5))
        worker = await builders.new_worker(store)

        claims = await store.claim_next(worker, BOTH, 3)

        assert [claim.params["tag"] for claim in claims] == ["urgent", "old", "older"]

    async def test_takes_only_the_kinds_asked_for(self, store: PostgresStore) -> None:
        await store.submit(builders.submission(builders.load("a"), builders.fit("b")))
        worker = await builders.new_worker(store)

        assert [claim.op for claim in await store.claim_next(worker, [Kind.TRAIN], 9)] == ["fit"]

    async def test_takes_only_what_the_given_sweep_needs(self, store: PostgresStore) -> None:
        await store.submit(builders.submission(builders.load("a"), name="a"))
        mine = builders.submission(builders.load("b"), name="b")
        await store.submit(mine)
        worker = await builders.new_worker(store)

        assert await store.open_steps(BOTH, sweep=mine.id) == 1
        assert [
            c.params["tag"] for c in await store.claim_next(worker, BOTH, 9, sweep=mine.id)
        ] == ["b"]
        assert await store.open_steps(BOTH, sweep=mine.id) == 1  # running
        assert await store.open_steps(BOTH) == 2

    async def test_finds_nothing_where_needs_are_missing(
        self, store: PostgresStore, database_url: str
    ) -> None:
        _, fit, _ = steps = builders.chain()
        await store.submit(builders.submission(*steps))
        worker = await builders.new_worker(store)

        assert await store.claim(worker, await tables.id_of(database_url, fit)) is None
        assert await store.claim(worker, StepId(2**40)) is None
        assert await store.claim_next(worker, [Kind.TRAIN], 1) == []

    async def test_is_refused_to_a_worker_whose_lease_ran_out(
        self, store: PostgresStore, database_url: str
    ) -> None:
        step = builders.load()
        await store.submit(builders.submission(step))
        worker = await builders.new_worker(store, lease_seconds=0)

        assert await store.claim(worker, await tables.id_of(database_url, step)) is None
        assert await store.claim_next(worker, BOTH, 1) == []

    async def test_by_many_at_once_hands_out_every_step_once(
        self, store: PostgresStore, database_url: str
    ) -> None:
        # Given 60 ready steps and 8 workers with a connection each
        await store.submit(builders.submission(*(builders.load(str(n)) for n in range(60))))

        async def one() -> list[StepId]:
            async with PostgresStore.open(database_url) as own:
                worker, taken = await builders.new_worker(own), []
                while claims := await own.claim_next(worker, BOTH, 3):
                    taken += [claim.step for claim in claims]
                return taken

        # When they claim until nothing is left
        taken = list(chain.from_iterable(await asyncio.gather(*(one() for _ in range(8)))))
        # Then nothing was taken twice and nothing was left
        assert len(taken) == len(set(taken)) == 60

    async def test_of_one_step_by_many_succeeds_once(
        self, store: PostgresStore, database_url: str
    ) -> None:
        step = builders.load()
        await store.submit(builders.submission(step))
        number = await tables.id_of(database_url, step)
        workers = [await builders.new_worker(store) for _ in range(8)]

        claims = await asyncio.gather(*(store.claim(worker, number) for worker in workers))

        assert len([claim for claim in claims if claim]) == 1


class TestHeartbeat:
    async def test_extends_the_lease_and_lists_what_is_held(
        self, store: PostgresStore, database_url: str
    ) -> None:
        sweep = builders.submission(*builders.chain())
        await store.submit(sweep)
        worker = await builders.new_worker(store, lease_seconds=10)
        claim = await builders.claim_one(store, worker)

        told = {(claim.step, claim.fence): {"epoch": 2, "val_loss": float("nan")}}
        [holding] = await store.heartbeat(worker, lease_seconds=500, progress=told)

        assert (holding.step, holding.fence, holding.cancel_requested) == (
            claim.step,
            claim.fence,
            False,
        )
        [row] = await store.workers()
        assert (row.held, row.lease_seconds > 400) == (1, True)
        [running] = await store.running(sweep.id)
        assert running.progress == {"epoch": 2, "val_loss": None}

    async def test_of_a_worker_that_holds_nothing_lists_nothing(self, store: PostgresStore) -> None:
        worker = await builders.new_worker(store)

        assert await store.heartbeat(worker, lease_seconds=10, progress={}) == []

    async def test_saves_a_worker_that_nobody_has_buried_yet(
        self, store: PostgresStore, database_url: str
    ) -> None:
        worker = await builders.new_worker(store, lease_seconds=0)

        await store.heartbeat(worker, lease_seconds=600, progress={})

        assert await store.reap() == 0
        assert len(await store.workers()) == 1

    async def test_never_raises_the_dead(self, store: PostgresStore) -> None:
        worker = await builders.new_worker(store, lease_seconds=0)
        await store.reap()

        with pytest.raises(LeaseLost):
            await store.heartbeat(worker, lease_seconds=600, progress={})

    async def test_after_retiring_is_refused(self, store: PostgresStore, database_url: str) -> None:
        worker = await builders.new_worker(store)
        await store.retire(worker)

        with pytest.raises(LeaseLost):
            await store.heartbeat(worker, lease_seconds=600, progress={})
        assert await store.workers() == []
        [row] = await tables.fetch(database_url, "SELECT state FROM pyheta.worker")
        assert row["state"] == "stopped"


class TestSucceed:
    async def test_records_the_result_and_wakes_what_waited(
        self, store: PostgresStore, database_url: str
    ) -> None:
        load, fit, score = builders.chain()
        await store.submit(builders.submission(load, fit, score))
        worker = await builders.new_worker(store)
        claim = await builders.claim_one(store, worker)

        assert await store.succeed(claim.step, claim.fence, builders.a_success())

        assert await tables.states(database_url) == {
            "load a": "succeeded",
            "fit a": "queued",
            "score a": "waiting",
        }
        [row] = [row for row in await store.steps_of(score.key) if row.key == load.key]
        success = builders.a_success()
        [attempt] = await store.attempts([claim.step])
        assert (row.summary, attempt.cost) == (success.summary, builders.A_COST)
        assert row.seconds == builders.A_COST.wall_seconds
        assert set(row.products) == set(success.products)
        assert set(row.metrics) == set(success.metrics)

    async def test_waits_for_the_last_of_several_needs(
        self, store: PostgresStore, database_url: str
    ) -> None:
        needs = [builders.load(tag) for tag in "abc"]
        await store.submit(builders.submission(*needs, builders.fit("z", *needs)))
        worker = await builders.new_worker(store)

        await builders.succeed_next(store, worker, 2)
        assert (await tables.states(database_url))["fit z"] == "waiting"

        await builders.succeed_next(store, worker)
        assert (await tables.states(database_url))["fit z"] == "queued"

    async def test_counts_a_need_in_two_roles_once(
        self, store: PostgresStore, database_url: str
    ) -> None:
        load = builders.load()
        await store.submit(builders.submission(load, builders.fit("z", load, load)))

        await builders.succeed_next(store, await builders.new_worker(store))

        assert (await tables.states(database_url))["fit z"] == "queued"

    async def test_of_all_needs_at_once_wakes_exactly_once(
        self, store: PostgresStore, database_url: str
    ) -> None:
        # Given 12 running needs of one step
        needs = [builders.load(str(n)) for n in range(12)]
        await store.submit(builders.submission(*needs, builders.fit("z", *needs)))
        claims = await store.claim_next(await builders.new_worker(store), BOTH, 12)
        # When they all succeed at the same time
        await asyncio.gather(*(store.succeed(claim.step, claim.fence, DONE) for claim in claims))
        # Then every one has been counted
        row = await tables.step_of(database_url, builders.fit("z", *needs))
        assert (row["state"], row["unmet"]) == ("queued", 0)

    async def test_said_twice_is_true_twice_and_recorded_once(
        self, store: PostgresStore, database_url: str
    ) -> None:
        await store.submit(builders.submission(builders.load()))
        claim = await builders.claim_one(store, await builders.new_worker(store))

        assert await store.succeed(claim.step, claim.fence, builders.a_success())
        assert await store.succeed(claim.step, claim.fence, builders.a_success())

        assert len(await tables.fetch(database_url, "SELECT FROM pyheta.product")) == 2

    async def test_with_an_old_fence_changes_nothing(
        self, store: PostgresStore, database_url: str
    ) -> None:
        # Given a step that was taken over by a second worker
        await store.submit(builders.submission(builders.load()))
        first = await builders.new_worker(store)
        old = await builders.claim_one(store, first)
        await store.fail(old.step, old.fence, RELEASE)
        new = await builders.claim_one(store, await builders.new_worker(store))
        # When the first one reports after all
        assert not await store.succeed(old.step, old.fence, builders.a_success())
        # Then only the second one counts
        assert await tables.states(database_url) == {"load a": "running"}
        assert await store.succeed(new.step, new.fence, DONE)

    async def test_with_a_number_that_is_not_finite_records_nothing(
        self, store: PostgresStore, database_url: str
    ) -> None:
        await store.submit(builders.submission(builders.load()))
        claim = await builders.claim_one(store, await builders.new_worker(store))
        bad = Success(products=(), metrics=(Metric("test", "rmse", 0, float("nan")),))

        with pytest.raises(StoreError):
            await store.succeed(claim.step, claim.fence, bad)

        assert await tables.states(database_url) == {"load a": "running"}


class TestFail:
    @pytest.fixture
    async def claim(self, store: PostgresStore) -> Claim:
        await store.submit(builders.submission(builders.load()))
        return await builders.claim_one(store, await builders.new_worker(store))

    async def again(self, store: PostgresStore, database_url: str) -> Claim:
        await tables.make_available(database_url)
        return await builders.claim_one(store, await builders.new_worker(store))

    @pytest.mark.parametrize(
        ("ending", "reason"),
        [(Ending.ERROR, "boom"), (Ending.CRASH, "poison: boom"), (Ending.LOST, "poison: boom")],
    )
    async def test_thrice_for_one_cause_is_final(
        self, store: PostgresStore, database_url: str, claim: Claim, ending: Ending, reason: str
    ) -> None:
        failure = Failure(ending, "boom")
        for _ in range(2):
            assert await store.fail(claim.step, claim.fence, failure) is State.QUEUED
            claim = await self.again(store, database_url)

        assert await store.fail(claim.step, claim.fence, failure) is State.FAILED

        assert (await tables.step_of(database_url, builders.load()))["reason"] == reason

    async def test_counts_each_cause_apart(
        self, store: PostgresStore, database_url: str, claim: Claim
    ) -> None:
        for ending in (Ending.ERROR, Ending.CRASH, Ending.LOST) * 2:
            assert (
                await store.fail(claim.step, claim.fence, Failure(ending, "boom")) is State.QUEUED
            )
            claim = await self.again(store, database_url)

    async def test_gives_back_what_is_released_at_once_and_at_no_cost(
        self, store: PostgresStore, database_url: str, claim: Claim
    ) -> None:
        for _ in range(5):
            assert await store.fail(claim.step, claim.fence, RELEASE) is State.QUEUED
            claim = await builders.claim_one(store, await builders.new_worker(store))

        row = await tables.step_of(database_url, builders.load())
        assert (row["tries"], row["crashes"], row["lost"], row["releases"]) == (0, 0, 0, 5)

    async def test_ends_a_loop_of_releases(
        self, store: PostgresStore, database_url: str, claim: Claim
    ) -> None:
        await tables.execute(database_url, "UPDATE pyheta.step SET releases = 99")

        assert await store.fail(claim.step, claim.fence, RELEASE) is State.FAILED

    async def test_without_retry_is_final_at_once(self, store: PostgresStore, claim: Claim) -> None:
        failure = Failure(Ending.ERROR, "no such column", retry=False)

        assert await store.fail(claim.step, claim.fence, failure) is State.FAILED

    @pytest.mark.parametrize(
        ("ending", "delays"),
        [
            (Ending.ERROR, [(5, 7.5), (10, 15)]),
            (Ending.CRASH, [(5, 7.5), (10, 15)]),
            (Ending.LOST, [(0, 3), (5, 7.5)]),
        ],
    )
    async def test_delays_the_next_attempt_more_each_time(
        self,
        store: PostgresStore,
        database_url: str,
        claim: Claim,
        ending: Ending,
        delays: list[tuple[Any, ...]],
    ) -> None:
        for least, most in delays:
            await store.fail(claim.step, claim.fence, Failure(ending, "boom"))
            [row] = await tables.fetch(
                database_url,
                "SELECT extract(epoch FROM available_at - "
                "(SELECT max(ended_at) FROM pyheta.attempt))::float8 AS delay FROM pyheta.step",
            )
            assert least <= row["delay"] <= most
            claim = await self.again(store, database_url)

    async def test_with_an_old_fence_changes_nothing(
        self, store: PostgresStore, database_url: str, claim: Claim
    ) -> None:
        await store.fail(claim.step, claim.fence, RELEASE)
        new = await builders.claim_one(store, await builders.new_worker(store))

        assert await store.fail(claim.step, claim.fence, ERROR) is None

        assert await tables.states(database_url) == {"load a": "running"}
        assert await store.fail(new.step, new.fence, ERROR) is State.QUEUED

    async def test_said_twice_counts_once(
        self, store: PostgresStore, database_url: str, claim: Claim
    ) -> None:
        assert await store.fail(claim.step, claim.fence, ERROR) is State.QUEUED
        assert await store.fail(claim.step, claim.fence, ERROR) is State.QUEUED

        assert (await tables.step_of(database_url, builders.load()))["tries"] == 1

    async def test_for_good_fails_everything_that_waits_for_it(
        self, store: PostgresStore, database_url: str
    ) -> None:
        load, fit, score = builders.chain("b")
        await store.submit(builders.submission(load, fit, score))
        claim = await builders.claim_one(store, await builders.new_worker(store))

        await store.fail(claim.step, claim.fence, Failure(Ending.ERROR, "boom", retry=False))

        assert set((await tables.states(database_url)).values()) == {"failed"}
        *_, last = await store.steps_of(score.key)
        assert last.reason == f"needs load {load.key[:12]}: boom"
        assert last.blocked_by == load.key

    async def test_keeps_any_text_that_a_child_wrote(
        self, store: PostgresStore, claim: Claim
    ) -> None:
        dirt = "\0\x1b[31m \udc80 " + "x" * 200_000

        await store.fail(
            claim.step, claim.fence, Failure(Ending.ERROR, dirt, detail=dirt, log=dirt)
        )

        [attempt] = await store.attempts([claim.step])
        lengths = [len(text or "") for text in (attempt.detail, attempt.log, attempt.reason)]
        assert lengths == [64 * 1024, 64 * 1024, 500]


class TestReap:
    async def test_gives_back_what_a_lost_worker_held(
        self, store: PostgresStore, database_url: str
    ) -> None:
        await store.submit(builders.submission(builders.load("a"), builders.load("b")))
        lost, other = await builders.new_worker(store), await builders.new_worker(store)
        held = await builders.claim_one(store, lost)
        await builders.claim_one(store, other)
        await tables.expire(database_url, lost)

        assert await store.reap() == 1

        assert await tables.states(database_url) == {"load a": "queued", "load b": "running"}
        [attempt] = await store.attempts([held.step])
        assert (attempt.outcome, attempt.ended_at is not None) == ("lost", True)
        assert not await store.succeed(held.step, held.fence, DONE)

    async def test_by_several_at_once_counts_every_step_once(
        self, store: PostgresStore, database_url: str
    ) -> None:
        await store.submit(builders.submission(*(builders.load(str(n)) for n in range(20))))
        workers = [await builders.new_worker(store) for _ in range(4)]
        for worker in workers:
            assert len(await store.claim_next(worker, BOTH, 5)) == 5
            await tables.expire(database_url, worker)

        counts = await asyncio.gather(*(store.reap() for _ in range(4)))

        assert sum(counts) == 20
        rows = await tables.fetch(database_url, "SELECT lost, state FROM pyheta.step")
        assert {(row["lost"], row["state"]) for row in rows} == {(1, "queued")}

    async def test_frees_what_a_worker_left_behind_that_retired(
        self, store: PostgresStore, database_url: str
    ) -> None:
        await store.submit(builders.submission(builders.load()))
        worker = await builders.new_worker(store)
        await builders.claim_one(store, worker)
        await store.retire(worker)

        assert await store.reap() == 1


class TestWakes:
    async def test_tells_the_kind_of_what_became_ready(self, store: PostgresStore) -> None:
        async with store.wakes() as wakes:
            # Given the greeting (every kind, since something may have been missed) is over
            assert {await anext(wakes), await anext(wakes)} == set(Kind)
            # When a step becomes ready
            await store.submit(builders.submission(builders.fit("a")))
            # Then its kind is heard
            assert await anext(wakes) is Kind.TRAIN

    async def test_hears_again_after_the_connection_broke(self, database_url: str) -> None:
        async with (
            PostgresStore.open(database_url, time_scale=0.01) as store,
            store.wakes() as wakes,
        ):
            assert {await anext(wakes), await anext(wakes)} == set(Kind)
            await tables.execute(
                database_url,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND query LIKE 'LISTEN%'",
            )
            assert {await anext(wakes), await anext(wakes)} == set(Kind)
