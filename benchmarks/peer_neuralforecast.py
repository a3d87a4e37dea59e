"""The NLinear of neuralforecast, for backtest.py."""

import logging
import warnings

import numpy as np
import pandas as pd
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MSE
from neuralforecast.models import NLinear
from numpy.typing import NDArray

from pyheta.pipeline.splits import Split

for name in ("pytorch_lightning", "lightning_fabric"):
    logging.getLogger(name).setLevel(logging.ERROR)
warnings.filterwarnings("ignore", module="pytorch_lightning")

Floats = NDArray[np.float64]


def fold(
    scaled: Floats, split: Split, lookback: int, horizon: int, *, batch: int, epochs: int
) -> Floats:
    """The quickest way: a cross validation of one fold, which is fitted once, from every row on.

    An epoch is as many steps as there are batches; each draws its windows anew.
    """
    first, stop = split.targets("test")
    windows = split.train[1] - split.train[0] - lookback - horizon + 1
    model = NLinear(
        h=horizon,
        input_size=lookback,
        loss=MSE(),
        learning_rate=1e-3,
        max_steps=epochs * -(-windows // batch),
        val_check_steps=-(-windows // batch),
        windows_batch_size=batch,
        training_data_availability_threshold=1.0,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    times = pd.date_range("2016-07-01", periods=stop, freq="h")
    frame = pd.DataFrame({"unique_id": "OT", "ds": times, "y": scaled[:stop]})
    table = NeuralForecast([model], freq="h").cross_validation(
        frame,
        n_windows=None,
        test_size=stop - first,
        val_size=split.val[1] - split.val[0],
    )
    return np.asarray(table["NLinear"].to_numpy(np.float64).reshape(-1, horizon))
