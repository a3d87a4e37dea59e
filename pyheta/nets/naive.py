"""Forecasts that learn nothing: what every net has to beat. They look at the target alone."""

import numpy as np
from numpy.typing import NDArray

from pyheta.nets.configs import LastConfig, SeasonalConfig
from pyheta.nets.forecaster import Forecaster
from pyheta.pipeline.channels import Array
from pyheta.pipeline.windows import Shape


class Last(Forecaster):
    """The last known value, for every step ahead."""

    def __init__(self, config: LastConfig, shape: Shape) -> None:  # noqa: ARG002 (one way to build)
        self.horizon = shape.horizon

    def predict(self, inputs: Array) -> NDArray[np.float64]:
        return np.repeat(inputs[:, 0, -1:], self.horizon, axis=1).astype(np.float64)


class Seasonal(Forecaster):
    """The last known season, again and again. The window holds at least one `period`."""

    def __init__(self, config: SeasonalConfig, shape: Shape) -> None:
        self.rows = shape.lookback - config.period + np.arange(shape.horizon) % config.period

    def predict(self, inputs: Array) -> NDArray[np.float64]:
        return inputs[:, 0, self.rows].astype(np.float64)
