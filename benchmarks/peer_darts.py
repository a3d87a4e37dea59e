"""The least squares of Darts on lags, for backtest.py."""

import logging

import numpy as np
from darts import TimeSeries
from darts.models import LinearRegressionModel
from numpy.typing import NDArray

from pyheta.pipeline.splits import Split

logging.getLogger("darts").setLevel(logging.ERROR)

Floats = NDArray[np.float64]


def fold(scaled: Floats, split: Split, lookback: int, horizon: int) -> Floats:
    """The quickest way: fit once, then the forecasts from all rows of the test part at once."""
    model = _model(lookback, horizon)
    model.fit(TimeSeries.from_values(scaled[slice(*split.train)]))
    first, stop = split.targets("test")
    made = model.historical_forecasts(
        TimeSeries.from_values(scaled[first - lookback : stop]),
        forecast_horizon=horizon,
        retrain=False,
        last_points_only=False,
    )
    return np.array([each.values(copy=False)[:, 0] for each in made])


def all_folds(values: Floats, first: int, refit: int, lookback: int, horizon: int) -> Floats:
    """One call: forecasts from each row on, fitted again every `refit` of them."""
    made = _model(lookback, horizon).historical_forecasts(
        TimeSeries.from_values(values),
        forecast_horizon=horizon,
        start=first,
        retrain=refit,
        last_points_only=False,
    )
    return np.array([each.values(copy=False)[:, 0] for each in made])


def _model(lookback: int, horizon: int) -> LinearRegressionModel:
    return LinearRegressionModel(lags=lookback, output_chunk_length=horizon, multi_models=True)
