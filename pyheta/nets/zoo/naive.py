"""Forecasts that learn nothing and read the targets alone: every net has to beat them."""

import numpy as np
from numpy.typing import NDArray

from pyheta.nets.configs.closed_form import LastConfig, SeasonalConfig
from pyheta.nets.forecaster import Forecaster
from pyheta.pipeline.windows import Shape, Windows


class Last(Forecaster):
    """The last known value, for every step ahead."""

    def __init__(self, config: LastConfig, shape: Shape) -> None:  # noqa: ARG002 (one way to build)
        self.targets, self.horizon = shape.targets, shape.horizon

    def predict(self, windows: Windows) -> NDArray[np.float64]:
        return np.repeat(windows.inputs[:, : self.targets, -1:], self.horizon, axis=2).astype(
            np.float64
        )


class Seasonal(Forecaster):
    """The last known season, repeated. The window holds at least one `period`."""

    def __init__(self, config: SeasonalConfig, shape: Shape) -> None:
        self.targets = shape.targets
        self.rows = shape.lookback - config.period + np.arange(shape.horizon) % config.period

    def predict(self, windows: Windows) -> NDArray[np.float64]:
        return windows.inputs[:, : self.targets, self.rows].astype(np.float64)
