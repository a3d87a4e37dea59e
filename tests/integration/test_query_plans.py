"""The statements that run all the time read a few rows, however long the queue is."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
import servers
import tables

from pyheta.store.sql import load

WORKER = f"'{'0' * 32}'"
SWEEP = f"'{'b' * 64}'"
BUNDLE = "'3'"
# 20,000 steps that are ready, in ten bundles, and as many that have succeeded; half of them are
# sweep b's. Each course has eight of them. Then 20,000 decompositions, twenty of a course.
FILL = """
    INSERT INTO pyheta.worker (id, host, pid, version, kinds, procs, lease_until)
    VALUES (repeat('0', 32)::uuid, 'here', 1, '0', '{data,train}', 1, now() + interval '1 hour');
    INSERT INTO pyheta.step (key, op, version, kind, params, state, priority, bundle, course)
    SELECT md5(n::text) || md5(n::text), 'fit', 1, 'train', '{"train": {"epochs": 9}}', 'queued',
        n % 3, n % 10, n % 5000
    FROM generate_series(1, 20000) AS n;
    INSERT INTO pyheta.step
        (key, op, version, kind, params, bundle, course, state, summary, finished_at)
    SELECT md5('d' || n) || md5('d' || n), 'fit', 1, 'train', '{}', n % 10, n % 5000,
        'succeeded', '{"epochs": 5, "stopped": "patience"}', now() - interval '1 hour'
    FROM generate_series(1, 20000) AS n;
    INSERT INTO pyheta.need SELECT id, 'load', id - 20000 FROM pyheta.step WHERE id > 20000;
    INSERT INTO pyheta.step
        (key, op, version, kind, params, course, state, summary, finished_at)
    SELECT md5('c' || n) || md5('c' || n), 'decompose', 1, 'data', '{}', 'c' || n % 1000,
        'succeeded', '{"rows": 500}', now() - interval '1 hour'
    FROM generate_series(1, 20000) AS n;
    INSERT INTO pyheta.sweep_step SELECT repeat(chr(97 + id::int % 2), 64), id FROM pyheta.step;
    ANALYZE;
"""


@pytest.fixture(scope="module")
def filled_database_url(postgres_url: str, template_database: str) -> Iterator[str]:
    with servers.database(postgres_url, template_database) as url:
        asyncio.run(tables.run_script(url, FILL))
        yield url


@pytest.fixture
async def connection(filled_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(filled_database_url)
    yield connection
    await connection.close()


async def plan_of(
    connection: asyncpg.Connection, query: str, *arguments: str
) -> list[dict[str, Any]]:
    """The nodes of the plan with which the statement really ran, its effects undone."""
    await connection.execute(f"PREPARE asked AS {query}")
    transaction = connection.transaction()
    await transaction.start()
    values = f"({', '.join(arguments)})" if arguments else ""
    explain = f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked {values}"
    [plan] = json.loads(await connection.fetchval(explain))
    await transaction.rollback()
    return list(nodes(plan["Plan"]))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def rows_read(plan: list[dict[str, Any]], table: str) -> int:
    """Rows that the scans of a table looked at, in all their loops."""
    scans = [
        node for node in plan if node.get("Relation Name") == table and "Scan" in node["Node Type"]
    ]
    return sum(
        (scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)) * scan["Actual Loops"]
        for scan in scans
    )


def scans_all(plan: list[dict[str, Any]], *tables: str) -> bool:
    return any(
        node["Node Type"] == "Seq Scan" and node.get("Relation Name") in tables for node in plan
    )


@pytest.mark.parametrize(
    ("file", "name", "arguments"),
    [
        ("steps", "claim_next", (WORKER, "'{data,train}'", "5", "NULL")),
        ("steps", "claim_next", (WORKER, "'{train}'", "5", SWEEP)),
        ("steps", "claim", (WORKER, "100")),
        ("steps", "claim_siblings", (WORKER, BUNDLE, "'train'", "5", "NULL")),
        ("steps", "claim_siblings", (WORKER, BUNDLE, "'train'", "5", SWEEP)),
        ("steps", "inputs", ("'{100,200}'", "'{epochs,patience}'")),
        ("steps", "inputs", ("'{40100}'", "'{epochs,patience}'")),
        ("steps", "orphans", ()),
        ("steps", "wake", ("100",)),
        ("outbox", "unrung", ("'train'", "5", "'30 s'")),
        ("outbox", "mark", ("'{1,2,3}'",)),
    ],
)
async def test_a_workers_statement_reads_a_few_rows_even_by_its_generic_plan(
    connection: asyncpg.Connection, file: str, name: str, arguments: tuple[str, ...]
) -> None:
    await connection.execute("SET plan_cache_mode = force_generic_plan")

    plan = await plan_of(connection, load(file)[name], *arguments)

    assert not scans_all(plan, "step", "sweep_step", "need")
    assert rows_read(plan, "step") <= 50
    assert not any(node["Node Type"] == "Sort" and node["Actual Rows"] > 50 for node in plan)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("running", (SWEEP, "50")),
        ("finished_since", (SWEEP, "'60 s'")),
        ("locate_run", ("'abcd'", "'abcdg'")),
    ],
)
async def test_a_frequent_look_reads_a_few_rows(
    connection: asyncpg.Connection, name: str, arguments: tuple[str, ...]
) -> None:
    plan = await plan_of(connection, load("reads")[name], *arguments)

    assert not scans_all(plan, "step", "sweep_step", "need")
    assert rows_read(plan, "step") <= 50


async def test_the_queue_is_read_in_its_own_order(connection: asyncpg.Connection) -> None:
    plan = await plan_of(
        connection, load("steps")["claim_next"], WORKER, "'{data,train}'", "5", "NULL"
    )

    assert any(node.get("Index Name") == "step_ready" for node in plan)


async def test_siblings_are_read_in_the_order_of_the_queue(connection: asyncpg.Connection) -> None:
    arguments = (WORKER, BUNDLE, "'train'", "5", "NULL")

    plan = await plan_of(connection, load("steps")["claim_siblings"], *arguments)

    assert any(node.get("Index Name") == "step_sibling" for node in plan)


async def test_open_steps_are_counted_without_reading_those_that_are_done(
    connection: asyncpg.Connection,
) -> None:
    await connection.execute(
        "UPDATE pyheta.step SET state = 'cancelled', finished_at = now() WHERE state = "
        "'queued' AND id > 200"
    )
    await connection.execute("VACUUM ANALYZE pyheta.step")

    plan = await plan_of(connection, load("steps")["open_steps"], "'{data,train}'", "NULL")

    assert not scans_all(plan, "step")
