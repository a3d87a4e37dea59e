"""Functions that numba compiles, with the types they were written with."""

import pickle
import uuid
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from llvmlite import binding
from numba import njit
from numba.core import compiler, serialize

from pyheta.pipeline import machine_code

Function = TypeVar("Function", bound=Callable[..., Any])

_rebuild: Callable[..., Any] = compiler.CompileResult._rebuild  # noqa: SLF001 (of its cache alone)
_dumps: Callable[[Any], bytes] = serialize.dumps

# Compilers are shy of vectors of 512 bits, which once slowed CPUs down. numba reads this when it
# compiles for the first time in a process.
_config: Any = numba.config
_features = binding.get_host_cpu_features()
if _config.CPU_FEATURES is None and _features.get("avx512f"):
    _config.CPU_FEATURES = _features.flatten() + ",-prefer-256-bit"

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def compiled(function: Function) -> Function:
    """A product and the sum after it may become one instruction; nothing else is reordered."""
    return _compile(function, {"contract"})


def compiled_sum(function: Function) -> Function:
    """For sums that may be taken in any order, because they are only held against limits."""
    return _compile(function, {"contract", "reassoc", "nnan", "nsz"})


def compiled_exactly(function: Function) -> Function:
    """Every operation as it is written: the same bits as numpy's."""
    return _compile(function, set())


def _compile(function: Function, fastmath: set[str]) -> Function:
    return cast(Function, kept(njit(**_OPTIONS, fastmath=fastmath)(function)))


def kept(dispatcher: Any) -> Any:
    """The compiled function, with its machine code in the folder of `machine_code`.

    Where the folder cannot be written to, the function is compiled in every process.
    """
    dispatcher._cache = _KeptCode(dispatcher.py_func)  # noqa: SLF001 (numba has no setter)
    return dispatcher


class _KeptCode:
    """What numba calls a cache: a file for each signature of one function.

    numba's own has an index of signatures, which two processes may overwrite at the same time.
    """

    def __init__(self, function: Any) -> None:
        self._name = f"{function.__module__}.{function.__qualname__}".replace("<locals>.", "")

    @property
    def cache_path(self) -> str:
        return str(machine_code.folder())

    def load_overload(self, signature: Any, target: Any) -> Any:
        """The compiled function; None where its file is not there, not this user's, or broken."""
        file = self._file(signature)
        if not machine_code.is_own(file):
            return None
        target.refresh()  # registers the types that the file may speak of
        try:
            parts = pickle.loads(file.read_bytes())  # noqa: S301 (the user's own)
        except (OSError, EOFError, pickle.UnpicklingError):
            return None
        return _rebuild(target, *parts)

    def save_overload(self, signature: Any, result: Any) -> None:
        if result.library.has_dynamic_globals:  # addresses, which mean nothing elsewhere
            return
        code = _dumps(result._reduce())  # noqa: SLF001
        with suppress(OSError):
            _write(self._file(signature), code)

    def flush(self) -> None:
        """Nothing to do: no part of a file is kept in memory."""

    def _file(self, signature: Any) -> Path:
        types = sha256(str(signature).encode()).hexdigest()[:16]
        return machine_code.used_folder() / f"{self._name}-{types}.code"


def _write(file: Path, content: bytes) -> None:
    """At once: no other process sees a part of it."""
    part = file.with_suffix(f".{uuid.uuid4().hex}")
    try:
        part.write_bytes(content)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
