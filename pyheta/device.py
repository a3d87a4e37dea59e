"""Where nets are trained: the user's choice, what this machine has, when it has failed."""

import os
import subprocess
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from pyheta.errors import ConfigError

#: The environment variable by which a worker tells its children.
VARIABLE = "PYHETA_DEVICE"

#: One of these files exists where a GPU driver is installed (NVIDIA, AMD).
DRIVERS = ("/dev/nvidiactl", "/dev/kfd")


class Device(StrEnum):
    """Where nets are trained."""

    AUTO = "auto"  # on a GPU if there is one
    CPU = "cpu"
    CUDA = "cuda"


#: The most nets that a child trains at once, unless the user says otherwise. On a CPU they take
#: turns, which saves messages only; on a GPU they are one stack, as large as its memory allows.
LANES = {Device.CPU: 16, Device.CUDA: 256}

ANSWER_SECONDS = 120  # for loading torch and looking for a device, or trying it

#: Prefixes of CUDA and HIP errors in torch's messages.
ERROR_PREFIXES = (
    "CUDA error",
    "CUDA driver error",
    "HIP error",
    "cuDNN error",
    "CUBLAS_STATUS_",
    "HIPBLAS_STATUS_",
)

#: Errors after which the process cannot use the device again. Others (bad argument, out of memory)
#: affect one fit only.
FATAL_ERRORS = (
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


def available_cpus() -> int:
    """How many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def resolve_device(choice: Device) -> Device:
    """CPU or CUDA. Raises ConfigError if the user chose CUDA and there is no GPU."""
    if choice is Device.CPU:
        return choice
    if (choice is Device.CUDA or _has_driver()) and _torch_finds_gpu():
        return Device.CUDA
    if choice is Device.CUDA:
        cure = "use --device cpu, or install a torch that supports this machine's GPU"
        raise ConfigError("torch finds no GPU here", where="--device", cure=cure)
    return Device.CPU


def failure(error: BaseException | None) -> str | None:
    """The device's error in one line, if this process cannot use the device any more; else None.

    Torch raises it as a RuntimeError, which may be the cause of another error. An error of PyHeta's
    own that quotes the text does not count.
    """
    if error is None:
        return None
    return _fatal_line(error) or failure(error.__cause__ or error.__context__)


def _fatal_line(error: BaseException) -> str | None:
    if not isinstance(error, RuntimeError):
        return None
    for line in map(str.strip, str(error).splitlines()):
        if _has_any(line, ERROR_PREFIXES) and _has_any(line, FATAL_ERRORS):
            return line
    return None


def _has_any(line: str, texts: Sequence[str]) -> bool:
    return any(text in line for text in texts)


def works(device: Device) -> bool:
    """Whether the device can add two numbers within ANSWER_SECONDS."""
    return _torch_confirms(f"torch.ones(2, device='{device}').sum().item() == 2")


def _has_driver() -> bool:
    """Without a driver, asking torch would waste seconds."""
    return any(Path(driver).exists() for driver in DRIVERS)


def _torch_finds_gpu() -> bool:
    return _torch_confirms("torch.cuda.is_available()")


def _torch_confirms(expression: str) -> bool:
    """Evaluate it in a process of its own, since this one never loads torch."""
    command = [sys.executable, "-c", f"import sys, torch; sys.exit(not {expression})"]
    try:
        done = subprocess.run(
            command, check=False, timeout=ANSWER_SECONDS, stderr=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
