"""The embedded default: a private PostgreSQL, shared by all PyHeta processes of one user on one machine.

The first process that needs it starts it, the last one stops it. It listens on a Unix socket in a
folder that only its account may enter, and on no port. Four files in its folder are locked with `flock`, which
the kernel gives back however a process ends, so there are no process ids to go stale:

- `start.lock`: held by whoever starts or stops the server;
- `users.lock`: shared by every attached process; who can lock it alone is the last;
- `life.lock`: inherited by `initdb`, the server and all its children; who can lock it meets none of them.
"""

import asyncio
import contextlib
import hashlib
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import rmtree
from urllib.parse import quote

from pyheta.errors import ConfigError, StoreUnavailable
from pyheta.store.binaries import ELSEWHERE, ENVIRON, Account, Binaries, find_binaries, reachable

USER = "pyheta"
DATABASE = "postgres"
START_SECONDS = 90.0  # recovery after a crash included
STOP_SECONDS = 30.0
POLL_SECONDS = 0.02
SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 103  # bytes; 104 with the closing NUL is macOS' limit, Linux has 108
LOG_LINES = 8
OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "cluster_name": "pyheta",
}
# A start-up message of protocol 3.0, and the goodbye.
_PARAMETERS = f"user\0{USER}\0database\0{DATABASE}\0\0".encode()
HELLO = struct.pack("!II", 8 + len(_PARAMETERS), 3 << 16) + _PARAMETERS
GOODBYE = b"X\0\0\0\4"
NOT_YET = b"C57P03\0"  # SQLSTATE cannot_connect_now: starting, recovering or stopping


@dataclass(frozen=True, slots=True)
class Attached:
    """A server that this process uses. `ensure` starts it again if it has died meanwhile."""

    url: str
    ensure: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Status:
    """The state of an embedded server, for people."""

    running: bool
    kept: bool  # stays when nobody uses it
    major: int | None  # PostgreSQL's major version; None: nothing has been stored yet
    folder: Path


@contextlib.asynccontextmanager
async def embedded_server(
    home: Path, environ: Mapping[str, str] = os.environ
) -> AsyncIterator[Attached]:
    """Attach to the server in `home`, started if need be; let go of it at the end.

    Raises:
        ConfigError: it cannot run here (no programs, rights, another major version, no disk space).
        StoreUnavailable: it has not answered in time.
    """
    server = EmbeddedServer(home, environ)
    # One thread: what was begun before a cancellation ends before the server is let go.
    with ThreadPoolExecutor(1, "embedded-postgres") as thread:
        run = partial(asyncio.get_running_loop().run_in_executor, thread)
        try:
            await run(server.attach)
            yield Attached(server.url, lambda: run(server.ensure))
        finally:
            await run(server.detach)


class EmbeddedServer:
    """The server of one home folder, seen from one process. Its methods block."""

    def __init__(self, home: Path, environ: Mapping[str, str] = os.environ) -> None:
        if sys.platform not in {"linux", "darwin"}:
            raise ConfigError("the embedded server runs on Linux and macOS only", cure=ELSEWHERE)
        self.folder = home.resolve() / "postgres"
        self._environ = environ
        self._account = Account.of_this_process()
        self._data = self.folder / "data"
        self._sockets = _socket_folder(self.folder)
        self._log = self.folder / "log"
        self._keep = self.folder / "keep"
        self._users: int | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@/{DATABASE}?host={quote(str(self._sockets), safe='')}"

    def attach(self) -> None:
        """Use the server: it answers on return, and stays until `detach` or this process' end."""
        with self._alone():
            users = _open(self.folder / "users.lock")
            _lock(users, shared=True)
            self._users = users
            self._bring_up()

    def ensure(self) -> None:
        """Start the server again if it has died."""
        with self._alone():
            self._bring_up()

    def detach(self) -> None:
        """Let go of the server; the last process stops it. Harmless when not attached."""
        if self._users is None:
            return
        with self._alone():
            os.close(self._users)
            self._users = None
            self._stop_if_unused()

    def keep(self) -> None:
        """Start the server and let it run until `stop`, whoever comes and goes."""
        with self._alone():
            self._bring_up()
            self._keep.touch()

    def stop(self) -> bool:
        """Stop the server, or, if processes use it, let the last of them do so. True: stopped."""
        with self._alone():
            self._keep.unlink(missing_ok=True)
            return self._stop_if_unused()

    def status(self) -> Status:
        return Status(self._answers(), self._keep.exists(), self._major(), self.folder)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else starts or stops the server meanwhile."""
        try:
            # PostgreSQL's own account has to get to its folder below this one.
            _make_folders(self.folder, 0o711 if self._account.user else 0o700)
            with _locked(self.folder / "start.lock"):
                yield
        except OSError as error:
            what = f"the embedded server cannot be used: {error.strerror}"
            cure = f"set PYHETA_HOME to a local folder of your own, or {ELSEWHERE}"
            raise ConfigError(what, where=error.filename or str(self.folder), cure=cure) from error

    def _bring_up(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            with _opened(self.folder / "life.lock") as life:
                if _lock(life):
                    self._launch(life)
                    break
            self._wait(deadline)  # it starts, recovers or is just dying
        while not self._answers():
            if self._is_dead():
                raise ConfigError(f"the embedded server did not start: {self._tail()}")
            self._wait(deadline)

    def _wait(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            what = f"the embedded server does not answer: {self._tail()}"
            raise StoreUnavailable(what, where=str(self._log))
        time.sleep(POLL_SECONDS)

    def _launch(self, life: int) -> None:
        """Start the server. `life` is its life lock: no process of an earlier server is alive."""
        self._check_reach()
        binaries = self._binaries()
        if not self._data.exists():
            self._initialise(binaries, life)
        _check_private(self._data, self._account)
        self._make_private(self._sockets)
        # Left by a server that was killed. PostgreSQL would take any process of that id for it.
        for name in (self._data / "postmaster.pid", self._sockets / SOCKET):
            name.unlink(missing_ok=True)
        (self._sockets / f"{SOCKET}.lock").unlink(missing_ok=True)
        options = [f"--{name}={value}" for name, value in OPTIONS.items()]
        self._spawn([binaries.folder / "postgres", "-D", self._data, "-k", self._sockets, *options], life)
