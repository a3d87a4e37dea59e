"""The child process: reads orders from standard input, computes, replies. Dies with its supervisor.

It holds no credentials and no connection. What operations print goes to standard error, which the
supervisor keeps as the attempt's log; messages go through a descriptor that only they use.
"""

import ctypes
import errno
import faulthandler
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from typing import Any, BinaryIO, NoReturn

from pyheta import device
from pyheta.errors import InputError, StepError
from pyheta.ops.registry import compute_lanes
from pyheta.steps import Ending
from pyheta.task import Result
from pyheta.worker import wire

#: Errors of code or configuration: another attempt would raise them again.
NO_RETRY = (StepError, InputError, TypeError, ValueError, LookupError, ImportError, AttributeError)

#: The machine has run out of something. The step is not at fault; another machine may have more.
EXHAUSTED = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENODEV)

#: Between two progress messages about one lane.
PROGRESS_SECONDS = 0.1

PR_SET_PDEATHSIG = 1

Send = Callable[[wire.Message], None]


def main() -> None:
    """Compute orders until standard input closes."""
    faulthandler.enable()
    _die_with(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides what a Ctrl-C does
    pipe = _private_stdout()
    orders: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    while True:
        _work(wire.Order.decode(orders.get()), partial(_send, pipe))


def _die_with(supervisor: int) -> None:
    """Let the kernel kill this process when the supervisor dies, however that happens (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:  # it died before prctl took effect
        os._exit(1)


def _private_stdout() -> BinaryIO:
    """Keep the pipe to the supervisor for messages; what is printed goes to the log."""
    pipe = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return pipe


def _listen(orders: "queue.SimpleQueue[bytes]") -> None:
    """Pass orders on. At end of input, exit: the supervisor is gone or wants this child gone."""
    for line in sys.stdin.buffer:
        orders.put(line)
    os._exit(0)


def _send(pipe: BinaryIO, message: wire.Message) -> None:
    """Write a whole line; a single write may take only a part of it."""
    rest = memoryview(wire.encode(message))
    while rest:
        rest = rest[pipe.write(rest) :]


def _work(order: wire.Order, send: Send) -> None:
    """Reply for each lane as soon as its outcome is known. Exit if the device is lost."""
    tasks = [lane.task(_ProgressSender(send, number)) for number, lane in enumerate(order.lanes)]
    for lane, outcome in compute_lanes(order.op, tasks):
        if isinstance(outcome, Exception) and (reason := device.failure(outcome)):
            _exit_after_device_failure(outcome, reason, send)
        try:
            send(_reply(lane, outcome))
        except Exception as error:  # noqa: BLE001 -- a result that cannot be sent is an error too
            send(_raised(lane, error))


def _exit_after_device_failure(error: Exception, reason: str, send: Send) -> NoReturn:
    """End this process, the error in its log: every later step would fail on the same device.

    At once, since libraries that now cleaned up the device would hang or abort.
    """
    traceback.print_exception(error)
    sys.stderr.flush()  # before the message: after it, nobody reads on
    send(wire.DeviceLost(reason))
    os._exit(1)


class _ProgressSender:
    """Sends a lane's progress, but not thousands of times a second, as a small net reports it."""

    def __init__(self, send: Send, lane: int) -> None:
        self._send = send
        self._lane = lane
        self._last = -inf

    def __call__(self, progress: Mapping[str, Any]) -> None:
        now = time.monotonic()
        if now - self._last >= PROGRESS_SECONDS:
            self._last = now
            self._send(wire.LaneProgress(self._lane, progress))


def _reply(lane: int, outcome: Result | Exception) -> wire.Reply:
    if isinstance(outcome, Exception):
        return _raised(lane, outcome)
    products = {name: str(path) for name, path in outcome.products.items()}
    return wire.Done(lane, products, outcome.metrics, outcome.summary, outcome.cost)


def _raised(lane: int, error: Exception) -> wire.Raised:
    exhausted = isinstance(error, OSError) and error.errno in EXHAUSTED
    return wire.Raised(
        lane,
        _reason(error),
        "".join(traceback.format_exception(error)),
        retry=not isinstance(error, NO_RETRY),
        ending=Ending.RELEASE if exhausted else Ending.ERROR,
    )


def _reason(error: Exception) -> str:
    """One line: the error's class where its text alone would say too little."""
    text = " ".join(str(error).split())
    return text if isinstance(error, StepError | InputError) else f"{type(error).__name__}: {text}"


if __name__ == "__main__":
    main()
