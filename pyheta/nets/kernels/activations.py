"""Sigmoids and hyperbolic tangents of whole arrays, in place, to about 1e-7.

Loops touch few arrays each: the compiler vectorises what it can prove, or check at run time, not to overlap.
Two functions share a division where they can, since dividing takes longer than everything else here.
"""

import numpy as np
from numpy.typing import NDArray

from pyheta.nets.kernels.compiling import inlined, kernel

Vector = NDArray[np.float32]
F = np.float32

FAR = F(40.0)  # beyond it both functions are constant in float32, and products of two exponentials still fit


@inlined
def exponential(x: np.float32) -> np.float32:
    """e^x for |x| <= 87: 2^k from the exponent's bits, times Taylor's polynomial on |r| <= ln(2)/2."""
    k = np.rint(x * F(1.4426950408889634))
    r = x - k * F(0.693359375) + k * F(2.12194440e-4)  # ln(2) in two parts, so that r is exact
    p = F(1 / 720)
    p = p * r + F(1 / 120)
    p = p * r + F(1 / 24)
    p = p * r + F(1 / 6)
    p = p * r + F(1 / 2)
    p = p * r + F(1)
    p = p * r + F(1)
    return p * np.int32((np.int32(k) + np.int32(127)) << np.int32(23)).view(np.float32)


@inlined
def decay(x: np.float32) -> np.float32:
    """e^-x, the same for all x that are far out. NaN stays NaN."""
    return exponential(-min(max(x, -FAR), FAR))


@kernel
def sigmoids(one: Vector, other: Vector) -> None:
    for j in range(one.size):
        a, b = F(1) + decay(one[j]), F(1) + decay(other[j])
        share = F(1) / (a * b)
        one[j], other[j] = b * share, a * share


@kernel
def sigmoid_and_tanh(one: Vector, other: Vector) -> None:
    """The sigmoid of `one`, the hyperbolic tangent of `other`."""
    for j in range(one.size):
        a, e = F(1) + decay(one[j]), decay(F(2) * other[j])
        share = F(1) / (a * (F(1) + e))
        one[j], other[j] = (F(1) + e) * share, (F(1) - e) * a * share


@kernel
def tanh(x: Vector, out: Vector) -> None:
    for j in range(x.size):
        e = decay(F(2) * x[j])
        out[j] = (F(1) - e) / (F(1) + e)
