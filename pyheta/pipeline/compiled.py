"""Functions that numba compiles, with the types they were written with.

Compiled code is kept in `__pycache__` beside each file, and numba looks at that file alone: who changes a
function that another file calls has to delete the `.nbi` and `.nbc` files there.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}


def compiled(function: Function) -> Function:
    """A multiplication and the addition after it may become one instruction; nothing else is reordered."""
    return cast(Function, njit(**_OPTIONS, fastmath={"contract"})(function))


def compiled_sum(function: Function) -> Function:
    """For sums that may be taken in any order, because they are only held against limits."""
    return cast(Function, njit(**_OPTIONS, fastmath={"contract", "reassoc", "nnan", "nsz"})(function))
