"""Compiling the kernels of small nets beside the work, once for a machine and a version."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterable

from pyheta.nets.kernels.readiness import KERNELS, ready


def warm_up(nets: Iterable[str], note: Callable[[str], None]) -> None:
    """Begin to compile, with a word to the user, if one of these nets has a kernel that is not ready.

    The process has the lowest priority and ends by itself, which may be after this one: a short run would
    else never see it finished.
    """
    if all(ready(net) for net in set(nets) & set(KERNELS)):
        return
    note("compiling the kernels of small nets, once, in about a minute; until then they train on torch")
    process = subprocess.Popen(
        [sys.executable, "-m", "pyheta.nets.kernels"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    threading.Thread(target=process.wait, daemon=True).start()  # else it stays in the list of processes
