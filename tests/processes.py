"""The installed `pyheta` as processes, and what must be true of a store whatever happened."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

PYHETA = str(Path(sys.executable).with_name("pyheta"))

#: All of a worker's times in one thirtieth: a lost worker is noticed after 1.5 s instead of 45 s.
FAST = 1 / 30

#: Nothing in these tests takes this long unless it hangs, even while kernels are compiled.
PATIENCE = 240

T = TypeVar("T")

#: Runs `pyheta` with these arguments; keywords become variables of its environment.
Call = Callable[..., subprocess.CompletedProcess[str]]


@dataclass
class Pyheta:
    """Runs `pyheta` in a folder with an environment of its own; ends what it started."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run to the end; the exit code must be `code`."""
        done = subprocess.run(
            [PYHETA, *arguments],
            cwd=self.folder,
            env=self._env(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, code=code).stdout)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start and leave running, in a session of its own; output goes to a file beside it."""
        log = (self.folder / f"process-{len(self.started)}.log").open("wb")
        process = subprocess.Popen(
            [PYHETA, *arguments],
            cwd=self.folder,
            env=self._env(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        self.started.append(process)
        return process

    def logs(self) -> str:
        return "\n".join(
            p.read_text(errors="replace") for p in sorted(self.folder.glob("process-*.log"))
        )

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait(timeout=PATIENCE)

    def _env(self) -> dict[str, str]:
        plain = {
            name: value for name, value in os.environ.items() if not name.startswith("PYHETA_")
        }
        data = {"PYHETA_DATA": os.environ["PYHETA_DATA"]} if "PYHETA_DATA" in os.environ else {}
        return plain | data | {"COLUMNS": "120"} | self.environment


def run_shell(
    command: str, folder: Path, *, timeout: float, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a line as a user would type it, with the installed `pyheta` first on the path."""
    path = os.pathsep.join([str(Path(PYHETA).parent), os.environ["PATH"]])
    env = Pyheta(folder, environment)._env() | {"PATH": path}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@contextmanager
def pyheta(folder: Path, **environment: str) -> Iterator[Pyheta]:
    tool = Pyheta(folder, environment)
    try:
        yield tool
    finally:
        tool.end()


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """What a query gives, on a connection of its own."""

    async def fetch() -> list[tuple[Any, ...]]:
        import asyncpg

        connection = await asyncpg.connect(url, timeout=10)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    return asyncio.run(fetch())


def wait_for(condition: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
    """The first true value of `condition()`; fails after `patience` seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {patience} s in vain for {what}")


def children(pid: int) -> list[int]:
    """The child processes of a worker that compute (Linux)."""
    processes = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    mine = [entry for entry in processes if _parent(entry) == pid]
    return [int(entry.name) for entry in mine if b"pyheta.worker.child" in _command(entry)]


def gone(pids: Sequence[int]) -> bool:
    return not any(_alive(pid) for pid in pids)


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    os.kill(pid, number)


def _alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _parent(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return -1


def _command(entry: Path) -> bytes:
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""


def assert_complete(url: str) -> None:
    """Every step succeeded once, recorded by the attempt that holds its newest fence."""
    unfinished = rows(
        url, "SELECT id, op, state, reason FROM pyheta.step WHERE state <> 'succeeded'"
    )
    assert unfinished == []
    open_attempts = rows(url, "SELECT step_id, fence FROM pyheta.attempt WHERE outcome IS NULL")
    assert open_attempts == []
    recorded_twice = rows(
        url,
        "SELECT step_id FROM pyheta.attempt WHERE outcome = 'ok' GROUP BY step_id HAVING "
        "count(*) <> 1",
    )
    assert recorded_twice == []
    unrecorded = rows(
        url,
        "SELECT id FROM pyheta.step WHERE NOT EXISTS (SELECT FROM pyheta.attempt"
        " WHERE step_id = step.id AND attempt.fence = step.fence AND outcome = 'ok')",
    )
    assert unrecorded == []
    foreign = rows(
        url,
        "SELECT step_id FROM (SELECT step_id, fence FROM pyheta.product UNION SELECT step_id, "
        "fence FROM"
        " pyheta.metric) AS written JOIN pyheta.step ON step.id = step_id WHERE step.fence <> "
        "written.fence",
    )
    assert foreign == []
