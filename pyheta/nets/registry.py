"""From a net's configuration to a forecaster. Only nets that are trained by gradient load torch."""

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pyheta.nets.configs.base import GradientConfig, NetConfig
from pyheta.nets.configs.union import config_of
from pyheta.nets.forecaster import Forecaster
from pyheta.pipeline.windows import Shape

if TYPE_CHECKING:
    from torch import nn

# name -> module:class, called with (config, shape)
CLASSES = {
    "last": "pyheta.nets.zoo.naive:Last",
    "seasonal": "pyheta.nets.zoo.naive:Seasonal",
    "ridge": "pyheta.nets.zoo.ridge:Ridge",
    "mlp": "pyheta.nets.zoo.mlp:MLP",
    "lstm": "pyheta.nets.zoo.lstm:LSTM",
    "gru": "pyheta.nets.zoo.gru:GRU",
    "tcn": "pyheta.nets.zoo.tcn:TCN",
    "nhits": "pyheta.nets.zoo.nhits:NHiTS",
    "dlinear": "pyheta.nets.zoo.dlinear:DLinear",
    "nlinear": "pyheta.nets.zoo.nlinear:NLinear",
    "rlinear": "pyheta.nets.zoo.rlinear:RLinear",
    "sparsetsf": "pyheta.nets.zoo.sparsetsf:SparseTSF",
    "cyclenet": "pyheta.nets.zoo.cyclenet:CycleNet",
    "tsmixer": "pyheta.nets.zoo.tsmixer:TSMixer",
    "tide": "pyheta.nets.zoo.tide:TiDE",
    "patchtst": "pyheta.nets.zoo.patchtst:PatchTST",
    "itransformer": "pyheta.nets.zoo.itransformer:ITransformer",
}
OWN = "pyheta.nets.zoo.own:build_own"  # for every other name


def build(net: Mapping[str, Any], shape: Shape, *, seed: int = 0) -> Forecaster:
    """A new, untrained forecaster. `net` is {"name": "lstm", "hidden": 64, …}.

    Raises StepError if a net of one's own cannot be had, or a net cannot do with this shape.
    """
    config = config_of(net)
    if config.trained_by_gradient:
        from pyheta.nets.gradient import GradientForecaster

        return GradientForecaster(partial(module, config, shape), config, shape, seed)
    forecaster: Forecaster = _make(config, shape)
    return forecaster


def module(config: NetConfig, shape: Shape) -> "nn.Module":
    """The torch module of a net, inside an instance normalisation if its configuration asks for
    one.
    """
    net: nn.Module = _make(config, shape)
    if isinstance(config, GradientConfig) and config.instance_norm:
        from pyheta.nets.zoo.instance_norm import InstanceNorm

        return InstanceNorm(net, shape)
    return net


def _make(config: NetConfig, shape: Shape) -> Any:
    where, _, name = CLASSES.get(config.name, OWN).partition(":")
    return getattr(import_module(where), name)(config, shape)
