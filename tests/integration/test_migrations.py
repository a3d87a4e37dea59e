"""The schema: made once, whoever comes first; never touched when it is not what this code knows."""

import asyncio
import re
from contextlib import AsyncExitStack

import builders
import pytest
import tables

from pyheta.errors import ConfigError
from pyheta.steps import Key
from pyheta.store import migrate as module
from pyheta.store.database import session
from pyheta.store.migrate import check_schema, migrate
from pyheta.store.postgres import PostgresStore
from pyheta.store.sql import Migration, load, migrations

STATEMENTS = ("blobs", "datasets", "gc", "migrate", "outbox", "reads", "server", "steps", "sweeps")
ALL = [
    *("0001 initial", "0002 removal", "0003 bundle", "0004 course", "0005 device", "0006 dataset"),
    *("0007 evaluation", "0008 cost"),
]
NEXT = migrations()[-1].version + 1


async def test_are_applied_once(empty_database_url: str) -> None:
    assert await migrate(empty_database_url) == ALL
    assert await migrate(empty_database_url) == []


async def test_raced_by_four_are_applied_once(empty_database_url: str) -> None:
    applied = await asyncio.gather(*(migrate(empty_database_url) for _ in range(4)))

    assert sorted(applied) == [[], [], [], ALL]


def test_count_from_one_without_gaps() -> None:
    versions = [migration.version for migration in migrations()]

    assert versions == list(range(1, len(versions) + 1))


async def test_that_break_leave_nothing_behind(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [
        *migrations(),
        Migration(NEXT, "broken", "CREATE TABLE pyheta.half (); SELECT nonsense"),
    ]
    monkeypatch.setattr(module, "migrations", lambda: broken)
    with pytest.raises(ConfigError):
        await migrate(empty_database_url)
    monkeypatch.undo()

    assert await migrate(empty_database_url) == ALL


async def test_use_an_empty_schema_that_an_administrator_made(empty_database_url: str) -> None:
    await tables.execute(empty_database_url, "CREATE SCHEMA pyheta")

    assert await migrate(empty_database_url) == ALL


async def test_do_not_touch_a_schema_of_somebody_else(empty_database_url: str) -> None:
    await tables.execute(empty_database_url, "CREATE SCHEMA pyheta")
    await tables.execute(empty_database_url, "CREATE TABLE pyheta.theirs ()")

    with pytest.raises(ConfigError, match="not PyHeta's"):
        await migrate(empty_database_url)
    async with AsyncExitStack() as stack:
        with pytest.raises(ConfigError, match="not PyHeta's"):
            await stack.enter_async_context(PostgresStore.open(empty_database_url))


async def test_do_not_touch_a_newer_schema(database_url: str) -> None:
    await tables.execute(
        database_url, "INSERT INTO pyheta.migration VALUES (99, 'from the future')"
    )

    with pytest.raises(ConfigError, match="upgrade PyHeta"):
        await migrate(database_url)


async def test_leave_the_steps_of_an_older_store_as_they_are_to_be_computed_alone(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a store from before steps had bundles, with a step that is ready
    older = migrations()[:2]
    monkeypatch.setattr(module, "migrations", lambda: older)
    await migrate(empty_database_url)
    await tables.execute(
        empty_database_url,
        "INSERT INTO pyheta.step (key, op, version, kind, params, state)"
        " VALUES (repeat('a', 64), 'fit', 1, 'train', '{}', 'queued')",
    )
    monkeypatch.undo()

    # When it is upgraded
    assert await migrate(empty_database_url) == ALL[2:]

    # Then the step can be claimed, and has no siblings
    async with PostgresStore.open(empty_database_url) as store:
        claim = await builders.claim_one(store, await builders.new_worker(store))
        assert claim.bundle is None


async def test_leave_what_an_older_store_has_computed_without_a_cost(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a store from before costs were measured, with a step that took 1.5 seconds
    older = [migration for migration in migrations() if migration.name != "cost"]
    monkeypatch.setattr(module, "migrations", lambda: older)
    await migrate(empty_database_url)
    await tables.run_script(
        empty_database_url,
        """
        INSERT INTO pyheta.worker (id, host, pid, version, kinds, procs, lease_until)
        VALUES (gen_random_uuid(), 'here', 1, '0.2.0', '{train}', 1, now());
        INSERT INTO pyheta.step (key, op, version, kind, params, state, seconds, finished_at)
        VALUES (repeat('a', 64), 'fit', 1, 'train', '{}', 'succeeded', 1.5, now());
        INSERT INTO pyheta.attempt (step_id, fence, worker_id, ended_at, outcome)
        SELECT step.id, 1, worker.id, now(), 'ok' FROM pyheta.step, pyheta.worker;
        """,
    )
    monkeypatch.undo()

    # When it is upgraded
    assert await migrate(empty_database_url) == ["0008 cost"]

    # Then the step has its seconds, and its attempt has no cost
    async with PostgresStore.open(empty_database_url) as store:
        [step] = await store.steps_of(Key("a" * 64))
        [attempt] = await store.attempts([step.id])
    assert (step.seconds, attempt.outcome, attempt.cost) == (1.5, "ok", None)


class TestCheck:
    async def test_accepts_this_schema(self, database_url: str) -> None:
        async with session(database_url) as connection:
            assert await check_schema(connection) == migrations()[-1].version

    async def test_names_the_command_where_there_is_none(self, empty_database_url: str) -> None:
        async with session(empty_database_url) as connection:
            with pytest.raises(ConfigError, match=re.escape("is missing; run `pyheta db upgrade`")):
                await check_schema(connection)

    async def test_names_the_command_for_an_older_one(
        self, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        newer = [*migrations(), Migration(NEXT, "more", "CREATE TABLE pyheta.more ()")]
        monkeypatch.setattr(module, "migrations", lambda: newer)
        async with session(database_url) as connection:
            with pytest.raises(
                ConfigError,
                match=f"has version {NEXT - 1}, this PyHeta needs {NEXT}; run `pyheta db upgrade`",
            ):
                await check_schema(connection)


class TestOpen:
    async def test_makes_a_schema_where_there_is_none(self, empty_database_url: str) -> None:
        async with PostgresStore.open(empty_database_url) as store:
            assert await store.sweeps() == []

    async def test_keeps_its_identity(self, empty_database_url: str) -> None:
        async with (
            PostgresStore.open(empty_database_url) as first,
            PostgresStore.open(empty_database_url) as second,
        ):
            assert first.id == second.id

    @pytest.mark.parametrize("private", [False, True])
    async def test_upgrades_an_older_schema_only_where_it_is_private(
        self, database_url: str, monkeypatch: pytest.MonkeyPatch, private: bool
    ) -> None:
        newer = [*migrations(), Migration(NEXT, "more", "CREATE TABLE pyheta.more ()")]
        monkeypatch.setattr(module, "migrations", lambda: newer)
        async with AsyncExitStack() as stack:
            opening = stack.enter_async_context(PostgresStore.open(database_url, private=private))
            if private:
                assert (await (await opening).facts()).schema == NEXT
            else:
                with pytest.raises(ConfigError, match="pyheta db upgrade"):
                    await opening

    async def test_refuses_a_database_that_takes_no_writes(self, database_url: str) -> None:
        name = database_url.rpartition("/")[2]
        await tables.execute(
            database_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on"
        )

        async with AsyncExitStack() as stack:
            with pytest.raises(ConfigError, match="read-only"):
                await stack.enter_async_context(PostgresStore.open(database_url))


@pytest.mark.parametrize("stem", STATEMENTS)
async def test_every_statement_fits_the_schema(database_url: str, stem: str) -> None:
    async with session(database_url) as connection, connection.transaction():
        await connection.execute(load("sweeps")["stage"])
        for name, query in load(stem).items():
            if name != "stage":  # several statements: these cannot be prepared
                await connection.prepare(query)
