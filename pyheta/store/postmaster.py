"""One private PostgreSQL server in a folder of its own: initialise, launch, ask, stop.

It listens on a Unix socket in a folder that only its account may enter, and on no port; so nobody
needs a password. Who may launch it and when is decided in `embedded.py`.
"""

import hashlib
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from pyheta.errors import ConfigError
from pyheta.store.binaries import ELSEWHERE, ENVIRON, Account, Binaries, find_binaries, reachable

USER = "pyheta"
DATABASE = "postgres"
INITIALISE_SECONDS = 120
SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET = 103  # bytes of a socket's path on macOS; Linux allows four more
SHOWN_LINES = 8
OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "cluster_name": "pyheta",  # shown by `ps`
}
# The start-up message of protocol 3.0, the goodbye, and SQLSTATE cannot_connect_now in an answer.
_PARAMETERS = f"user\0{USER}\0database\0{DATABASE}\0\0".encode()
HELLO = struct.pack("!II", 8 + len(_PARAMETERS), 3 << 16) + _PARAMETERS
GOODBYE = struct.pack("!cI", b"X", 4)
NOT_NOW = b"C57P03\0"


class Postmaster:
    """The server whose data, socket and log lie in `folder`."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.account = Account.of_this_process()
        self.log = folder / "log"
        self._environ = environ
        self._data = folder / "data"
        self._sockets = _socket_folder(folder)

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@/{DATABASE}?host={quote(str(self._sockets), safe='')}"

    def major(self) -> int | None:
        """PostgreSQL's major version that made the data; None: there is no data yet."""
        try:
            return int((self._data / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None

    def answers(self) -> bool:
        """Whether the server accepts connections. The socket tells: a process id proves nothing.

        Raises ConfigError if the socket lies where somebody else could have put one.
        """
        if not self._sockets.exists():
            return False
        self._check_private(self._sockets)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            try:
                connection.connect(str(self._sockets / SOCKET))
                connection.sendall(HELLO)
                answer = connection.recv(1024)
                connection.sendall(GOODBYE)
            except OSError:
                return False
        return bool(answer) and NOT_NOW not in answer

    def launch(self, life: int) -> None:
        """Start the server and return. It and its children inherit the open file `life`.

        No process of an earlier server may be alive. The data is made on the first launch.

        Raises:
            ConfigError: no programs, programs of another version, or folders with wrong owners.
        """
        self._check_reach()
        self._make_private(self._sockets)
        installed = find_binaries(self._environ, self.major())
        binaries = reachable(installed, self.account, self.folder / "programs")
        if self.major() is None:
            self._initialise(binaries, life)
        self._check_private(self._data)
        self._forget_the_dead()
        self._spawn(binaries, life)

    def interrupt(self) -> None:
        """Ask a live server for a fast shutdown: transactions are rolled back, data is written."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGINT)
        except (FileNotFoundError, IndexError, ProcessLookupError):
            return  # it has ended already

    def tail(self) -> str:
        """The last lines of the log, for an error message, without those that `answers` caused."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return "(no log)"
        telling = [line for line in lines if "FATAL:  the database system is" not in line]
        return "\n".join(telling[-SHOWN_LINES:])

    def _check_reach(self) -> None:
        if not self.account.may_run("/bin/sh", "-c", 'cd "$1"', "sh", self.folder):
            what = "PostgreSQL runs as 'nobody' when you are root, and may not enter this folder"
            cure = f"set PYHETA_HOME to a folder that others may enter, or {ELSEWHERE}"
            raise ConfigError(what, where=str(self.folder), cure=cure)

    def _initialise(self, binaries: Binaries, life: int) -> None:
        """Make the data elsewhere, then move it: unfinished data never counts."""
        unfinished = self.folder / "data.unfinished"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        self._make_private(unfinished)
        form = ("--username", USER, "--auth=trust", "--encoding=UTF8", "--locale=C")
        command = (binaries.folder / "initdb", *form, "--no-instructions", "-D", unfinished)
        made = self.account.run(command, seconds=INITIALISE_SECONDS, pass_fds=[life])
        if made.returncode != 0:
            what = f"the embedded server's data cannot be made: {made.stdout.strip()}"
            raise ConfigError(what, where=str(self.folder), cure=ELSEWHERE)
        unfinished.rename(self._data)

    def _make_private(self, folder: Path) -> None:
        if not folder.exists():
            folder.mkdir(mode=0o700)
            os.chown(folder, self.account.uid, -1)
        self._check_private(folder)

    def _check_private(self, folder: Path) -> None:
        """Somebody else may have made a folder of that name under /tmp, to listen in on us."""
        state = folder.lstat()
        private = stat.S_ISDIR(state.st_mode) and not state.st_mode & 0o077
        if not private or state.st_uid != self.account.uid:
            what = "this must be a folder that PostgreSQL's account owns and nobody else may enter"
            raise ConfigError(what, where=str(folder), cure=f"remove it, or {ELSEWHERE}")

    def _forget_the_dead(self) -> None:
        """Remove a killed server's files: PostgreSQL would take any process with its id for it."""
        for path in (self._data / "postmaster.pid", *self._sockets.glob(f"{SOCKET}*")):
            path.unlink(missing_ok=True)

    def _spawn(self, binaries: Binaries, life: int) -> None:
        options = OPTIONS | {"unix_socket_directories": str(self._sockets)}
        settings = [f"--{name}={value}" for name, value in options.items()]
        server: list[str | Path] = [binaries.folder / "postgres", "-D", self._data, *settings]
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".old"))
        self.log.touch(mode=0o600)  # it shows failed statements
        with self.log.open("wb") as log:
            subprocess.run(
                # The shell ends at once, so that the server is not this process's child: no zombie.
                ["/bin/sh", "-c", '"$@" &', "sh", *server],
                cwd="/",
                env=ENVIRON,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=True,
                start_new_session=True,  # Ctrl-C in a terminal is not for the server
                pass_fds=[life],
                user=self.account.user,
                group=self.account.group,
                extra_groups=self.account.extra_groups,
                umask=0o077,
            )


def _socket_folder(folder: Path) -> Path:
    """`folder/socket`; under /tmp if that is too long for a socket, or libpq would split it."""
    inside = folder / "socket"
    if len(os.fsencode(inside / SOCKET)) <= LONGEST_SOCKET and "," not in str(inside):
        return inside
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    # Not $TMPDIR: every process has to find the same folder. Its owner and mode are checked.
    return Path(f"/tmp/pyheta-{os.geteuid()}-{name}")  # noqa: S108
