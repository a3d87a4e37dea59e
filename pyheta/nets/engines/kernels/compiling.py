"""How kernels are compiled: float32 arithmetic that may be reordered, no interpreter lock."""

from collections.abc import Callable
from typing import Any, cast

from numba import njit

from pyheta.pipeline.compiled import Function, kept

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
    """A function that is written out where it is called: loops over it can be vectorised."""
    return cast(Function, njit(inline="always", **_OPTIONS)(function))


def entry(signature: Any) -> Callable[[Function], Function]:
    """A function that Python calls: compiled for these types alone, when its module is loaded."""

    def compile_now(function: Function) -> Function:
        dispatcher = kept(njit(**_OPTIONS)(function))
        dispatcher.compile(signature)
        dispatcher.disable_compile()
        return cast(Function, dispatcher)

    return compile_now
