"""The step table as the outbox: what nobody has announced yet."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from pyheta.steps import Bell, Kind, StepId
from pyheta.store.database import Connection, Database
from pyheta.store.sql import load

_SQL = load("outbox")


class PostgresOutbox:
    """See `Outbox`."""

    _database: Database

    @asynccontextmanager
    async def unrung(
        self, kind: Kind, *, limit: int, stale_after: float
    ) -> AsyncIterator[Sequence[Bell]]:
        async with self._database.transaction() as connection:
            steps = await _ready(connection, kind, limit, stale_after)
            yield [Bell(step, kind) for step in steps]
            await connection.execute(_SQL["mark"], steps)


async def _ready(
    connection: Connection, kind: Kind, limit: int, stale_after: float
) -> Sequence[StepId]:
    if not await connection.fetchval(_SQL["try_lock"], kind):
        return []
    stale = timedelta(seconds=stale_after)
    rows = await connection.fetch(_SQL["unrung"], kind, limit, stale)
    return [StepId(row["id"]) for row in rows]
