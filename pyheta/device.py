"""Where nets are trained, as a user says it, what this machine has, and when it has failed. No torch here."""

import subprocess
import sys
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


#: The most nets that a child trains at once, unless told. On a processor they take turns, which spares
#: messages and no more; on a graphics processor they are one stack, of which its memory takes what it can.
LANES = {Device.CPU: 16, Device.CUDA: 256}

#: How torch repeats what a graphics processor or one of its libraries says when it has failed.
FAILED = (
    "CUDA error:",
    "CUDA driver error:",
    "HIP error:",
    "cuDNN error:",
    "CUBLAS_STATUS_",
    "HIPBLAS_STATUS_",
)

#: What torch says when memory ran out: nothing is broken, and less may fit.
FULL = "out of memory"


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
    """What the device says, in one line, if it failed so that this process can use it no longer; else None.

    After an illegal access, an assertion on the device or an error of its memory whatever else the process
    asks of it fails too. Torch tells it by its AcceleratorError or by a RuntimeError with such words, which
    may be another error's cause. An error of ours that repeats the words is none, nor is a lack of memory.
    """
    if error is None:
        return None
    return _told_by(error) or failure(error.__cause__)


def _told_by(error: BaseException) -> str | None:
    if not isinstance(error, RuntimeError) or FULL in str(error):
        return None
    name, lines = type(error).__name__, [line.strip() for line in str(error).splitlines()]
    telling = [line for line in lines if any(words in line for words in FAILED)]
    return (telling or lines or [name])[0] if telling or name == "AcceleratorError" else None


def _has_driver() -> bool:
    """Whether it is worth the seconds that asking torch takes."""
    return any(Path(driver).exists() for driver in DRIVERS)


def _torch_finds_one() -> bool:
    """Asked in a process of its own, since this one never loads torch."""
    question = "import sys, torch; sys.exit(not torch.cuda.is_available())"
    return subprocess.run([sys.executable, "-c", question], check=False).returncode == 0
