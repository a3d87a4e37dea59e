"""Whether kernels are compiled already: that takes a quarter of a minute each, and nobody waits
unasked.

numba keeps compiled code by the file that a function stands in and looks at that file alone, though
what it calls is compiled into it. So the code of exactly these sources, this numba, this Python and
this processor has a folder of its own, with a mark for each kernel that is there; others beside it
are left alone.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from llvmlite import binding

SOURCES = (
    *sorted(Path(__file__).parent.glob("*.py")),
    Path(__file__).parents[3] / "pipeline/compiled.py",
)
KERNELS = ("lstm", "gru", "mlp", "linear")


def ready(kernel: str) -> bool:
    """Whether loading this kernel takes no compiling."""
    return _name(kernel) in sys.modules or _mark(kernel).exists()


def load(kernel: str) -> ModuleType:
    """The kernel's module; compiled first where it has not been."""
    if _name(kernel) in sys.modules:
        return sys.modules[_name(kernel)]
    with _kept_in(folder()):
        module = import_module(_name(kernel))
    with suppress(OSError):  # without a mark nothing is ever ready, and torch trains
        _mark(kernel).touch()
    return module


@contextmanager
def _kept_in(place: Path) -> Iterator[None]:
    """Let numba keep what is compiled meanwhile in this folder, if it can be had."""
    import numba

    config: Any = numba.config
    with suppress(OSError):
        place.mkdir(parents=True, exist_ok=True)
    before, config.CACHE_DIR = config.CACHE_DIR, str(place)
    try:
        yield
    finally:
        config.CACHE_DIR = before


def _name(kernel: str) -> str:
    return f"{__package__}.{kernel}"


def _mark(kernel: str) -> Path:
    return folder() / f"{kernel}.ready"


@cache
def folder() -> Path:
    """Beside the code, or in the user's cache where that cannot be written to."""
    beside = Path(__file__).parent / "__pycache__"
    if os.access(beside if beside.exists() else beside.parent, os.W_OK):
        return beside / f"compiled-{_digest()}"
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 (never raises)
    return Path(caches) / "pyheta" / f"compiled-{_digest()}"


def _digest() -> str:
    """What the compiled code depends on."""
    machine = binding.get_host_cpu_name() + binding.get_host_cpu_features().flatten()
    settings = sorted(
        (name, value) for name, value in os.environ.items() if name.startswith("NUMBA_CPU_")
    )
    facts = repr((machine, settings, sys.version, version("numba"), version("llvmlite"))).encode()
    return hashlib.sha256(b"".join([*(path.read_bytes() for path in SOURCES), facts])).hexdigest()[
        :16
    ]
