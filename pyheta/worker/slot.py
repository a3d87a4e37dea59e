"""A slot: one child process at a time, replaced when it dies. It speaks with `child`."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from pyheta.device import VARIABLE, Device
from pyheta.meter import THREADS
from pyheta.worker import wire

#: So much of what a child printed last is kept as its attempt's log.
LOG_BYTES = 64 * 1024

#: How long to read on after a child's death: a process that it started may hold its log open.
READ_ON_SECONDS = 2.0

#: The environment variables that a child gets. No URL and no password is among them: only the
#: supervisor talks to store and broker.
ENVIRONMENT = (
    "PATH",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "VIRTUAL_ENV",
    "USER",
    "XDG_CACHE_HOME",
)
ENVIRONMENT_PREFIXES = (
    "PYTHON",
    "PYTORCH_",
    "TORCH",
    "CUDA_",
    "NVIDIA_",
    "HIP_",
    "HSA_",
    "ROCR_",
    "LD_LIBRARY",
    "NUMBA_",
    "COVERAGE_",
)

#: A child computes on one thread, since there is a child for each CPU.
THREAD_VARIABLES = (
    THREADS,
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
)


OnMessage = Callable[[wire.LaneMessage], None]


class ChildDied(Exception):
    """The child ended before it had replied for every lane. The text says how."""


class Slot:
    """Computes one order at a time, in `folder`. `device`: where its children train nets."""

    def __init__(self, *, folder: Path, device: Device = Device.CPU) -> None:
        self.environment = _environment() | {
            VARIABLE: device,
            "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        }
        self.folder = folder
        self.log = _Tail()
        self.device_error: str | None = None  # set if the device failed during the last order
        self._child: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    async def compute(self, order: wire.Order, on_message: OnMessage) -> None:
        """Pass the child's messages to `on_message` until it has replied for every lane.

        Raises ChildDied if it ends before that; the next order gets a new child.
        """
        child = await self._living_child()
        self.log.clear()
        self.device_error = None
        try:
            await self._ask(child, order, on_message)
        except (ConnectionError, EOFError) as error:
            raise ChildDied(await self._kill(child)) from error
        except BaseException:
            await self._kill(child)  # nobody waits for what it computes
            raise

    async def close(self) -> None:
        if self._child:
            await self._kill(self._child)

    async def _living_child(self) -> asyncio.subprocess.Process:
        if self._child and self._child.returncode is not None:
            await self._kill(self._child)  # died while idle
        if self._child is None:
            self._child = await self._spawn()
        return self._child

    async def _spawn(self) -> asyncio.subprocess.Process:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            # Unbuffered: what a step prints belongs to its own log, not to the next step's.
            "-u",
            "-m",
            "pyheta.worker.child",
            str(os.getpid()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.folder,
            env=self.environment,
            start_new_session=True,  # a Ctrl-C in the terminal must not reach it
            umask=0o077,
            limit=wire.LINE_LIMIT,
        )
        assert child.stderr is not None  # noqa: S101 -- asked for above
        self._reading = asyncio.create_task(
            self.log.read_all(child.stderr), name=f"log of {child.pid}"
        )
        return child

    async def _ask(
        self,
        child: asyncio.subprocess.Process,
        order: wire.Order,
        on_message: OnMessage,
    ) -> None:
        assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 -- asked for in _spawn
        child.stdin.write(order.encode())
        await child.stdin.drain()
        waiting = set(range(len(order.lanes)))
        while waiting:
            line = await child.stdout.readline()
            if not line.endswith(b"\n"):  # it died, perhaps while writing
                raise EOFError
            message = wire.decode(line)
            if isinstance(message, wire.DeviceLost):
                self.device_error = message.reason
                raise ChildDied(f"the device failed: {message.reason}")
            on_message(message)
            if not isinstance(message, wire.LaneProgress):
                waiting.remove(message.lane)

    async def _kill(self, child: asyncio.subprocess.Process) -> str:
        """Kill the child and its own children, if it lives; how it ended, in words."""
        self._child = None
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        status = _status(await child.wait())
        if self._reading:  # what it printed last (a faulthandler stack) belongs to the log
            await asyncio.wait({self._reading}, timeout=READ_ON_SECONDS)
        return status


class _Tail:
    """The last bytes of a stream, however much passes by."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    async def read_all(self, stream: asyncio.StreamReader) -> None:
        while piece := await stream.read(LOG_BYTES):
            self._bytes += piece
            del self._bytes[:-LOG_BYTES]

    def clear(self) -> None:
        self._bytes.clear()

    def text(self) -> str:
        return self._bytes.decode(errors="replace")


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ENVIRONMENT or name.startswith(ENVIRONMENT_PREFIXES)
    }
    if path := kept.get("PYTHONPATH"):  # a child works in another folder
        kept["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, path.split(os.pathsep)))
    return kept | dict.fromkeys(THREAD_VARIABLES, "1")


def _status(code: int) -> str:
    if code >= 0:
        return f"the child process exited with status {code} without an answer"
    try:
        return f"the child process was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"the child process was killed by signal {-code}"
