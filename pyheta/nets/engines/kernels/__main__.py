"""`python -m pyheta.nets.engines.kernels`: compile all kernels; one process at a time does it."""

import fcntl
import os

from pyheta.nets.engines.kernels import readiness
from pyheta.pipeline import machine_code

LOWEST = 19  # priority: what computes goes first


def main() -> None:
    os.nice(LOWEST)
    with (machine_code.used_folder() / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for kernel in readiness.KERNELS:
            readiness.load(kernel)


if __name__ == "__main__":
    main()
