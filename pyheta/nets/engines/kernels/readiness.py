"""Whether kernels are compiled already: that takes a quarter of a minute each.

No training waits for it; until then it runs on torch. A mark in the folder of compiled code says
which kernel is there.
"""

import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType

from pyheta.pipeline import machine_code

KERNELS = ("lstm", "gru", "mlp", "linear")


def ready(kernel: str) -> bool:
    """Whether loading this kernel takes no compiling."""
    return _module(kernel) in sys.modules or machine_code.is_own(_mark(kernel))


def load(kernel: str) -> ModuleType:
    """The kernel's module; compiled first where it has not been."""
    if _module(kernel) in sys.modules:
        return sys.modules[_module(kernel)]
    module = import_module(_module(kernel))
    with suppress(OSError):  # without a mark nothing is ever ready, and torch trains
        _mark(kernel).touch()
    return module


def _module(kernel: str) -> str:
    return f"{__package__}.{kernel}"


def _mark(kernel: str) -> Path:
    return machine_code.folder() / f"{kernel}.ready"
