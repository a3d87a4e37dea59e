"""The store on PostgreSQL: `PostgresStore.open(url)` gives all of `store/seam.py`."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

from pyheta.errors import ConfigError
from pyheta.store.artifacts import PostgresArtifacts
from pyheta.store.database import Connection, Database, Heal, Record
from pyheta.store.datasets import PostgresDatasets
from pyheta.store.migrate import check_schema, schema_version, upgrade
from pyheta.store.outbox import PostgresOutbox
from pyheta.store.reads import PostgresReads
from pyheta.store.removals import PostgresRemovals
from pyheta.store.sql import load
from pyheta.store.step_store import PostgresSteps
from pyheta.store.sweep_store import PostgresSweeps

OLDEST_SERVER: Final = 13
CONNECTIONS: Final = 4
COMMAND_SECONDS: Final = 60.0
HEARTBEAT_SECONDS: Final = 5.0
DURABILITY: Final = ("fsync", "full_page_writes", "synchronous_commit")
_SQL = load("server")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """Which server this is. `risks`: settings that are off, so a crash loses confirmed work."""

    where: str
    version: str
    schema: int
    risks: tuple[str, ...]


class PostgresStore(
    PostgresSweeps,
    PostgresDatasets,
    PostgresRemovals,
    PostgresSteps,
    PostgresOutbox,
    PostgresReads,
):
    """All seams over one pool, and one connection for heartbeats. `id` tells stores apart."""

    def __init__(
        self,
        database: Database,
        pulse: Database,
        identity: UUID,
        limits: Callable[[], Sequence[str]],
    ) -> None:
        self._database = database
        self._pulse = pulse
        self._limits = limits
        self.id = identity
        self.artifacts = PostgresArtifacts(database)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        *,
        time_scale: float = 1.0,
        heal: Heal | None = None,
        private: bool = False,
        limits: Callable[[], Sequence[str]] = tuple,
    ) -> AsyncIterator[Self]:
        """The store at a postgresql:// URL; where there is no schema yet, it is made.

        `private`: nobody else uses this database (the embedded server), so an older schema is
        upgraded as well. `heal` is awaited before work is repeated that was cut off: it may start
        the server again. `time_scale` multiplies every waiting time. `limits` names the options
        that limit how far a fit goes; without them no claim finds an earlier fit to resume.

        Raises:
            ConfigError: access, the server's version, or the schema does not fit.
            StoreUnavailable: the server is out of reach.
        """

        async def prepare(connection: Connection) -> UUID:
            await _suitable_server(connection)
            if private or await schema_version(connection) == 0:
                await upgrade(connection)
            await check_schema(connection)
            return UUID(str(await connection.fetchval(_SQL["identity"])))

        main = Database.open(url, CONNECTIONS, COMMAND_SECONDS, heal=heal, time_scale=time_scale)
        beats = Database.open(url, 1, HEARTBEAT_SECONDS, heal=heal, time_scale=time_scale)
        async with main as database, beats as pulse:
            yield cls(database, pulse, await database.run(prepare), limits)

    async def facts(self) -> ServerFacts:
        """What `pyheta doctor` wants to know. The schema has been checked."""

        async def look(connection: Connection) -> ServerFacts:
            server = await _suitable_server(connection)
            risks = tuple(name for name in DURABILITY if not server[name])
            schema = await check_schema(connection)
            return ServerFacts(self._database.where, server["version"], schema, risks)

        return await self._database.run(look)


async def _suitable_server(connection: Connection) -> Record:
    [facts] = await connection.fetch(_SQL["facts"])
    if facts["major"] < OLDEST_SERVER:
        what = f"PostgreSQL {facts['version']} is too old, {OLDEST_SERVER} or newer is needed"
        raise ConfigError(what, cure="upgrade it, or use another server")
    if facts["read_only"]:
        raise ConfigError(
            "the database is read-only", cure="use the primary server, with write access"
        )
    return facts
