"""Forecasts that hardly learn and read the targets alone: every net has to beat them."""

import numpy as np
from numpy.typing import NDArray

from pyheta.nets.configs.closed_form import DriftConfig, LastConfig, SeasonalConfig
from pyheta.nets.forecaster import Forecaster
from pyheta.nets.training.options import Train
from pyheta.nets.training.resume import EarlierFit
from pyheta.nets.training.trainer_state import State
from pyheta.pipeline.windows import Shape, Windows
from pyheta.task import Progress


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
        self.rows = shape.lookback - config.season + np.arange(shape.horizon) % config.season

    def predict(self, windows: Windows) -> NDArray[np.float64]:
        return windows.inputs[:, : self.targets, self.rows].astype(np.float64)


class Drift(Forecaster):
    """y_T + h (y_T - y_1) / (T - 1), h steps ahead (Hyndman & Athanasopoulos 2021, section 5.2).

    y_1 is the first known value of the series, of all its past and not of the window, and T - 1 the
    steps from there to the last known value. Where there is no step yet, it is the last value.
    """

    def __init__(self, config: DriftConfig, shape: Shape) -> None:  # noqa: ARG002 (one way to build)
        self.targets = shape.targets
        self.ahead = np.arange(1.0, shape.horizon + 1)
        self.first = np.zeros((shape.targets, 1))  # y_1 of each target
        self.row = np.zeros(1, np.int64)  # where it stands

    def fit(
        self,
        train: Windows,
        val: Windows,  # noqa: ARG002
        options: Train,  # noqa: ARG002
        progress: Progress,  # noqa: ARG002
        earlier: EarlierFit | None = None,  # noqa: ARG002
    ) -> None:
        """The first training window begins where the series does."""
        self.first = train.inputs[0, : self.targets, :1].astype(np.float64)
        self.row = train.rows[:1].astype(np.int64) - train.inputs.shape[2]

    def predict(self, windows: Windows) -> NDArray[np.float64]:
        last = windows.inputs[:, : self.targets, -1:].astype(np.float64)
        steps = (windows.rows - 1 - self.row)[:, np.newaxis, np.newaxis]
        slope = (last - self.first) / np.maximum(steps, 1)
        forecast: NDArray[np.float64] = last + slope * self.ahead
        return forecast

    def state(self) -> State:
        return {"first": self.first, "row": self.row}

    def restore(self, state: State) -> None:
        self.first, self.row = state["first"], state["row"]
