"""What tests read and change in the store's tables behind its seam, on connections of their own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from pyheta.steps import Step, StepId, WorkerId


async def expire(url: str, worker: WorkerId) -> None:
    """Let a worker's lease run out without waiting for it."""
    await execute(
        url,
        "UPDATE pyheta.worker SET lease_until = now() - interval '1 second' WHERE id = $1",
        worker,
    )


async def make_available(url: str) -> None:
    """Let every delay before another attempt pass."""
    await execute(url, "UPDATE pyheta.step SET available_at = now() WHERE state = 'queued'")


async def states(url: str) -> dict[str, str]:
    """State of every step by `op tag`."""
    rows = await fetch(
        url, "SELECT op, params ->> 'tag' AS tag, state FROM pyheta.step ORDER BY id"
    )
    return {f"{row['op']} {row['tag']}": row["state"] for row in rows}


async def step_of(url: str, step: Step) -> asyncpg.Record:
    [row] = await fetch(url, "SELECT * FROM pyheta.step WHERE key = $1", step.key)
    return row


async def id_of(url: str, step: Step) -> StepId:
    return StepId((await step_of(url, step))["id"])


async def fetch(url: str, query: str, *args: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(query, *args)
    finally:
        await connection.close()


async def execute(url: str, query: str, *args: object) -> None:
    await fetch(url, query, *args)


async def run_script(url: str, script: str) -> None:
    """Several statements without parameters."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


async def blocked(url: str, count: int = 1) -> None:
    """Wait until so many statements wait for locks."""
    query = (
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND "
        "wait_event_type = 'Lock'"
    )
    while len(await fetch(url, query)) < count:  # noqa: ASYNC110 -- the server has no event for it
        await asyncio.sleep(0.01)


@asynccontextmanager
async def uncommitted(url: str, query: str, *args: object) -> AsyncIterator[None]:
    """A transaction that has run this statement and commits at the end."""
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.execute(query, *args)
        yield
    await connection.close()
