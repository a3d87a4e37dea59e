"""How a batch changes the weights: the loss with its gradient, clipping, the optimizer's step.

The same formulas as torch's (`torch.nn.functional`, `torch.optim`, `clip_grad_norm_`), with its
defaults for what is not in a `Rule`.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import types

from pyheta.nets.engines.kernels.compiling import inlined, kernel
from pyheta.pipeline.arrays import Float32s

F = np.float32

LOSSES = ("mse", "mae", "huber", "quantile")
OPTIMIZERS = ("adam", "adamw", "sgd")

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
CLIP_EPSILON = 1e-6

LARGEST = F(1e37)  # whose inverse still is an ordinary number


class Rule(NamedTuple):
    """`loss` and `optimizer` by their place in the lists above; `clip` 0 is none."""

    loss: int
    parameter: float  # Huber's delta, or the quantile
    optimizer: int
    momentum: float
    weight_decay: float
    clip: float


RULE = types.NamedTuple((types.int64, types.float64, types.int64, *[types.float64] * 3), Rule)


class Moments(NamedTuple):
    """The optimizer's state for each weight: mean gradient and mean square (SGD: velocity)."""

    first: Float32s
    second: Float32s


@kernel
def loss(forecast: Float32s, truth: Float32s, rule: Rule) -> float:
    """The sum of the losses; `forecast` becomes the gradient of their mean."""
    out, y = forecast.reshape(-1), truth.reshape(-1)
    if rule.loss == 0:
        return _squares(out, y)
    if rule.loss == 1:
        return _absolutes(out, y)
    if rule.loss == 2:  # noqa: PLR2004 (a place in LOSSES)
        return _hubers(out, y, F(rule.parameter))
    return _quantiles(out, y, F(rule.parameter))


@kernel
def _squares(out: Float32s, y: Float32s) -> float:
    total, share = F(0), F(2.0 / out.size)
    for i in range(out.size):
        error = out[i] - y[i]
        total += error * error
        out[i] = error * share
    return float(total)


@kernel
def _absolutes(out: Float32s, y: Float32s) -> float:
    total, share = F(0), F(1.0 / out.size)
    for i in range(out.size):
        error = out[i] - y[i]
        total += abs(error)
        out[i] = np.sign(error) * share
    return float(total)


@kernel
def _hubers(out: Float32s, y: Float32s, delta: np.float32) -> float:
    total, share = F(0), F(1.0 / out.size)
    for i in range(out.size):
        error = out[i] - y[i]
        near = min(max(error, -delta), delta)
        total += near * (error - F(0.5) * near)
        out[i] = near * share
    return float(total)


@kernel
def _quantiles(out: Float32s, y: Float32s, level: np.float32) -> float:
    total, share = F(0), F(1.0 / out.size)
    for i in range(out.size):
        short = y[i] - out[i]
        slope = level if short > 0 else level - F(1) if short < 0 else F(0)
        total += slope * short
        out[i] = -slope * share
    return float(total)


@kernel
def step(
    weights: Float32s, gradient: Float32s, moments: Moments, rate: float, count: int, rule: Rule
) -> None:
    """The `count`th step, the first being 1. `gradient` is used up."""
    if rule.clip > 0:
        _clip(gradient, rule.clip)
    if rule.optimizer == 2:  # noqa: PLR2004 (a place in OPTIMIZERS)
        _sgd(weights, gradient, moments.first, F(rate), F(rule.momentum), F(rule.weight_decay))
        return
    if rule.weight_decay > 0:
        _decay(weights, gradient, rate, rule)
    _adam(weights, gradient, moments, rate, count)


@kernel
def _clip(gradient: Float32s, limit: float) -> None:
    squares = F(0)
    for i in range(gradient.size):
        squares += gradient[i] * gradient[i]
    share = limit / (math.sqrt(squares) + CLIP_EPSILON)
    if share < 1:
        gradient *= F(share)


@kernel
def _decay(weights: Float32s, gradient: Float32s, rate: float, rule: Rule) -> None:
    """Adam's decay goes through the gradient; AdamW's goes past it (Loshchilov & Hutter 2019)."""
    if rule.optimizer == 0:
        decay = F(rule.weight_decay)
        for i in range(weights.size):
            gradient[i] += decay * weights[i]
    else:
        weights *= F(1 - rate * rule.weight_decay)


@kernel
def _adam(weights: Float32s, gradient: Float32s, moments: Moments, rate: float, count: int) -> None:
    """Kingma & Ba 2015, algorithm 1."""
    first, second = moments
    size = F(rate / (1 - BETA1**count))
    spread = F(1 / math.sqrt(1 - BETA2**count))
    for i in range(weights.size):
        g = gradient[i]
        mean = F(BETA1) * first[i] + F(1 - BETA1) * g
        square = F(BETA2) * second[i] + F(1 - BETA2) * g * g
        first[i], second[i] = mean, square
        weights[i] -= size * mean * inverse(math.sqrt(square) * spread + F(EPSILON))


@inlined
def inverse(x: np.float32) -> np.float32:
    """1 / x for x > 0 to about 8e-8, without a division, which would wait for the root before it.

    A guess from the exponent's bits, 5 % off at most, then one cubic and one quadratic step of
    Newton's. Of infinity it is 0, as of all that is larger than LARGEST, which roots of float32
    numbers are not.
    """
    y = np.int32(np.int32(0x7EF311C7) - F(x).view(np.int32)).view(np.float32)
    error = F(1) - x * y
    y += y * (error + error * error)
    y += y * (F(1) - x * y)
    return F(0) if x > LARGEST else y


@kernel
def _sgd(
    weights: Float32s,
    gradient: Float32s,
    velocity: Float32s,
    rate: np.float32,
    momentum: np.float32,
    decay: np.float32,
) -> None:
    for i in range(weights.size):
        speed = momentum * velocity[i] + gradient[i] + decay * weights[i]
        velocity[i] = speed
        weights[i] -= rate * speed
