"""Products of small float32 matrices at the speed of the core.

Libraries pack matrices before they multiply them, which pays for large ones only: a net of 64 cells
multiplies 64 by 69 by 256 numbers. Here a tile of the product stays in registers while it is summed
up, and its operands are read where they lie. Sums are in one order on every machine.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from pyheta.nets.engines.kernels.compiling import inlined, kernel
from pyheta.nets.engines.kernels.vectors import BYTES, LANES, VECTOR, WIDE, ZERO, Writer, constant
from pyheta.pipeline.arrays import Float32s

#: Terms that are summed before the next stretch of the operands is read: what a cache holds
DEPTH = 256
HEIGHT = 192  # rows whose stretch the next larger cache holds, while all columns are gone through


class _Tile(Writer):
    """Writes the code of a tile of sums, `rows` by `vectors`; masked: `columns` numbers wide."""

    def __init__(self, builder: Any, args: Any, shape: tuple[int, int, bool]) -> None:
        (self.out, self.out_row, self.left, self.left_row, self.left_step) = args[:5]
        (self.right, self.right_step, self.terms, columns, self.add) = args[5:]
        self.rows, self.vectors, masked = shape
        super().__init__(builder, columns if masked else None)

    def write(self) -> None:
        """One branch for all sums, which LLVM keeps in registers from there on."""
        b = self.builder
        slots = [
            [cgutils.alloca_once(b, VECTOR) for _ in range(self.vectors)] for _ in range(self.rows)
        ]
        with b.if_else(self.add) as (then, otherwise):
            with then:
                self._each(slots, lambda slot, place: b.store(self.load(place), slot))
            with otherwise:
                self._each(slots, lambda slot, _: b.store(ZERO, slot))
        with cgutils.for_range(b, self.terms) as loop:
            self._accumulate(slots, loop.index)
        self._each(slots, lambda slot, place: self.store(b.load(slot), place))

    def _each(self, slots: list[list[Any]], do: Callable[[Any, Any], object]) -> None:
        for m, row in enumerate(slots):
            start = self.at(self.out, self.builder.mul(constant(m), self.out_row))
            for n, slot in enumerate(row):
                do(slot, self.at(start, constant(n * LANES)))

    def _accumulate(self, slots: list[list[Any]], k: Any) -> None:
        b = self.builder
        right = self.at(self.right, b.mul(k, self.right_step))
        vectors = [self.load(self.at(right, constant(n * LANES))) for n in range(self.vectors)]
        left = self.at(self.left, b.mul(k, self.left_step))
        for m, row in enumerate(slots):
            factor = self.everywhere(self.at(left, b.mul(constant(m), self.left_row)))
            for vector, slot in zip(vectors, row, strict=True):
                b.store(self.multiply_add(factor, vector, b.load(slot)), slot)


def _tile(rows: int, vectors: int, *, masked: bool = False) -> Any:
    """A compiled function that sums one tile of a product. Distances are in numbers, not bytes."""
    numbers = [types.int64] * 9

    @intrinsic
    def tile(
        typing: Any,
        out: Any,
        out_row: Any,
        left: Any,
        left_row: Any,
        left_step: Any,
        right: Any,
        right_step: Any,
        terms: Any,
        columns: Any,
        add: Any,
    ) -> Any:
        def write(context: Any, builder: Any, _: Any, args: Any) -> Any:
            _Tile(builder, args, (rows, vectors, masked)).write()
            return context.get_dummy_value()

        return types.void(*numbers, types.boolean), write

    return tile


#: Sums, operands and a factor fill the registers: 16 sums and 3 others of 32, or 12 and 3 of 16.
ROWS = 8 if WIDE else 6

_tall, _low, _flat = _tile(ROWS, 2), _tile(4, 2), _tile(1, 2)
_tall_end, _low_end, _flat_end = (_tile(rows, 1, masked=True) for rows in (ROWS, 4, 1))


@inlined
def _height(rows: int) -> int:
    """Of the next tile. 8 or 9 rows take two tiles of 4, not one of 6 and single rows beside it."""
    if rows >= ROWS and (WIDE or rows not in (8, 9)):
        return ROWS
    return 4 if rows >= 4 else 1  # noqa: PLR2004 (the heights of tiles)


class Place(NamedTuple):
    """Where a matrix lies: its first number's address, and the distances of rows and of columns."""

    address: int
    row: int
    column: int


@inlined
def _place(matrix: Float32s) -> Place:
    return Place(matrix.ctypes.data, matrix.strides[0] // BYTES, matrix.strides[1] // BYTES)


@inlined
def _moved(place: Place, rows: int, columns: int) -> Place:
    """So many rows and columns further on."""
    return Place(
        place.address + BYTES * (rows * place.row + columns * place.column), place.row, place.column
    )


@inlined
def _stripe(
    out: Place, left: Place, right: Place, rows: int, terms: int, columns: int, add: bool
) -> None:
    """All rows of two vectors of columns, or of up to one."""
    m = 0
    while m < rows:
        here, operand = _moved(out, m, 0).address, _moved(left, m, 0).address
        sizes = (left.row, left.column, right.address, right.row, terms, columns, add)
        taken = _height(rows - m)
        if columns == 2 * LANES:
            if taken == ROWS:
                _tall(here, out.row, operand, *sizes)
            elif taken == 1:
                _flat(here, out.row, operand, *sizes)
            else:
                _low(here, out.row, operand, *sizes)
        elif taken == ROWS:
            _tall_end(here, out.row, operand, *sizes)
        elif taken == 1:
            _flat_end(here, out.row, operand, *sizes)
        else:
            _low_end(here, out.row, operand, *sizes)
        m += taken


@kernel
def multiply(out: Float32s, left: Float32s, right: Float32s, add: bool) -> None:
    """`out` = `left` @ `right`, or plus what is there if `add`.

    Shapes (m, n), (m, k), (k, n); the rows of `out` and of `right` are contiguous, `left` may be a
    transpose.
    """
    rows, columns = out.shape
    terms = right.shape[0]
    if terms == 0 and not add:
        out[:] = 0
    to, one, other = _place(out), _place(left), _place(right)
    for k in range(0, terms, DEPTH):
        some = min(DEPTH, terms - k)
        for m in range(0, rows, HEIGHT):
            here, left_here, right_here = _moved(to, m, 0), _moved(one, m, k), _moved(other, k, 0)
            _block(here, left_here, right_here, min(HEIGHT, rows - m), some, columns, add or k > 0)


@kernel
def _block(
    out: Place, left: Place, right: Place, rows: int, terms: int, columns: int, add: bool
) -> None:
    """The same for matrices so small that caches hold what is read again."""
    n = 0
    while n < columns:
        width = 2 * LANES if n + 2 * LANES <= columns else min(LANES, columns - n)
        _stripe(_moved(out, 0, n), left, _moved(right, 0, n), rows, terms, width, add)
        n += width


@kernel
def dense(out: Float32s, seen: Float32s, weights: Float32s) -> None:
    """`out` (batch, n) = the first columns of `seen` (batch, k or more) @ `weights` (k, n)."""
    if out.shape[1] == 1:
        _dots(out.reshape(-1), seen, weights.reshape(-1))
    else:
        multiply(out, seen[:, : weights.shape[0]], weights, False)


@kernel
def _dots(out: Float32s, rows: Float32s, weights: Float32s) -> None:
    for b in range(out.size):
        row, total = rows[b], np.float32(0)
        for k in range(weights.size):
            total += row[k] * weights[k]
        out[b] = total


@kernel
def dense_back(gradient: Float32s, seen: Float32s, out: Float32s) -> None:
    """The gradient (k, n) of the weights from that of what they gave, `out` (batch, n)."""
    if out.shape[1] == 1:
        _combine(gradient.reshape(-1), seen, out.reshape(-1))
    else:
        multiply(gradient, seen[:, : gradient.shape[0]].T, out, False)


@kernel
def _combine(out: Float32s, rows: Float32s, weights: Float32s) -> None:
    out[:] = 0
    for b in range(weights.size):
        row, weight = rows[b], weights[b]
        for k in range(out.size):
            out[k] += weight * row[k]
