"""Where nets are trained, as a user says it, what this machine has, and when it has failed. No
torch here.
"""

import subprocess
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from pyheta.errors import ConfigError

#: The environment variable by which a worker tells its children.
VARIABLE = "PYHETA_DEVICE"

#: What is there where a driver for graphics processors is.
DRIVERS = ("/dev/nvidiactl", "/dev/kfd")


class Device(StrEnum):
    """Where nets are trained."""

    AUTO = "auto"  # on a graphics processor if there is one
    CPU = "cpu"
    CUDA = "cuda"


#: The most nets that a child trains at once, unless told. On a processor they take turns, which
#: spares messages and no more; on a graphics processor they are one stack, of which its memory
#: takes what it can.
LANES = {Device.CPU: 16, Device.CUDA: 256}

ANSWER_SECONDS = 120  # that torch may take to be loaded and to find, or to try, a device

#: How torch introduces what a graphics processor or one of its libraries says, …
SPEAKERS = (
    "CUDA error",
    "CUDA driver error",
    "HIP error",
    "cuDNN error",
    "CUBLAS_STATUS_",
    "HIPBLAS_STATUS_",
)

#: … and what they say when no later call of this process will succeed. Others, as that a kernel
#: does not take such an argument or that memory ran out, concern one net.
LASTING = (
    "an illegal memory access",
    "device-side assert",
    "launch failure",
    "launch timed out",
    "misaligned address",
    "illegal instruction",
    "address space",
    "hardware stack error",
    "invalid program counter",
    "uncorrectable",
    "unknown error",
    "_EXECUTION_FAILED",
    "_INTERNAL_ERROR",
    "_MAPPING_ERROR",
)


def found(wish: Device) -> Device:
    """Where it is to be. Raises ConfigError if a graphics processor is wished for and not there."""
    if wish is Device.CPU:
        return wish
    if (wish is Device.CUDA or _has_driver()) and _torch_finds_one():
        return Device.CUDA
    if wish is Device.CUDA:
        cure = "use --device cpu, or install a torch that knows this machine's"
        raise ConfigError("torch finds no graphics processor here", where="--device", cure=cure)
    return Device.CPU


def failure(error: BaseException | None) -> str | None:
    """What the device says, in one line, if it failed so that this process can use it no longer;
    else None.

    Torch tells it by a RuntimeError, which may be what another error was raised for. An error of
    ours that merely repeats the words is none.
    """
    if error is None:
        return None
    return _told_by(error) or failure(error.__cause__ or error.__context__)


def _told_by(error: BaseException) -> str | None:
    if not isinstance(error, RuntimeError):
        return None
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if _says(line, SPEAKERS) and _says(line, LASTING)), None)


def _says(line: str, words: Sequence[str]) -> bool:
    return any(word in line for word in words)


def _has_driver() -> bool:
    """Whether it is worth the seconds that asking torch takes."""
    return any(Path(driver).exists() for driver in DRIVERS)


def _torch_finds_one() -> bool:
    """Asked in a process of its own, since this one never loads torch."""
    return _holds("torch.cuda.is_available()")


def works(device: Device) -> bool:
    """Whether it can add, which it says within ANSWER_SECONDS."""
    return _holds(f"torch.ones(2, device='{device}').sum().item() == 2")


def _holds(question: str) -> bool:
    command = [sys.executable, "-c", f"import sys, torch; sys.exit(not {question})"]
    try:
        asked = subprocess.run(
            command, check=False, timeout=ANSWER_SECONDS, stderr=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0
