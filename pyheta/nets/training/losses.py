"""The losses that nets are trained by, of a forecast f and a truth y.

mse       (f - y)²
mae       |f - y|
huber     (f - y)² / 2 within delta, else delta (|f - y| - delta / 2) (Huber 1964)
quantile  q (y - f) where the forecast is short, else (1 - q) (f - y) (Koenker & Bassett 1978)
"""

from collections.abc import Iterator
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from pyheta.nets.training.options import Train
from pyheta.pipeline.arrays import Array

BLOCK = 1 << 20  # errors that are computed together


def mean_loss(forecast: Array, truth: Array, options: Train) -> float:
    """Over all windows, targets and steps ahead, summed in float64."""
    total = sum(float(_losses(error, options).sum()) for error in _errors(forecast, truth))
    return total / forecast.size


def _errors(forecast: Array, truth: Array) -> Iterator[NDArray[np.float64]]:
    """A block of windows at a time: the truth is a view whose copy may not fit into memory."""
    windows = max(1, BLOCK // forecast[0].size)
    for start in range(0, len(forecast), windows):
        block = slice(start, start + windows)
        yield np.subtract(forecast[block], truth[block], dtype=np.float64)


def _losses(error: NDArray[np.float64], options: Train) -> NDArray[np.float64]:
    match options.loss:
        case "mse":
            return np.square(error)
        case "mae":
            return np.abs(error)
        case "huber":
            near = np.clip(error, -options.huber_delta, options.huber_delta)
            return near * (error - near / 2)
        case "quantile":
            return np.maximum(-options.quantile * error, (1 - options.quantile) * error)
        case _:
            assert_never(options.loss)
