"""Sigmoids and hyperbolic tangents of whole arrays, in place, to about 1e-7.

Loops touch few arrays each: the compiler vectorises what it can prove, or check at run time, not to
overlap. Two functions share a division where they can, since dividing takes longer than everything
else here.
"""

import numpy as np

from pyheta.nets.engines.kernels.compiling import inlined, kernel
from pyheta.pipeline.arrays import Float32s

F = np.float32

# Beyond it both functions are constant in float32, and products of two exponentials still fit.
FAR = F(40.0)


@inlined
def exponential(x: np.float32) -> np.float32:
    """e^x for |x| <= 87 to about 1e-7: 2^k, by adding k to the exponent's bits, times 2^r.

    2^r is a polynomial: its coefficients minimise the largest error, 1.1e-7 of 2^r on
    |r| <= 1/2, and it is 1 at 0.
    """
    t = x * F(1.4426950408889634)
    k = np.rint(t)
    r = t - k
    p = F(0.001326472032815218)
    p = p * r + F(0.009671512991189957)
    p = p * r + F(0.05550733953714371)
    p = p * r + F(0.24022242426872253)
    p = p * r + F(0.6931470036506653)
    p = p * r + F(1)
    return np.int32(F(p).view(np.int32) + np.int32(np.int32(k) << np.int32(23))).view(np.float32)


@inlined
def decay(x: np.float32) -> np.float32:
    """e^-x, constant beyond FAR. NaN stays NaN."""
    return exponential(-min(max(x, -FAR), FAR))


@kernel
def sigmoids(one: Float32s, other: Float32s) -> None:
    for j in range(one.size):
        a, b = F(1) + decay(one[j]), F(1) + decay(other[j])
        share = F(1) / (a * b)
        one[j], other[j] = b * share, a * share


@kernel
def sigmoid_and_tanh(one: Float32s, other: Float32s) -> None:
    """The sigmoid of `one`, the hyperbolic tangent of `other`."""
    for j in range(one.size):
        a, e = F(1) + decay(one[j]), decay(F(2) * other[j])
        share = F(1) / (a * (F(1) + e))
        one[j], other[j] = (F(1) + e) * share, (F(1) - e) * a * share


@kernel
def tanh(x: Float32s, out: Float32s) -> None:
    for j in range(x.size):
        e = decay(F(2) * x[j])
        out[j] = (F(1) - e) / (F(1) + e)
