"""The embedded default: a private PostgreSQL shared by all PyHeta processes of a user on a machine.

The first process that needs it starts it, the last one stops it. Three files are locked with
`flock`, which the kernel gives back however a process ends, so no process id can go stale:

- `start.lock`: held by the process that starts or stops the server just now;
- `users.lock`: shared by every attached process; one that can hold it alone is the last;
- `life.lock`: held by `initdb`, the server and all its children, who inherit it open; one that can
  take it knows that all of them are gone.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pyheta.errors import ConfigError, StoreUnavailable
from pyheta.store.binaries import ELSEWHERE
from pyheta.store.postmaster import Postmaster

START_SECONDS = 90.0  # recovery after a crash included
STOP_SECONDS = 30.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.01, 0.5  # seconds between two looks
LAUNCHES = 2  # the first may fail while a predecessor that was killed still holds memory


@dataclass(frozen=True, slots=True)
class Attached:
    """A server in use. `ensure` starts it again if it has died meanwhile."""

    url: str
    ensure: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Status:
    """The state of an embedded server, for people."""

    running: bool
    kept: bool  # runs on when nobody uses it
    major: int | None  # PostgreSQL's major version; None: nothing was ever stored
    folder: Path


@contextlib.asynccontextmanager
async def embedded_server(
    home: Path, environ: Mapping[str, str] = os.environ
) -> AsyncIterator[Attached]:
    """Attach to the server in `home`, starting it if necessary; detach at the end.

    Raises:
        ConfigError: it cannot run here (programs, rights, another major version, disk space).
        StoreUnavailable: it did not answer in time.
    """
    server = EmbeddedServer(home, environ)
    # One thread: a call whose task is cancelled still ends before `detach`.
    with ThreadPoolExecutor(1, "embedded-postgres") as thread:
        run = partial(asyncio.get_running_loop().run_in_executor, thread)
        try:
            await run(server.attach)
            yield Attached(server.url, lambda: run(server.ensure))
        finally:
            await run(server.detach)


class EmbeddedServer:
    """The server of one home folder as one process uses it. Methods block."""

    def __init__(self, home: Path, environ: Mapping[str, str] = os.environ) -> None:
        if sys.platform not in {"linux", "darwin"}:
            raise ConfigError("the embedded server needs Linux or macOS", cure=ELSEWHERE)
        self._folder = home.resolve() / "postgres"
        self._postmaster = Postmaster(self._folder, environ)
        self._keep = self._folder / "keep"
        self._users: int | None = None

    @property
    def url(self) -> str:
        return self._postmaster.url

    def attach(self) -> None:
        """Use the server: it runs from now until `detach` or the end of this process."""
        with self._alone():
            if self._users is None:
                self._users = _open(self._folder / "users.lock")
                _share(self._users)
            self._bring_up()

    def ensure(self) -> None:
        """Start the server again if it has died."""
        with self._alone():
            self._bring_up()

    def detach(self) -> None:
        """Use the server no longer. The last process that does so stops it."""
        if self._users is None:
            return
        os.close(self._users)
        self._users = None
        with self._alone():
            self._stop_if_unused()

    def keep(self) -> None:
        """Start the server; it runs until `stop`, whether anybody uses it or not."""
        with self._alone():
            self._bring_up()
            self._keep.touch()

    def stop(self) -> bool:
        """Stop the server, or have its last user stop it. True: it is stopped."""
        with self._alone():
            self._keep.unlink(missing_ok=True)
            return self._stop_if_unused()

    def status(self) -> Status:
        server = self._postmaster
        with self._explained():
            return Status(server.answers(), self._keep.exists(), server.major(), self._folder)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else starts or stops the server meanwhile."""
        with self._explained():
            # Root's server runs under another account, which must be able to reach its data.
            _make_folders(self._folder, 0o711 if os.geteuid() == 0 else 0o700)
            with _opened(self._folder / "start.lock") as start:
                if not _wait_until(lambda: _take(start), START_SECONDS):
                    raise StoreUnavailable("another process is starting or stopping the server")
                yield

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Translate the operating system's errors."""
        try:
            yield
        except OSError as error:
            what = f"the embedded server cannot be used: {error.strerror or error}"
            cure = f"set PYHETA_HOME to a local folder of your own, or {ELSEWHERE}"
            where = str(error.filename or self._folder)
            raise ConfigError(what, where=where, cure=cure) from error

    def _bring_up(self) -> None:
        for _ in range(LAUNCHES):
            if self._come_up():
                return
        what = f"the embedded server did not start: {self._postmaster.tail()}"
        cure = f"mend that, or {ELSEWHERE}"
        raise ConfigError(what, where=str(self._postmaster.log), cure=cure)

    def _come_up(self) -> bool:
        """Launch the server if it is dead and wait for it. False: it has died at once."""
        server = self._postmaster
        launched = _wait_until(lambda: server.answers() or self._launch_if_dead(), START_SECONDS)
        if launched and _wait_until(lambda: server.answers() or self._is_dead(), START_SECONDS):
            return server.answers()
        what = f"the embedded server does not answer: {server.tail()}"
        raise StoreUnavailable(what, where=str(server.log))

    def _launch_if_dead(self) -> bool:
        with _opened(self._folder / "life.lock") as life:
            if not _take(life):
                return False  # it is starting, recovering or ending
            self._postmaster.launch(life)
            return True

    def _is_dead(self) -> bool:
        with _opened(self._folder / "life.lock") as life:
            return _take(life)

    def _stop_if_unused(self) -> bool:
        with _opened(self._folder / "users.lock") as users:
            if self._keep.exists() or not _take(users):
                return False
        if not self._is_dead():
            self._postmaster.interrupt()
        return _wait_until(self._is_dead, STOP_SECONDS)


def _make_folders(folder: Path, mode: int) -> None:
    for each in (*reversed(folder.parents), folder):
        if not each.exists():
            each.mkdir(exist_ok=True)
            each.chmod(mode)  # whatever the umask is


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    pause = SHORTEST_PAUSE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(1.5 * pause, LONGEST_PAUSE)
    return True


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    """An open file. Closing it gives its lock back, unless a child has inherited it."""
    file = _open(path)
    try:
        yield file
    finally:
        os.close(file)


def _take(file: int) -> bool:
    """Lock the file alone, if nobody else holds it."""
    import fcntl  # there is none on Windows, where this module can still be imported

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _share(file: int) -> None:
    """Lock the file together with others. Nobody holds it alone for more than a moment."""
    import fcntl

    fcntl.flock(file, fcntl.LOCK_SH)
