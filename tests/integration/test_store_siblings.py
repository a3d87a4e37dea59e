"""Claims of siblings: further steps that may be computed together with a claimed one."""

import asyncio
from collections.abc import Sequence

import builders
import pytest
import tables
from builders import BOTH, DONE, ERROR, RELEASE

from pyheta.device import Device
from pyheta.steps import Claim, Ending, Failure, Kind
from pyheta.store.postgres import PostgresStore


def tags(claims: Sequence[Claim]) -> list[str]:
    return [claim.params["tag"] for claim in claims]


async def test_are_held_like_any_other_claim(store: PostgresStore) -> None:
    # Given three steps of one bundle
    await store.submit(builders.submission(*builders.fits(3)))
    worker = await builders.new_worker(store)
    first = await builders.claim_one(store, worker)

    # When the worker that holds one claims its siblings
    siblings = await store.claim_siblings(worker, first, 9)

    # Then it holds them all, each under a fence of its own, and can record each
    assert tags(siblings) == ["1", "2"]
    assert {claim.bundle for claim in (first, *siblings)} == {"alike"}
    held = await store.heartbeat(worker, lease_seconds=600, progress={})
    assert {(h.step, h.fence) for h in held} == {(c.step, c.fence) for c in (first, *siblings)}
    assert all([await store.succeed(claim.step, claim.fence, DONE) for claim in siblings])


async def test_are_at_most_so_many_with_the_highest_priority_first(store: PostgresStore) -> None:
    await store.submit(builders.submission(*builders.fits(4), name="a"))
    await store.submit(builders.submission(*builders.fits(1, "urgent"), name="b", priority=5))
    worker = await builders.new_worker(store)
    first = await builders.claim_one(store, worker)
    await store.submit(builders.submission(*builders.fits(1, "urgent too"), name="c", priority=5))

    siblings = await store.claim_siblings(worker, first, 2)

    assert tags([first, *siblings]) == ["urgent0", "urgent too0", "0"]


async def test_are_of_the_same_bundle_only(store: PostgresStore) -> None:
    alone = builders.fit("alone")
    await store.submit(
        builders.submission(*builders.fits(2), *builders.fits(2, "x", bundle="other"), alone)
    )
    worker = await builders.new_worker(store)
    first = await builders.claim_one(store, worker)

    assert tags(await store.claim_siblings(worker, first, 9)) == ["1"]


async def test_are_ready(store: PostgresStore) -> None:
    load = builders.load()
    waiting = builders.fit("waiting", load, bundle="alike")
    await store.submit(builders.submission(load, waiting, *builders.fits(2)))
    worker = await builders.new_worker(store)
    first = await builders.claim_one(store, worker, [Kind.TRAIN])

    assert tags(await store.claim_siblings(worker, first, 9)) == ["1"]


async def test_are_of_the_given_sweep_only(store: PostgresStore) -> None:
    mine = builders.submission(*builders.fits(2, "mine"), name="mine")
    await store.submit(builders.submission(*builders.fits(2, "theirs"), name="theirs"))
    await store.submit(mine)
    worker = await builders.new_worker(store)
    [first] = await store.claim_next(worker, BOTH, 1, sweep=mine.id)

    assert tags(await store.claim_siblings(worker, first, 9, sweep=mine.id)) == ["mine1"]


@pytest.mark.parametrize("ending", [Ending.ERROR, Ending.CRASH, Ending.LOST])
async def test_are_untried_and_so_is_the_one_that_asks_for_them(
    store: PostgresStore, database_url: str, ending: Ending
) -> None:
    # Given two of three steps of a bundle that ended badly once
    await store.submit(builders.submission(*builders.fits(3)))
    worker = await builders.new_worker(store)
    for claim in await store.claim_next(worker, BOTH, 2):
        await store.fail(claim.step, claim.fence, Failure(ending, "bang"))
    await tables.make_available(database_url)

    # When all are claimed again
    again, _, untried = await store.claim_next(worker, BOTH, 3)

    # Then those that were tried are nobody's sibling
    assert (again.bundle, untried.bundle) == (None, "alike")
    by_number = await tables.fetch(database_url, "SELECT bundle FROM pyheta.step")
    assert {row["bundle"] for row in by_number} == {"alike"}

    # And the one that was not does not get them
    for claim in (again, _):
        await store.fail(claim.step, claim.fence, RELEASE)
    assert await store.claim_siblings(worker, untried, 9) == []


async def test_may_have_been_given_back(store: PostgresStore) -> None:
    await store.submit(builders.submission(*builders.fits(2)))
    worker = await builders.new_worker(store)
    for claim in await store.claim_next(worker, BOTH, 2):
        await store.fail(claim.step, claim.fence, RELEASE)

    first = await builders.claim_one(store, worker)

    assert len(await store.claim_siblings(worker, first, 9)) == 1


async def test_a_step_claimed_by_number_after_an_error_is_alone_too(
    store: PostgresStore, database_url: str
) -> None:
    await store.submit(builders.submission(*builders.fits(1)))
    worker = await builders.new_worker(store)
    claim = await builders.claim_one(store, worker)
    assert claim.bundle == "alike"
    await store.fail(claim.step, claim.fence, ERROR)
    await tables.make_available(database_url)

    again = await store.claim(worker, claim.step)

    assert again is not None
    assert again.bundle is None


@pytest.mark.parametrize(("procs", "expected"), [(1, 9), (2, 4), (3, 3), (9, 1), (10, 0), (99, 0)])
async def test_are_a_fair_share_for_every_process_that_takes_the_kind(
    store: PostgresStore, procs: int, expected: int
) -> None:
    # Given ten ready siblings, and so many processes that train, one of them ours
    await store.submit(builders.submission(*builders.fits(10)))
    worker = await builders.new_worker(store)
    if procs > 1:
        await builders.new_worker(store, procs=procs - 1)

    # And others that do not: a worker for data, and one whose lease ran out
    await builders.new_worker(store, procs=50, kinds=[Kind.DATA])
    await builders.new_worker(store, procs=50, lease_seconds=0)

    # Then one claim and its siblings are a process's part of them, rounded up
    first = await builders.claim_one(store, worker)
    assert len(await store.claim_siblings(worker, first, 20)) == expected


async def test_are_shared_out_among_processes_with_the_same_device(store: PostgresStore) -> None:
    # Given ten ready siblings, 98 processes that train on CPUs, and three on GPUs
    await store.submit(builders.submission(*builders.fits(10)))
    await builders.new_worker(store, procs=98)
    worker = await builders.new_worker(store, device=Device.CUDA)
    await builders.new_worker(store, procs=2, device=Device.CUDA)

    # Then a claim and its siblings are a third of them, rounded up
    first = await builders.claim_one(store, worker)
    assert len(await store.claim_siblings(worker, first, 20)) == 3

    # And one on a CPU gets its hundredth of the rest
    other = await builders.new_worker(store)
    second = await builders.claim_one(store, other)
    assert await store.claim_siblings(other, second, 20) == []


async def test_are_refused_to_a_worker_whose_lease_ran_out(
    store: PostgresStore, database_url: str
) -> None:
    await store.submit(builders.submission(*builders.fits(2)))
    worker = await builders.new_worker(store)
    first = await builders.claim_one(store, worker)
    await tables.expire(database_url, worker)

    assert await store.claim_siblings(worker, first, 9) == []


async def test_claimed_by_many_at_once_are_each_claimed_once(
    store: PostgresStore, database_url: str
) -> None:
    # Given 80 steps of one bundle and 8 workers with a connection each
    await store.submit(builders.submission(*builders.fits(80)))

    async def one() -> list[Claim]:
        async with PostgresStore.open(database_url) as own:
            worker, taken = await builders.new_worker(own), []
            while claims := await own.claim_next(worker, BOTH, 1):
                taken += [*claims, *await own.claim_siblings(worker, claims[0], 7)]
            return taken

    # When they claim until nothing is left
    taken = [
        claim.step
        for claims in await asyncio.gather(*(one() for _ in range(8)))
        for claim in claims
    ]

    # Then nothing was taken twice and nothing was left
    assert len(taken) == len(set(taken)) == 80


async def test_are_passed_by_where_somebody_else_is_taking_them(
    store: PostgresStore, database_url: str
) -> None:
    # Given siblings of which the best is locked by a claim that has not committed
    await store.submit(builders.submission(*builders.fits(4)))
    worker, other = await builders.new_worker(store), await builders.new_worker(store)
    first = await builders.claim_one(store, worker)
    taking = (
        "UPDATE pyheta.step SET state = 'running', worker_id = $1, fence = 99 WHERE "
        "params ->> 'tag' = '1'"
    )
    async with tables.uncommitted(database_url, taking, other):
        # Then the next one is taken instead, without waiting
        assert tags(await store.claim_siblings(worker, first, 1)) == ["2"]
