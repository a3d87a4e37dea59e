"""The child process: reads orders from standard input, computes, answers. Dies with its supervisor.

It holds no credentials and no connection. What operations print goes to standard error, which the supervisor
keeps as the attempt's log; the answers go through a descriptor that nothing else can write to.
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
from pathlib import Path
from typing import Any, BinaryIO

from pyheta.errors import InputError, StepError
from pyheta.ops import OPS, Result, Task
from pyheta.steps import Ending
from pyheta.worker import wire

#: Errors of the code or of its configuration: the next attempt would raise them again.
HOPELESS = (StepError, InputError, TypeError, ValueError, LookupError, ImportError, AttributeError)

#: The machine has run out of something: not the step's fault, and another machine may have more.
EXHAUSTED = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE)

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Answer orders until standard input closes."""
    faulthandler.enable()
    _die_with(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the terminal is the supervisor's business
    answers = _private_stdout()
    orders: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    while True:
        order = wire.Order.decode(orders.get())
        _say(answers, _answer(order, lambda progress: _say(answers, wire.encode(wire.Sign(progress)))))


def _die_with(supervisor: int) -> None:
    """Let the kernel kill this process when the supervisor dies, however that happens (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:  # it died before the line above took effect
        os._exit(1)


def _private_stdout() -> BinaryIO:
    """Keep the pipe to the supervisor for answers; whatever prints to standard output goes to the log."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return answers


def _listen(orders: "queue.SimpleQueue[bytes]") -> None:
    """Pass orders on. End of input means that the supervisor is gone or wants us gone: leave at once."""
    for line in sys.stdin.buffer:
        orders.put(line)
    os._exit(0)


def _say(answers: BinaryIO, line: bytes) -> None:
    """Write a whole line, whatever a single write takes."""
    rest = memoryview(line)
    while rest:
        rest = rest[answers.write(rest) :]


def _answer(order: wire.Order, progress: Callable[[Mapping[str, Any]], None]) -> bytes:
    """The line that answers an order: a result that cannot be written down is an error too."""
    try:
        return wire.encode(_compute(order, progress))
    except Exception as error:  # noqa: BLE001 -- whatever an operation raises is its answer
        return wire.encode(_raised(error))


def _compute(order: wire.Order, progress: Callable[[Mapping[str, Any]], None]) -> wire.Done:
    started = time.perf_counter()
    result = _run(order, progress)
    return wire.Done(
        {name: str(path) for name, path in result.products.items()},
        seconds=time.perf_counter() - started,
        metrics=result.metrics,
        summary=result.summary,
    )


def _raised(error: Exception) -> wire.Raised:
    exhausted = isinstance(error, OSError) and error.errno in EXHAUSTED
    return wire.Raised(
        _reason(error),
        "".join(traceback.format_exception(error)),
        retry=not isinstance(error, HOPELESS),
        ending=Ending.RELEASE if exhausted else Ending.ERROR,
    )


def _run(order: wire.Order, progress: Callable[[Mapping[str, Any]], None]) -> Result:
    inputs = {role: {n: Path(p) for n, p in files.items()} for role, files in order.inputs.items()}
    task = Task(order.params, inputs, Path(order.out), progress)
    return OPS[order.op].load()(task)


def _reason(error: Exception) -> str:
    """One line: the error's class where its text alone would say too little."""
    text = " ".join(str(error).split())
    return text if isinstance(error, StepError | InputError) else f"{type(error).__name__}: {text}"


if __name__ == "__main__":
    main()
