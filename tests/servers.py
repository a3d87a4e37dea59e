"""PostgreSQL and RabbitMQ for tests and benchmarks: those that run already, else private ones.

A private server lives in a folder of its own, listens on a spare loopback port and ends with the
context that started it.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

START_SECONDS = 60
STOP_SECONDS = 30


class ServerMissing(Exception):
    """No such server runs here, and none can be started."""


@dataclass(frozen=True)
class Server:
    """A kind of server: the one that runs already, else a private one."""

    package: str  # Debian's
    variable: str  # names a running server
    usual_url: str
    answers: Callable[[str], Awaitable[None]]  # raises if it does not
    programs: Callable[[], Path]  # raises ServerMissing
    private: Callable[[], AbstractContextManager[str]]

    def running(self) -> str | None:
        usual = self.usual_url if _answers(self.usual_url, self.answers) else None
        return os.environ.get(self.variable) or usual

    @contextlib.contextmanager
    def serve(self) -> Iterator[str]:
        """The URL of a server on which databases and queues may come and go."""
        if url := self.running():
            yield url
        else:
            with self.private() as url:
                yield url

    def is_missing(self) -> bool:
        try:
            return not (self.running() or self.programs())
        except ServerMissing:
            return True


@contextlib.contextmanager
def database(server: str, template: str = "template0") -> Iterator[str]:
    """A new database, a copy of `template`, dropped afterwards with whoever is still connected."""
    name = f"pyheta_test_{secrets.token_hex(6)}"
    asyncio.run(fetch(server, f"CREATE DATABASE {name} TEMPLATE {template}"))
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        asyncio.run(fetch(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def fetch(url: str, statement: str) -> Any:
    """The first value that a statement gives, on a connection of its own."""
    import asyncpg

    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def delete_queues(url: str, names: Sequence[str]) -> None:
    """Delete queues and exchanges of these names, as far as they exist."""
    import aio_pika

    async with await aio_pika.connect(url, timeout=10) as connection:
        channel = await connection.channel()
        for name in names:
            await channel.queue_delete(name)
            await channel.exchange_delete(name)


async def postgres_answers(url: str) -> None:
    await fetch(url, "SELECT 1")


async def rabbitmq_answers(url: str) -> None:
    import aio_pika

    async with await aio_pika.connect(url, timeout=10):
        pass


def _answers(url: str, probe: Callable[..., Any]) -> bool:
    """Whether a server listens at `url` and lets this user in."""
    address = urlsplit(url)
    if not _accepts(address.hostname, address.port):
        return False
    with contextlib.suppress(Exception):  # whatever is wrong with it, a private server will do
        asyncio.run(probe(url))
        return True
    return False


def _accepts(host: str | None, port: int | None) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host or "", port or 0), timeout=1):
        return True
    return False


@contextlib.contextmanager
def temporary_home() -> Iterator[Path]:
    """A fresh folder with a short path that a server's own account may enter, and then removed."""
    folder = Path(tempfile.mkdtemp(prefix="pyheta-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def embedded_home() -> Iterator[Path]:
    """A fresh folder for `PYHETA_HOME`; its embedded server, if there is one, ends with it."""
    from pyheta.store.embedded import EmbeddedServer

    with temporary_home() as home:
        try:
            yield home
        finally:
            EmbeddedServer(home).stop()


def _postgres_programs() -> Path:
    from pyheta.errors import ConfigError
    from pyheta.store.binaries import find_binaries

    try:
        return find_binaries(os.environ).folder
    except ConfigError as error:
        raise ServerMissing(str(error)) from error


@contextlib.contextmanager
def private_postgres() -> Iterator[str]:
    """A PostgreSQL of our own on a spare port, quick rather than durable."""
    from pyheta.store.binaries import Account, find_binaries, reachable

    _postgres_programs()
    account = Account.of_this_process()
    with temporary_home() as home:
        programs = reachable(find_binaries(os.environ), account, home / "programs").folder
        data = home / "data"
        data.mkdir(mode=0o700)
        os.chown(data, account.uid, -1)
        account.run(
            [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        )
        (port,) = _spare_ports(1)
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        server = [programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", ""]
        options = ["-c", "max_connections=200", "-c", "fsync=off"]
        log = home / "log"
        # SIGINT, a fast shutdown: on SIGTERM it would wait for its clients.
        command = [*map(str, server), *options]
        with _process(command, log, {"TZ": "UTC"}, signal.SIGINT, user=account.user) as process:
            _wait_until_it_answers(process, url, postgres_answers, log)
            yield url


@contextlib.contextmanager
def private_rabbitmq() -> Iterator[str]:
    """A RabbitMQ of our own, with an epmd of our own, so that it meets no other Erlang node."""
    programs = _rabbitmq_programs()
    amqp, distribution, names = _spare_ports(3)
    url = f"amqp://guest:guest@127.0.0.1:{amqp}/"
    with temporary_home() as home, contextlib.ExitStack() as processes:
        environ = _rabbitmq_environ(home, amqp, distribution, names)
        epmd = ["epmd", "-address", "127.0.0.1", "-port", str(names)]
        processes.enter_context(_process(epmd, home / "epmd.log", environ))
        server = processes.enter_context(
            _process([programs / "rabbitmq-server"], home / "log", environ)
        )
        _wait_until_it_answers(server, url, rabbitmq_answers, home / "log")
        yield url


def _rabbitmq_programs() -> Path:
    # Not /usr/sbin/rabbitmq-server: that wrapper changes to another user.
    found = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin"))
    if not found:
        raise ServerMissing("no RabbitMQ: start one, or install the package rabbitmq-server")
    return found[-1]


def _rabbitmq_environ(home: Path, amqp: int, distribution: int, names: int) -> dict[str, str]:
    cookie = home / ".erlang.cookie"
    cookie.write_text(secrets.token_hex(16))
    cookie.chmod(0o400)
    (home / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = 127.0.0.1:{amqp}\nlog.file = false\nlog.console = true\n"
    )
    (home / "enabled_plugins").write_text("[].")
    (home / "env.conf").touch()  # keeps /etc/rabbitmq/rabbitmq-env.conf out
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(names),
        "RABBITMQ_CONF_ENV_FILE": str(home / "env.conf"),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_LOG_BASE": str(home),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_NODENAME": f"pyheta{amqp}@localhost",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }


@contextlib.contextmanager
def _process(
    arguments: Sequence[Any],
    log: Path,
    environ: dict[str, str],
    ending: signal.Signals = signal.SIGTERM,
    **options: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own (Ctrl-C is not for it), ended with its children."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environ,
            start_new_session=True,
            **options,
        )
    try:
        yield process
    finally:
        _end(process, ending)


def _end(process: subprocess.Popen[bytes], ending: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, ending)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _spare_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [server.getsockname()[1] for server in taken]


def _wait_until_it_answers(
    process: subprocess.Popen[bytes], url: str, probe: Callable[..., Any], log: Path
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(url, probe):
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-1000:]
            raise ServerMissing(f"a server did not start: {tail}")
        time.sleep(0.05)


POSTGRES = Server(
    package="postgresql",
    variable="PYHETA_TEST_DATABASE_URL",
    usual_url="postgresql://postgres@127.0.0.1:5432/postgres",
    answers=postgres_answers,
    programs=_postgres_programs,
    private=private_postgres,
)
RABBITMQ = Server(
    package="rabbitmq-server",
    variable="PYHETA_TEST_BROKER_URL",
    usual_url="amqp://guest:guest@127.0.0.1:5672/",
    answers=rabbitmq_answers,
    programs=_rabbitmq_programs,
    private=private_rabbitmq,
)

if __name__ == "__main__":  # the packages to install before the tests
    print(*(server.package for server in (POSTGRES, RABBITMQ) if server.is_missing()))  # noqa: T201
