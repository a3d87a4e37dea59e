"""Connections to one PostgreSQL: sessions, a pool, work that is repeated after network trouble."""

import asyncio
import json
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final, Self, TypeAlias, TypeVar
from urllib.parse import parse_qs, urlsplit

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from pyheta.errors import StoreUnavailable
from pyheta.store.driver_errors import translated

Record = asyncpg.Record
# Quoted: the driver's classes take type parameters only in its stubs.
Connection: TypeAlias = "asyncpg.Connection[Record] | PoolConnectionProxy[Record]"
Pool: TypeAlias = "asyncpg.Pool[Record]"
Heal = Callable[[], Awaitable[None]]
T = TypeVar("T")

CONNECT_SECONDS: Final = 5.0
CLOSE_SECONDS: Final = 2.0
#: For a statement about a whole sweep or a large artifact, or one that waits for such a statement.
LONG_SECONDS: Final = 600.0
#: A process that freezes within a transaction keeps its locks for so long at most.
IDLE_SECONDS: Final = 30.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
_JSON: Final = json.JSONEncoder(allow_nan=False)
_log = logging.getLogger(__name__)


def place(url: str) -> str:
    """`host:port/database` for messages: no user, no password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2] or parse_qs(parts.query).get("host", [""])[0]
    return host + parts.path


@asynccontextmanager
async def session(url: str) -> AsyncIterator[Connection]:
    """One connection outside any pool, closed at the end. Only connecting is translated."""
    with translated(place(url)):
        connection = await asyncpg.connect(**_arguments(url))
        await _teach_json(connection)
    try:
        yield connection
    finally:
        await _close(connection)


class Database:
    """A small pool of connections, which are opened when they are needed."""

    def __init__(self, pool: Pool, url: str, *, heal: Heal | None, time_scale: float) -> None:
        self._pool = pool
        self._heal = heal
        self.url = url
        self.time_scale = time_scale

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, size: int, command_seconds: float, *, heal: Heal | None, time_scale: float
    ) -> AsyncIterator[Self]:
        """Nothing is connected before the first work. `heal` is awaited before work is repeated."""
        with translated(place(url)):
            pool = asyncpg.create_pool(
                **_arguments(url),
                init=_teach_json,
                min_size=0,
                max_size=size,
                command_timeout=command_seconds,
            )
            await pool
        try:
            yield cls(pool, url, heal=heal, time_scale=time_scale)
        finally:
            await _close_pool(pool)

    @property
    def where(self) -> str:
        return place(self.url)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One try of one transaction. Only statements belong inside: see `translated`."""
        with translated(self.where):
            async with (
                self._pool.acquire(timeout=CONNECT_SECONDS) as connection,
                connection.transaction(),
            ):
                yield connection

    async def run(self, work: Callable[[Connection], Awaitable[T]], *, patience: float = 2.0) -> T:
        """Do `work` in a transaction; after passing trouble, again from its beginning.

        `work` must be safe to repeat after a commit whose answer was lost. `patience` is in
        seconds, before the time scale: when it is over, the last StoreUnavailable is raised.
        """
        pauses = _pauses(patience * self.time_scale)
        while True:
            try:
                async with self.transaction() as connection:
                    return await work(connection)
            except StoreUnavailable as error:
                if (pause := next(pauses, None)) is None:
                    raise
                _log.info("trying again in %.2f s: %s", pause, error)
            await asyncio.sleep(pause)
            if self._heal:
                await self._heal()

    async def fetch(self, query: str, *args: object) -> list[Record]:
        """The rows of one reading statement."""
        return await self.run(lambda connection: connection.fetch(query, *args))


def _pauses(seconds: float) -> Iterator[float]:
    """Growing, jittered pauses, until `seconds` have passed."""
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE
    while time.monotonic() + pause < deadline:
        yield pause * random.uniform(0.5, 1.0)  # noqa: S311 -- not all clients at once
        pause = min(2 * pause, LONGEST_PAUSE)


def _arguments(url: str) -> dict[str, Any]:
    settings = {
        "application_name": "pyheta",
        "jit": "off",  # compiling the plan of a short statement takes longer than running it
        "idle_in_transaction_session_timeout": f"{IDLE_SECONDS * 1000:.0f}",
    }
    return {"dsn": url, "timeout": CONNECT_SECONDS, "server_settings": settings}


async def _teach_json(connection: Connection) -> None:
    """Pass Python values as jsonb.

    COPY takes the binary format only: one version byte, then text.
    """
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + _JSON.encode(value).encode(),
        decoder=lambda data: json.loads(data[1:]),
    )


async def _close(connection: Connection) -> None:
    try:
        await connection.close(timeout=CLOSE_SECONDS)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()


async def _close_pool(pool: Pool) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await pool.close()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        pool.terminate()
