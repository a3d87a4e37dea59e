"""The network to PostgreSQL breaks at the worst moments; nothing is lost or done twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from urllib.parse import urlsplit

import builders
import pytest
import tables
from builders import BOTH, DONE, ERROR

from pyheta.errors import ConfigError, StoreUnavailable
from pyheta.steps import Kind, State, WorkerId
from pyheta.store import database, postgres
from pyheta.store.postgres import PostgresStore

# In a hurry: leases of a second or two, which another such test beside it may cost.
pytestmark = pytest.mark.xdist_group("hurried")


class Wire:
    """A TCP proxy in front of PostgreSQL that loses what it is told to lose."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.lose_next_commit = False  # it happens, but its answer is lost with the connection
        self.silent = False  # nothing arrives any more, in either direction
        self.lost = 0

    async def start(self, port: int = 0) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        port = self._server.sockets[0].getsockname()[1]
        user = self._target.netloc.rpartition("@")[0]
        return self._target._replace(
            netloc=f"{user}@127.0.0.1:{port}", query="sslmode=disable"
        ).geturl()

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        for writer in self._open:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(self._target.hostname, self._target.port)
        self._open |= {writer, there[1]}
        with suppress(ConnectionError):
            await asyncio.gather(
                self._forward(reader, there[1], writer), self._forward(there[0], writer)
            )
        for end in (writer, there[1]):
            end.close()

    async def _forward(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        back: asyncio.StreamWriter | None = None,
    ) -> None:
        while data := await source.read(65536):
            if self.silent:
                continue
            if back and self.lose_next_commit and b"COMMIT" in data:
                self.lose_next_commit = False
                self.lost += 1
                back.close()  # before the commit is sent, so that no answer can slip through
            sink.write(data)
            await sink.drain()
        sink.close()


@pytest.fixture
async def wire(database_url: str) -> AsyncIterator[Wire]:
    wire = Wire(database_url)
    yield wire
    await wire.stop()


@pytest.fixture
async def store(wire: Wire) -> AsyncIterator[PostgresStore]:
    async with PostgresStore.open(await wire.start(), time_scale=0.2) as store:
        yield store


class TestALostAnswerToACommit:
    async def test_of_a_success_is_told_from_a_lost_lease(
        self, store: PostgresStore, wire: Wire
    ) -> None:
        await store.submit(builders.submission(*builders.chain()))
        claim = await builders.claim_one(store, await builders.new_worker(store))
        wire.lose_next_commit = True

        assert await store.succeed(claim.step, claim.fence, builders.a_success())

        assert wire.lost == 1
        [attempt] = await store.attempts([claim.step])
        assert attempt.outcome == "ok"

    async def test_of_a_failure_costs_one_try(
        self, store: PostgresStore, wire: Wire, database_url: str
    ) -> None:
        await store.submit(builders.submission(builders.load()))
        claim = await builders.claim_one(store, await builders.new_worker(store))
        wire.lose_next_commit = True

        assert await store.fail(claim.step, claim.fence, ERROR) is State.QUEUED

        assert wire.lost == 1
        assert (await tables.step_of(database_url, builders.load()))["tries"] == 1

    async def test_of_a_claim_shows_at_the_next_heartbeat(
        self, store: PostgresStore, wire: Wire, database_url: str
    ) -> None:
        await store.submit(builders.submission(builders.load()))
        worker = await builders.new_worker(store)
        wire.lose_next_commit = True

        assert await store.claim_next(worker, BOTH, 1) == []

        assert wire.lost == 1
        [holding] = await store.heartbeat(worker, lease_seconds=600, progress={})
        assert holding.step == await tables.id_of(database_url, builders.load())

    async def test_of_a_submission_leaves_one_sweep(
        self, store: PostgresStore, wire: Wire, database_url: str
    ) -> None:
        wire.lose_next_commit = True

        await store.submit(builders.submission(*builders.chain()))

        assert wire.lost == 1
        assert len(await store.sweeps()) == 1
        assert len(await tables.states(database_url)) == 3


async def test_a_storm_of_broken_connections_loses_nothing(
    store: PostgresStore, database_url: str
) -> None:
    # Given 4 workers that claim and finish 40 steps
    await store.submit(builders.submission(*(builders.load(str(n)) for n in range(40))))

    async def work() -> int:
        worker, done = await builders.new_worker(store), 0
        while await store.open_steps(BOTH):
            # The answer to a claim may have been lost: what is held decides, as in a real worker.
            await store.claim_next(worker, BOTH, 2)
            for held in await store.heartbeat(worker, lease_seconds=600, progress={}):
                done += await store.succeed(held.step, held.fence, DONE)
        return done

    # When every connection is broken again and again
    async with breaking_connections(database_url):
        done = await asyncio.gather(*(work() for _ in range(4)))
    # Then each step has succeeded once
    assert sum(done) == 40
    assert set((await tables.states(database_url)).values()) == {"succeeded"}


@asynccontextmanager
async def breaking_connections(url: str) -> AsyncIterator[None]:
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'pyheta'"
    )

    async def storm() -> None:
        while True:
            await tables.execute(url, kill)
            await asyncio.sleep(0.1)

    storming = asyncio.create_task(storm())
    yield
    storming.cancel()
    await asyncio.wait([storming])


async def test_a_silent_network_is_noticed_and_survived(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "HEARTBEAT_SECONDS", 0.2)
    async with PostgresStore.open(await wire.start(), time_scale=0.1) as store:
        worker = await builders.new_worker(store)
        await store.heartbeat(worker, lease_seconds=600, progress={})

        wire.silent = True
        with pytest.raises(StoreUnavailable, match="no answer in time"):
            await store.heartbeat(worker, lease_seconds=600, progress={})

        wire.silent = False
        await wire_works_again(store, worker)


async def test_a_process_that_freezes_in_a_transaction_does_not_hold_its_locks_for_ever(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "IDLE_SECONDS", 0.2)
    async with (
        PostgresStore.open(database_url) as frozen,
        PostgresStore.open(database_url) as other,
    ):
        await other.submit(builders.submission(builders.load()))

        # Given a process that has locked the announcements, and does nothing any more
        with pytest.raises(StoreUnavailable):  # noqa: PT012 -- as the transaction ends
            async with frozen.unrung(Kind.DATA, limit=1, stale_after=3600) as bells:
                assert len(bells) == 1

                # Then another gets its turn
                while not await announce(other):  # noqa: ASYNC110 -- the server has no event for it
                    await asyncio.sleep(0.05)

        # And the first one goes on when it is awake again
        assert await frozen.open_steps(BOTH) == 1


async def announce(store: PostgresStore) -> int:
    async with store.unrung(Kind.DATA, limit=1, stale_after=3600) as bells:
        return len(bells)


async def wire_works_again(store: PostgresStore, worker: WorkerId) -> None:
    while True:
        with suppress(StoreUnavailable):
            await store.heartbeat(worker, lease_seconds=600, progress={})
            return


async def test_a_refused_connection_is_healed_before_it_is_tried_again(wire: Wire) -> None:
    # Given a server that does not run yet
    url = await wire.start()
    await wire.stop()
    port = urlsplit(url).port or 0
    healed = []

    async def heal() -> None:
        healed.append(await wire.start(port))

    # When the store is opened with a way to start it
    async with PostgresStore.open(url, heal=heal) as store:
        assert await store.sweeps() == []
    # Then that was used
    assert healed == [url]


class TestMessages:
    async def refusal(self, url: str) -> str:
        async with AsyncExitStack() as stack:
            with pytest.raises((ConfigError, StoreUnavailable)) as caught:
                await stack.enter_async_context(PostgresStore.open(url, time_scale=0.01))
        return str(caught.value)

    async def test_name_the_server_that_refuses_and_no_password(self, wire: Wire) -> None:
        url = await wire.start()
        await wire.stop()
        secret = urlsplit(url)._replace(netloc=f"me:hush@127.0.0.1:{urlsplit(url).port}").geturl()

        message = await self.refusal(secret)

        assert f"127.0.0.1:{urlsplit(url).port}" in message
        assert "connection refused" in message
        assert "hush" not in message

    async def test_name_the_missing_database(self, database_url: str) -> None:
        message = await self.refusal(urlsplit(database_url)._replace(path="/missing").geturl())

        assert "no such database" in message

    async def test_name_the_unknown_user(self, database_url: str) -> None:
        parts = urlsplit(database_url)
        host = parts.netloc.rpartition("@")[2]

        message = await self.refusal(parts._replace(netloc=f"nobody-at-all:hush@{host}").geturl())

        assert "nobody-at-all" in message
        assert "hush" not in message

    async def test_name_missing_rights(self, database_url: str) -> None:
        parts = urlsplit(database_url)
        host = parts.netloc.rpartition("@")[2]
        user = "reader_of" + parts.path.removeprefix("/")
        await tables.execute(database_url, f"CREATE ROLE {user} LOGIN PASSWORD 'hush'")
        try:
            message = await self.refusal(parts._replace(netloc=f"{user}:hush@{host}").geturl())
        finally:
            await tables.execute(database_url, f"DROP ROLE {user}")

        assert "lacks a right: permission denied" in message

    async def test_name_tls_that_the_server_does_not_speak(self) -> None:
        async def refuse_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(8)
            writer.write(b"N")
            await reader.read()
            writer.close()

        async with await asyncio.start_server(refuse_tls, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            message = await self.refusal(f"postgresql://me@127.0.0.1:{port}/db?sslmode=require")

        assert "SSL" in message
        assert "sslmode" in message
