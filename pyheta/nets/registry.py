"""From a net's configuration to a forecaster. Only nets that are trained by gradient load torch."""

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pyheta.errors import StepError
from pyheta.nets.configs.base import InstanceNormConfig, NetConfig
from pyheta.nets.configs.union import config_of
from pyheta.nets.forecaster import Forecaster
from pyheta.pipeline.windows import Shape

if TYPE_CHECKING:
    from torch import nn


def build(net: Mapping[str, Any], shape: Shape, *, seed: int = 0) -> Forecaster:
    """A new, untrained forecaster. `net` is {"name": "lstm", "hidden": 64, …}.

    Raises StepError if a net of one's own cannot be had, or the net cannot read such windows.
    """
    config = config_of(net)
    if config.trained_by_gradient:
        from pyheta.nets.gradient import GradientForecaster

        return GradientForecaster(partial(module, config, shape), config, shape, seed)
    forecaster: Forecaster = _make(config, shape)
    return forecaster


def module(config: NetConfig, shape: Shape) -> "nn.Module":
    """The torch module of a net, inside an instance normalisation if its options ask for one."""
    net: nn.Module = _make(config, shape)
    if isinstance(config, InstanceNormConfig) and config.instance_norm:
        from pyheta.nets.zoo.instance_norm import InstanceNorm

        return InstanceNorm(net, shape)
    return net


def _make(config: NetConfig, shape: Shape) -> Any:
    if misfit := config.misfit(shape.lookback):
        raise StepError(misfit.what, cure=misfit.cure)
    return class_of(type(config))(config, shape)


def class_of(config: type[NetConfig]) -> Any:
    """What makes the net of (config, shape); it is imported here, and torch with it if need be."""
    where, _, name = config.built_by.partition(":")
    return getattr(import_module(where), name)
