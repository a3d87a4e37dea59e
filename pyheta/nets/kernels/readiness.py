"""Whether kernels are compiled already: that takes a quarter of a minute each, and nobody waits unasked.

numba keeps compiled code beside a module and looks at that module's file alone. A mark beside it says that
code is there for exactly these sources, this numba and this processor; without one, what is there goes.
"""

import hashlib
import os
import sys
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from llvmlite import binding

FOLDER = Path(__file__).parent
KERNELS = ("lstm", "gru", "mlp")


def ready(kernel: str) -> bool:
    """Whether loading this kernel takes no compiling."""
    return f"{__package__}.{kernel}" in sys.modules or _mark(kernel).exists()


def load(kernel: str) -> ModuleType:
    """The kernel's module; compiled first where it has not been."""
    if not ready(kernel):
        _forget(kernel)
    module = import_module(f"{__package__}.{kernel}")
    if not _mark(kernel).exists():
        with suppress(OSError):  # then nothing is ever ready, and torch trains
            place().mkdir(parents=True, exist_ok=True)
            _mark(kernel).touch()
    return module


def _forget(kernel: str) -> None:
    stale = [*place().glob(f"{kernel}-*.compiled"), *(FOLDER / "__pycache__").glob(f"{kernel}.*.nb*")]
    for file in stale:
        with suppress(OSError):
            file.unlink()


def _mark(kernel: str) -> Path:
    return place() / f"{kernel}-{_digest()}.compiled"


@cache
def place() -> Path:
    """Where marks are: beside the code, or in the user's home where that cannot be written to."""
    beside = FOLDER / "__pycache__"
    writable = os.access(beside if beside.exists() else FOLDER, os.W_OK)
    return beside if writable else Path.home() / ".cache" / "pyheta"


@cache
def _digest() -> str:
    """What the compiled code depends on."""
    sources = [path.read_bytes() for path in sorted(FOLDER.glob("*.py"))]
    machine = binding.get_host_cpu_name() + binding.get_host_cpu_features().flatten()
    versions = (sys.version, version("numba"), version("llvmlite"), os.environ.get("NUMBA_CACHE_DIR", ""))
    return hashlib.sha256(b"".join([*sources, machine.encode(), repr(versions).encode()])).hexdigest()[:16]
