"""From a net's configuration to a forecaster. Only nets that are trained by gradient load torch."""

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pyheta.nets.config_base import GradientConfig, NetConfig
from pyheta.nets.configs import config_of
from pyheta.nets.forecaster import Forecaster
from pyheta.pipeline.windows import Shape

if TYPE_CHECKING:
    from torch import nn

# name -> module:class, called with (config, shape)
CLASSES = {
    "last": "pyheta.nets.naive:Last",
    "seasonal": "pyheta.nets.naive:Seasonal",
    "ridge": "pyheta.nets.ridge:Ridge",
    "mlp": "pyheta.nets.mlp:MLP",
    "lstm": "pyheta.nets.lstm:LSTM",
    "gru": "pyheta.nets.gru:GRU",
    "tcn": "pyheta.nets.tcn:TCN",
    "nhits": "pyheta.nets.nhits:NHiTS",
    "dlinear": "pyheta.nets.dlinear:DLinear",
    "nlinear": "pyheta.nets.nlinear:NLinear",
    "rlinear": "pyheta.nets.rlinear:RLinear",
    "sparsetsf": "pyheta.nets.sparsetsf:SparseTSF",
    "cyclenet": "pyheta.nets.cyclenet:CycleNet",
    "tsmixer": "pyheta.nets.tsmixer:TSMixer",
    "tide": "pyheta.nets.tide:TiDE",
    "patchtst": "pyheta.nets.patchtst:PatchTST",
    "itransformer": "pyheta.nets.itransformer:ITransformer",
}
OWN = "pyheta.nets.own:build_own"  # for every other name


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
    """The torch module of a net, inside an instance normalisation if its configuration asks for one."""
    net: nn.Module = _make(config, shape)
    if isinstance(config, GradientConfig) and config.instance_norm:
        from pyheta.nets.instance_norm import InstanceNorm

        return InstanceNorm(net, shape)
    return net


def _make(config: NetConfig, shape: Shape) -> Any:
    where, _, name = CLASSES.get(config.name, OWN).partition(":")
    return getattr(import_module(where), name)(config, shape)
