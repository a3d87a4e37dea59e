"""Where nets are trained, as a user says it, and what this machine has. No torch here."""

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


def _has_driver() -> bool:
    """Whether it is worth the seconds that asking torch takes."""
    return any(Path(driver).exists() for driver in DRIVERS)


def _torch_finds_one() -> bool:
    """Asked in a process of its own, since this one never loads torch."""
    question = "import sys, torch; sys.exit(not torch.cuda.is_available())"
    return subprocess.run([sys.executable, "-c", question], check=False).returncode == 0
