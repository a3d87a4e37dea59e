"""LLVM's vectors, for what numba's loops cannot say. Addresses are whole numbers here."""

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from pyheta.nets.engines.kernels.compiling import inlined, kernel
from pyheta.pipeline.arrays import Float32s

# 32 registers of 512 bits, not 16 of 256
WIDE = bool(binding.get_host_cpu_features().get("avx512f"))
LANES = 16 if WIDE else 8  # numbers of a vector
BYTES = 4  # of a float32 number

_SHORT, _INT, _FLOAT = ir.IntType(32), ir.IntType(64), ir.FloatType()
VECTOR = ir.VectorType(_FLOAT, LANES)
_COUNTS = ir.VectorType(_INT, LANES)
_ORDER = ir.VectorType(_SHORT, LANES)
ZERO = ir.Constant(VECTOR, [0.0] * LANES)


class Writer:
    """Writes instructions. With a `count`, vectors have that many numbers; the others are zero."""

    def __init__(self, builder: Any, count: Any = None) -> None:
        self.builder = builder
        self.count = count

    def load(self, address: Any) -> Any:
        where = self.builder.inttoptr(address, VECTOR.as_pointer())
        if self.count is None:
            return self.builder.load(where, align=BYTES)
        return self._call(
            f"llvm.masked.load.v{LANES}f32.p0", VECTOR, where, _align(), self._mask(), ZERO
        )

    def store(self, vector: Any, address: Any) -> None:
        where = self.builder.inttoptr(address, VECTOR.as_pointer())
        if self.count is None:
            self.builder.store(vector, where, align=BYTES)
        else:
            args = (vector, where, _align(), self._mask())
            self._call(f"llvm.masked.store.v{LANES}f32.p0", ir.VoidType(), *args)

    def everywhere(self, address: Any) -> Any:
        """The number at an address in all lanes."""
        number = self.builder.load(self.builder.inttoptr(address, _FLOAT.as_pointer()), align=BYTES)
        return self._spread(number, VECTOR)

    def multiply_add(self, x: Any, y: Any, z: Any) -> Any:
        return self._call(f"llvm.fma.v{LANES}f32", VECTOR, x, y, z)

    def at(self, address: Any, numbers: Any) -> Any:
        """The address so many numbers further on."""
        return self.builder.add(address, self.builder.mul(numbers, constant(BYTES)))

    def _mask(self) -> Any:
        """True in the first `count` lanes."""
        lanes = ir.Constant(_COUNTS, list(range(LANES)))
        return self.builder.icmp_signed("<", lanes, self._spread(self.count, _COUNTS))

    def _spread(self, value: Any, kind: Any) -> Any:
        nothing = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.Constant(_SHORT, 0))
        return self.builder.shuffle_vector(first, nothing, ir.Constant(_ORDER, [0] * LANES))

    def _call(self, name: str, result: Any, *args: Any) -> Any:
        kind = ir.FunctionType(result, [arg.type for arg in args])
        return self.builder.call(
            cgutils.get_or_insert_function(self.builder.module, kind, name), args
        )


def constant(number: int) -> Any:
    return ir.Constant(_INT, number)


def _align() -> Any:
    return ir.Constant(_SHORT, BYTES)


@intrinsic
def _copy_some(typing: Any, out: Any, source: Any, count: Any) -> Any:
    def write(context: Any, builder: Any, _: Any, args: Any) -> Any:
        out, source, count = args
        writer = Writer(builder, count)
        writer.store(writer.load(source), out)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), write


@inlined
def copy(out: int, source: int, count: int) -> None:
    """Copy so many numbers from an address to another one: quicker for a few than a call."""
    for start in range(0, count, LANES):
        _copy_some(out + BYTES * start, source + BYTES * start, min(LANES, count - start))  # type: ignore[call-arg]


@intrinsic
def _transpose_block(typing: Any, out: Any, out_row: Any, matrix: Any, row: Any) -> Any:
    """A block as high as wide: bit by bit, the numbers of rows and of columns change places."""

    def write(context: Any, builder: Any, _: Any, args: Any) -> Any:
        out, out_row, matrix, row = args
        writer = Writer(builder)
        vectors = [
            writer.load(writer.at(matrix, builder.mul(row, constant(i)))) for i in range(LANES)
        ]
        for bit in (1 << place for place in range(LANES.bit_length() - 1)):
            for i in range(LANES):
                if not i & bit:
                    vectors[i], vectors[i + bit] = _swap(builder, vectors[i], vectors[i + bit], bit)
        for i, vector in enumerate(vectors):
            writer.store(vector, writer.at(out, builder.mul(out_row, constant(i))))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64), write


def _swap(builder: Any, one: Any, other: Any, bit: int) -> tuple[Any, Any]:
    """The lanes of `one` that have the bit, for those of `other` that have it not."""
    lanes = range(LANES)
    first = [lane if not lane & bit else LANES + lane - bit for lane in lanes]
    second = [lane + bit if not lane & bit else LANES + lane for lane in lanes]
    masks = [ir.Constant(_ORDER, order) for order in (first, second)]
    swapped = [builder.shuffle_vector(one, other, mask) for mask in masks]
    return swapped[0], swapped[1]


@kernel
def transpose(out: Float32s, matrix: Float32s) -> None:
    """`out` (n, m) becomes the transpose of `matrix` (m, n)."""
    rows, columns = matrix.shape
    whole_rows, whole_columns = rows // LANES * LANES, columns // LANES * LANES
    out_row, row = out.strides[0] // BYTES, matrix.strides[0] // BYTES
    for j in range(0, whole_rows, LANES):
        for i in range(0, whole_columns, LANES):
            here = out.ctypes.data + BYTES * (out_row * i + j)
            there = matrix.ctypes.data + BYTES * (row * j + i)
            _transpose_block(here, out_row, there, row)  # type: ignore[call-arg]
    for j in range(rows):
        for i in range(whole_columns if j < whole_rows else 0, columns):
            out[i, j] = matrix[j, i]
