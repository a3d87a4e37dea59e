"""How kernels are compiled: float32 arithmetic that may be reordered, no interpreter lock, kept on
disk.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

import pyheta.pipeline.compiled  # noqa: F401 (how wide vectors are is decided once for all)

Function = TypeVar("Function", bound=Callable[..., Any])

# Not "nnan" and "ninf": a lane that diverges has to be seen.
_OPTIONS: dict[str, Any] = {
    "fastmath": {"nsz", "arcp", "contract", "afn", "reassoc"},
    "nogil": True,
    "error_model": "numpy",
}


def kernel(function: Function) -> Function:
    """A function that is called by other kernels, or through `entry`."""
    return cast(Function, njit(**_OPTIONS)(function))


def inlined(function: Function) -> Function:
    """A function that is written out where it is called: for what loops have to be vectorised
    over.
    """
    return cast(Function, njit(inline="always", **_OPTIONS)(function))


def entry(signature: Any) -> Callable[[Function], Function]:
    """A function that Python calls: compiled for these types alone, when its module is loaded, and
    kept.
    """

    def compile_now(function: Function) -> Function:
        try:
            return cast(Function, njit(signature, cache=True, **_OPTIONS)(function))
        except (
            RuntimeError
        ):  # nowhere to keep it: neither here nor in the user's home can be written to
            return cast(Function, njit(signature, **_OPTIONS)(function))

    return compile_now
