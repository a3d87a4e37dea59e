"""Removing what no sweep needs. Statements are in `sql/gc.sql`."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from pyheta.store.database import LONG_SECONDS, Connection, Database, Record
from pyheta.store.seam import Removal
from pyheta.store.sql import load

_SQL = load("gc")
# Nobody may submit what is being removed, or remove what is being submitted.
_LOCK = load("sweeps")["lock"]

# In the order that the foreign keys want.
_OF_SWEEPS: Final = ("forget_runs", "forget_sweep_steps", "forget_sweeps")
_OF_STEPS: Final = (
    *("forget_metrics", "forget_products", "forget_attempts"),
    *("forget_needs", "forget_files", "forget_steps"),
)


class PostgresRemovals:
    """See `Removals`."""

    _database: Database

    async def remove_unneeded(self, *, dry_run: bool = False) -> Removal:
        async def work(connection: Connection) -> Removal:
            await connection.execute(_LOCK, timeout=LONG_SECONDS)
            cancelled = await _fetch(connection, "cancelled_sweeps")
            sweeps = [row["id"] for row in cancelled if not row["stopping"]]
            steps = [row["id"] for row in await _fetch(connection, "steps", sweeps)]
            if not dry_run:
                await _forget(connection, _OF_SWEEPS, sweeps)
                await _forget(connection, _OF_STEPS, steps)
            return Removal(sweeps, len(steps), len(cancelled) - len(sweeps))

        return await self._database.run(work)

    async def unneeded_artifacts(
        self, artifacts: Sequence[str], *, without: Sequence[str] = ()
    ) -> Collection[str]:
        rows = await self._database.fetch(_SQL["unneeded_artifacts"], artifacts, without)
        return {row["sha256"] for row in rows}


async def _forget(connection: Connection, queries: Iterable[str], ids: Sequence[object]) -> None:
    for query in queries:
        await connection.execute(_SQL[query], ids, timeout=LONG_SECONDS)


async def _fetch(connection: Connection, query: str, *args: object) -> list[Record]:
    return await connection.fetch(_SQL[query], *args, timeout=LONG_SECONDS)
