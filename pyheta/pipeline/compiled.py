"""Functions that numba compiles, with the types they were written with.

Compiled code is kept in `__pycache__` beside each file, and numba looks at that file alone: who
changes a function that another file calls has to delete the `.nbi` and `.nbc` files there.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from llvmlite import binding
from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])

# Compilers are shy of vectors of 512 bits, which once slowed processors down. numba reads this when
# it compiles for the first time in a process.
_config: Any = numba.config
_features = binding.get_host_cpu_features()
if _config.CPU_FEATURES is None and _features.get("avx512f"):
    _config.CPU_FEATURES = _features.flatten() + ",-prefer-256-bit"

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def compiled(function: Function) -> Function:
    """A multiplication and the addition after it may become one instruction; nothing else is
    reordered.
    """
    return _jit(function, {"contract"})


def compiled_sum(function: Function) -> Function:
    """For sums that may be taken in any order, because they are only held against limits."""
    return _jit(function, {"contract", "reassoc", "nnan", "nsz"})


def compiled_exactly(function: Function) -> Function:
    """Every operation as it is written: the same bits as numpy's."""
    return _jit(function, set())


def _jit(function: Function, fastmath: set[str]) -> Function:
    options = _OPTIONS | {"fastmath": fastmath}
    try:
        return cast(Function, njit(**options, cache=True)(function))
    except (
        RuntimeError
    ):  # nowhere to keep it: neither here nor in the user's home can be written to
        return cast(Function, njit(**options)(function))
