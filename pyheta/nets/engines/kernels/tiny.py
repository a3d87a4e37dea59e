"""Numbers too small for float32's full precision count as zero while a kernel runs.

The moments of weights whose gradient is zero, as behind a cell that never fires, shrink from step
to step until they are as small as that, and many CPUs take a hundred times as long for such
numbers.
"""

import platform
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from pyheta.nets.engines.kernels.compiling import inlined

ZEROES = 0x8040  # of the control word: tiny results are zero, tiny operands too
X86 = platform.machine() in ("x86_64", "AMD64")

_WORD, _ADDRESS = ir.IntType(32), ir.IntType(8).as_pointer()


@intrinsic
def _flush(typing: Any) -> Any:
    def write(_: Any, builder: Any, __: Any, ___: Any) -> Any:
        if not X86:  # others are as quick with them
            return ir.Constant(_WORD, 0)
        before = _control_word(builder)
        _set_control_word(builder, builder.or_(before, ir.Constant(_WORD, ZEROES)))
        return before

    return types.int32(), write


@intrinsic
def _restore(typing: Any, before: Any) -> Any:
    def write(context: Any, builder: Any, _: Any, args: Any) -> Any:
        if X86:
            _set_control_word(builder, args[0])
        return context.get_dummy_value()

    return types.void(types.int32), write


@inlined
def flush() -> int:
    """From here on. Returns what `restore` has to be given."""
    return _flush()  # type: ignore[call-arg]


@inlined
def restore(before: int) -> None:
    """As it was."""
    _restore(before)  # type: ignore[call-arg]


def _control_word(builder: Any) -> Any:
    place = cgutils.alloca_once(builder, _WORD)
    _call(builder, "llvm.x86.sse.stmxcsr", place)
    return builder.load(place)


def _set_control_word(builder: Any, word: Any) -> None:
    place = cgutils.alloca_once(builder, _WORD)
    builder.store(word, place)
    _call(builder, "llvm.x86.sse.ldmxcsr", place)


def _call(builder: Any, name: str, place: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [_ADDRESS])
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    builder.call(function, [builder.bitcast(place, _ADDRESS)])
