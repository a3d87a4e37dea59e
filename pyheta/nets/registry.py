"""From a net's configuration to a forecaster. Only nets that are trained by gradient load torch."""

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any

from pyheta.nets.configs import NETS
from pyheta.nets.forecaster import Forecaster
from pyheta.pipeline.windows import Shape

# name -> module:class, called with (config, shape)
CLASSES = {
    "last": "pyheta.nets.naive:Last",
    "seasonal": "pyheta.nets.naive:Seasonal",
    "ridge": "pyheta.nets.ridge:Ridge",
    "mlp": "pyheta.nets.mlp:MLP",
    "lstm": "pyheta.nets.lstm:LSTM",
}


def build(net: Mapping[str, Any], shape: Shape, *, seed: int = 0) -> Forecaster:
    """A new, untrained forecaster. `net` is {"name": "lstm", "hidden": 64, …}."""
    config = NETS[net["name"]](**net)
    module, _, name = CLASSES[config.name].partition(":")
    make = partial(getattr(import_module(module), name), config, shape)
    if config.trained_by_gradient:
        from pyheta.nets.gradient import GradientForecaster

        return GradientForecaster(make, seed)
    forecaster: Forecaster = make()
    return forecaster
