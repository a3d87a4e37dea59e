"""Servers, fresh databases and a clean environment for every test."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import etth1 as etth1_data
import hypothesis
import pytest
import servers
import web as webserver

from pyheta.pipeline.arrays import Floats
from pyheta.steps import Kind
from pyheta.store.postgres import PostgresStore

# Results must not depend on the number of threads: a machine with one core has to try two as well.
os.environ["NUMBA_NUM_THREADS"] = str(max(2, os.cpu_count() or 1))

# Tests train small nets: torch's threads would wait for each other longer than they compute.
os.environ["OMP_NUM_THREADS"] = "1"
# Threads that wait must not spin: the other test process needs the core.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("pyheta", deadline=None)
hypothesis.settings.load_profile("pyheta")

#: Marks by the fixtures for which a test asks, however indirectly.
MARKS = {"postgres_url": "servers", "broker_url": "servers", "etth1_path": "data"}

#: Folders of tests that start `pyheta` as a process, or wait for what is broken to be noticed.
SLOW = {"acceptance", "faults"}

KEPT = ("PYHETA_DATA", "PYHETA_TEST_")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for fixture in MARKS.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(MARKS[fixture])
        if SLOW.intersection(item.path.parts):
            item.add_marker("slow")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests reaches them."""
    for name in tuple(os.environ):
        if name.startswith("PYHETA_") and not name.startswith(KEPT):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server: the URL of a superuser's database."""
    yield from _serve(servers.POSTGRES.serve())


@pytest.fixture(scope="session")
def broker_url() -> Iterator[str]:
    """A RabbitMQ virtual host that all tests share; queues carry their store's id."""
    yield from _serve(servers.RABBITMQ.serve())


@pytest.fixture(scope="session")
def template_database(postgres_url: str) -> Iterator[str]:
    """The name of a database with PyHeta's schema, to be copied."""
    from pyheta.store.migrate import migrate

    with servers.database(postgres_url) as url:
        asyncio.run(migrate(url))
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def database_url(postgres_url: str, template_database: str) -> Iterator[str]:
    """A fresh database with PyHeta's schema."""
    with servers.database(postgres_url, template_database) as url:
        # A copy has its template's identity, and the names of queues come from that.
        asyncio.run(servers.fetch(url, "UPDATE pyheta.identity SET id = gen_random_uuid()"))
        yield url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresStore]:
    """A fresh store, open."""
    async with PostgresStore.open(database_url) as store:
        yield store


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A fresh database without any table."""
    with servers.database(postgres_url) as url:
        yield url


@pytest.fixture
def store_broker_url(broker_url: str, database_url: str) -> Iterator[str]:
    """The broker for the store in `database_url`, whose queues are deleted afterwards."""
    from pyheta.broker.topology import Topology

    yield broker_url
    identity = asyncio.run(servers.fetch(database_url, "SELECT id FROM pyheta.identity"))
    topology = Topology(identity)
    names = [topology.dead, *map(topology.queue, Kind)]
    asyncio.run(servers.delete_queues(broker_url, names))


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[webserver.Web]:
    """A web server on this machine, whose answers the test writes down."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with webserver.serve() as web:
        yield web


@pytest.fixture(scope="session")
def etth1_path() -> Path:
    """ETTh1.csv. Whoever asks for it is a test of the mark `data`."""
    return etth1_data.path()


@pytest.fixture(scope="session")
def etth1(etth1_path: Path) -> dict[str, Floats]:
    """Every column of ETTh1 but the time, each (17420,)."""
    return etth1_data.columns(etth1_path)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for `PYHETA_HOME`. PostgreSQL's own account may enter it, unlike `tmp_path`."""
    with servers.embedded_home() as folder:
        yield folder


def _serve(server: AbstractContextManager[str]) -> Iterator[str]:
    """Without a server tests are skipped on a laptop and fail in CI."""
    with contextlib.ExitStack() as stack:
        try:
            url = stack.enter_context(server)
        except servers.ServerMissing as error:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(str(error))
        yield url
