"""Metrics are to the last digits what utilsforecast and fev say of the same numbers.

Where they mean something else: utilsforecast's smape is half of ours (its denominator is not
halved), fev's quantile loss is twice ours.
"""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from pyheta.pipeline.scoring import Evaluation, Scales, errors_of, measure

SEASON, ROWS, STEPS = 12, 120, 24
QUANTILES = (0.1, 0.5, 0.9)

_random = np.random.default_rng(0)
SERIES = 20 + _random.normal(size=ROWS + STEPS).cumsum()
TRAINING, TRUTH = SERIES[:ROWS], SERIES[ROWS:]
FORECAST = TRUTH + _random.normal(size=STEPS)


def ours(quantile: float) -> dict[str, float]:
    scales = Scales.of(TRAINING, season=SEASON, unit=1.0, exact=False)
    given = Evaluation(TRUTH[None], FORECAST[None], TRAINING[-1:, None], scales)
    metrics, _ = measure("test", errors_of(given, quantile), quantile)
    return {metric.name: metric.value for metric in metrics}


@pytest.fixture(scope="module")
def utilsforecast() -> Callable[[str, float], float]:
    losses = pytest.importorskip("utilsforecast.losses")

    def loss(name: str, quantile: float) -> float:
        place = {"unique_id": "a", "ds": np.arange(ROWS, ROWS + STEPS)}
        table = pl.DataFrame({**place, "y": TRUTH, "net": FORECAST})
        options: dict[str, Any] = {}
        if name in {"mase", "rmsse"}:
            past = pl.DataFrame({"unique_id": "a", "ds": np.arange(ROWS), "y": TRAINING})
            options = {"seasonality": SEASON, "train_df": past}
        models: Any = ["net"]
        if name == "quantile_loss":
            models, options = {"net": "net"}, {"q": quantile}
        return float(getattr(losses, name)(table, models, **options)["net"][0])

    return loss


@pytest.mark.parametrize("quantile", QUANTILES)
@pytest.mark.parametrize(
    ("name", "theirs", "factor"),
    [
        *((name, name, 1) for name in ("mae", "mse", "rmse", "bias", "mape", "wape")),
        *((name, name, 1) for name in ("mase", "rmsse")),
        ("smape", "smape", 2),
        ("pinball", "quantile_loss", 1),
    ],
)
def test_utilsforecast_says_the_same(
    name: str,
    theirs: str,
    factor: float,
    quantile: float,
    utilsforecast: Callable[[str, float], float],
) -> None:
    assert ours(quantile)[name] == pytest.approx(factor * utilsforecast(theirs, quantile), rel=1e-9)


@pytest.mark.parametrize("quantile", QUANTILES)
@pytest.mark.parametrize(
    ("name", "theirs", "factor"),
    [
        *((name, name.upper(), 1) for name in ("mae", "mse", "rmse", "mape", "wape")),
        *((name, name.upper(), 1) for name in ("mase", "rmsse", "smape")),
        ("pinball", "MQL", 0.5),
    ],
)
def test_fev_says_the_same(name: str, theirs: str, factor: float, quantile: float) -> None:
    pytest.importorskip("fev")
    said = (
        importlib.import_module("fev.metrics")
        .get_metric(theirs)
        .compute(
            y_true=TRUTH[None, :, None],
            y_pred=FORECAST[None, :, None],
            y_past=TRAINING[:, None],
            y_past_lengths=np.array([ROWS]),
            q_pred=FORECAST[None, :, None, None],
            seasonality=SEASON,
            quantile_levels=[quantile],
        )
    )
    assert ours(quantile)[name] == pytest.approx(factor * said, rel=1e-9)
