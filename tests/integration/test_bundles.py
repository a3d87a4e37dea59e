"""Nets that one child trains together, with real children, a real store and a real broker."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import builders
import failing
import pytest
import servers
import tables
from processes import assert_complete, children, kill, rows

from pyheta.broker.rabbitmq import RabbitBroker
from pyheta.errors import ConfigError
from pyheta.plan.prepare import prepare
from pyheta.steps import Bell, Key, Kind, Step
from pyheta.store.postgres import PostgresStore
from pyheta.worker import claimer
from pyheta.worker.intake import Intake

# In a hurry: leases of a second or two, which another such test beside it may cost.
pytestmark = pytest.mark.xdist_group("hurried")

SWEEP = """
version: 1
name: bundles
config:
  dataset: {name: synthetic, rows: 400}
  target: load
  split: {train: 0.6, val: 0.2, test: 0.2}
  window: {input: 8, horizon: 1}
  net: {name: mlp, hidden: [4], dropout: 0.1}
  train: {epochs: 3, patience: 100000}
parameters:
  train.lr: [1.0e-3, 2.0e-3, 3.0e-3, 4.0e-3]
baselines: []
"""

SCALE = 0.1


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresStore]:
    async with PostgresStore.open(database_url, time_scale=SCALE) as store:
        yield store


def load_and_fits(folder: Path, *overrides: str) -> list[Step]:
    """The steps of the sweep that a net's training needs: a load and four fits of one bundle."""
    (folder / "sweep.yaml").write_text(SWEEP)
    steps = prepare(folder / "sweep.yaml", overrides, None).plan.steps.values()
    return [step for step in steps if step.op in {"load", "fit"}]


async def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    return await asyncio.to_thread(rows, url, query)


async def until(url: str, query: str, expected: list[tuple[Any, ...]]) -> None:
    while await ask(url, query) != expected:  # noqa: ASYNC110 -- another process's doing
        await asyncio.sleep(0.02)


async def child() -> int:
    """The process that computes, as soon as there is one."""
    while not (pids := children(os.getpid())):  # noqa: ASYNC110 -- it is being started
        await asyncio.sleep(0.01)
    return pids[0]


async def bundles(url: str) -> list[int]:
    """How many fits were claimed at the same instant, without those that led their bundles."""
    query = """
        SELECT count(*)::int FROM pyheta.attempt JOIN pyheta.step ON step.id = attempt.step_id
        WHERE op = 'fit' GROUP BY attempt.started_at ORDER BY 1
    """
    return [count for (count,) in await ask(url, query)]


async def train(url: str, folder: Path, lanes: int) -> tuple[list[int], list[tuple[Any, ...]]]:
    """Train the four nets; the bundles in which they were, and their products."""
    async with PostgresStore.open(url, time_scale=SCALE) as store:
        await store.submit(builders.submission(*load_and_fits(folder)))
        await builders.supervisor(store, folder / f"home-{lanes}", SCALE, lanes=lanes).run()
    await asyncio.to_thread(assert_complete, url)
    products = (
        "SELECT key, name, sha256 FROM pyheta.product JOIN pyheta.step ON step.id = "
        "step_id ORDER BY 1, 2"
    )
    return await bundles(url), await ask(url, products)


def test_nets_are_the_same_as_if_they_were_trained_alone(
    postgres_url: str, template_database: str, tmp_path: Path
) -> None:
    # When the same nets are trained one by one, and together on a fresh store
    with servers.database(postgres_url, template_database) as url:
        alone, expected = asyncio.run(train(url, tmp_path, lanes=1))
    with servers.database(postgres_url, template_database) as url:
        together, products = asyncio.run(train(url, tmp_path, lanes=16))

    # Then all products are equal to the bit
    assert (alone, together) == ([1, 1, 1, 1], [1, 3])
    assert products == expected


async def test_there_are_at_most_so_many_lanes(database_url: str, tmp_path: Path) -> None:
    claimed, _ = await train(database_url, tmp_path, lanes=3)

    assert claimed == [1, 1, 2]


async def test_a_lane_that_raises_leaves_its_neighbours_alone(
    store: PostgresStore, database_url: str, tmp_path: Path
) -> None:
    # Given four nets of one bundle, the second of which reads a column that is not there
    load, first, second, *others = load_and_fits(tmp_path)
    astray = [{**source, "column": "nowhere"} for source in second.params["sources"]]
    broken = replace(second, params={**second.params, "sources": astray})
    await store.submit(builders.submission(load, first, broken, *others))

    # When they are trained together
    await builders.supervisor(store, tmp_path / "home", SCALE).run()

    # Then that one has failed, and the others are there at the first attempt
    assert await bundles(database_url) == [1, 3]
    states = await ask(database_url, f"SELECT key = '{broken.key}', state FROM pyheta.step")
    assert sorted(states) == [(False, "succeeded")] * 4 + [(True, "failed")]


async def test_a_device_that_fails_costs_the_lanes_without_an_answer_one_crash(
    store: PostgresStore, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given four nets of one bundle, during the second of which the device fails once
    failing.write_net(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # what is printed is kept without it too
    load, first, second, *others = load_and_fits(tmp_path)
    net = failing.net("AcceleratorError", failing.ILLEGAL, once=str(tmp_path / "failed"))
    broken = replace(second, params={**second.params, "net": net})
    await store.submit(builders.submission(load, first, broken, *others))

    # When they are trained together
    await builders.supervisor(store, tmp_path / "home", SCALE).run()

    # Then all are there, the last three at the second attempt, each alone
    await asyncio.to_thread(assert_complete, database_url)
    crashes = "SELECT tries, crashes, lost FROM pyheta.step WHERE op = 'fit' ORDER BY id"
    assert await ask(database_url, crashes) == [(0, 0, 0), *[(0, 1, 0)] * 3]
    assert await bundles(database_url) == [1, 1, 1, 1, 3]

    # And the attempts that were lost say why, and that they share what was printed
    lost = "SELECT reason, log FROM pyheta.attempt WHERE outcome = 'crash'"
    attempts = await ask(database_url, lost)
    assert [reason for reason, _ in attempts] == [f"the device failed: {failing.ILLEGAL}"] * 3
    for _, log in attempts:
        assert log.startswith("(printed while 4 steps were computed together)\n")
        assert "a net is about to fail\nTraceback" in log


def failing_where(steps: Sequence[Step], *places: int) -> list[Step]:
    """The same steps; at these places with nets for which the device fails."""
    net = failing.net("AcceleratorError", failing.ILLEGAL)
    return [
        replace(step, params={**step.params, "net": net}) if place in places else step
        for place, step in enumerate(steps)
    ]


async def test_a_worker_whose_device_works_no_longer_claims_no_more(
    store: PostgresStore, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given four nets for each of which the device fails, and a device that does not recover
    failing.write_net(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(claimer, "works", lambda _: False)
    await store.submit(builders.submission(*failing_where(load_and_fits(tmp_path), 1, 2, 3, 4)))

    # When a worker trains them one by one
    with pytest.raises(ConfigError, match=f"has failed and works no longer: {failing.ILLEGAL}"):
        await builders.supervisor(store, tmp_path / "home", SCALE, lanes=1).run()

    # Then it has left all of them to others
    fits = "SELECT state FROM pyheta.step WHERE op = 'fit'"
    assert await ask(database_url, fits) == [("queued",)] * 4


async def test_a_net_for_which_a_device_fails_that_works_otherwise_fails_alone(
    store: PostgresStore, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing.write_net(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    await store.submit(builders.submission(*failing_where(load_and_fits(tmp_path), 2)))

    await builders.supervisor(store, tmp_path / "home", SCALE, lanes=1).run()

    fits = "SELECT state, crashes FROM pyheta.step WHERE op = 'fit' ORDER BY crashes"
    assert await ask(database_url, fits) == [*[("succeeded", 0)] * 3, ("failed", 3)]


async def test_cancelling_one_sweep_leaves_the_lanes_of_another_alone(
    store: PostgresStore, database_url: str, tmp_path: Path
) -> None:
    # Given two sweeps whose nets shall be trained together by a child that is held up
    load, *fits = load_and_fits(tmp_path)
    await store.submit(builders.submission(load))
    await builders.supervisor(store, tmp_path / "home", SCALE).run()
    unwanted, wanted = builders.submission(load, *fits[:2]), builders.submission(load, *fits[2:])
    for sweep in (unwanted, wanted):
        await store.submit(sweep)
    working = asyncio.create_task(builders.supervisor(store, tmp_path / "home", SCALE).run())
    kill(pid := await child(), signal.SIGSTOP)

    # When one sweep is cancelled, Then its nets end at once while the others are still held
    states = (
        "SELECT state, count(*)::int FROM pyheta.step WHERE op = 'fit' GROUP BY state "
        "ORDER BY state"
    )
    await store.cancel(unwanted.id)
    await until(database_url, states, [("running", 2), ("cancelled", 2)])

    # And those succeed at their first attempt, with the same child
    kill(pid, signal.SIGCONT)
    await working
    assert await ask(database_url, states) == [("succeeded", 2), ("cancelled", 2)]
    assert await bundles(database_url) == [1, 3]


async def test_cancelling_all_of_them_ends_the_child(
    store: PostgresStore, database_url: str, tmp_path: Path
) -> None:
    # Given a bundle that would be trained for hours
    load, *fits = load_and_fits(tmp_path, "train.epochs=1000000", "train.patience=1000000")
    sweep = builders.submission(load, *fits)
    await store.submit(sweep)
    working = asyncio.create_task(builders.supervisor(store, tmp_path / "home", SCALE).run())
    running = "SELECT count(*)::int FROM pyheta.step WHERE op = 'fit' AND state = 'running'"
    await until(database_url, running, [(4,)])

    # When its sweep is cancelled, Then the worker has nothing left to do
    await store.cancel(sweep.id)
    await working
    assert await ask(
        database_url, "SELECT count(*)::int FROM pyheta.step WHERE state = 'cancelled'"
    ) == [(4,)]


async def claim_next(intake: Intake) -> Sequence[Key]:
    """What the next ring leads to, with all that can be computed together with it."""
    claims = await intake.claims(await intake.ring(), 1)
    siblings = [await intake.siblings(claim, 15) for claim in claims]
    return [claim.key for each in (claims, *siblings) for claim in each]


async def test_rings_for_steps_that_were_taken_as_siblings_lead_to_nothing_and_are_settled(
    store: PostgresStore, database_url: str, store_broker_url: str
) -> None:
    # Given a message for each of three steps of one bundle
    steps = builders.fits(3)
    await store.submit(builders.submission(*steps))
    worker = await builders.new_worker(store)
    broker = RabbitBroker(store_broker_url, store.id, time_scale=SCALE)
    try:
        await broker.ring(
            [Bell(await tables.id_of(database_url, step), Kind.TRAIN) for step in steps]
        )

        # When a worker hears them
        async with broker.listen([Kind.TRAIN]) as listener:
            intake = Intake(store, listener, worker, kinds=[Kind.TRAIN], sweep=None, poll=10)
            taken = [await claim_next(intake) for _ in steps]

        # Then the first brings all steps, the others none, and no message is left
        assert [len(claims) for claims in taken] == [3, 0, 0]
        depth = await broker.depth()
        assert (depth.ready[Kind.TRAIN], depth.dead) == (0, 0)
    finally:
        await broker.close()
