"""Nets of one's own: from `module:Class` to a torch module that keeps to the contract."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import torch
from torch import nn

from pyheta.errors import StepError, nearest
from pyheta.nets.configs.own import OwnNetConfig, offered
from pyheta.pipeline.windows import Shape

BATCHES = (2, 3)  # windows in each trial forecast


def build_own(config: OwnNetConfig, shape: Shape) -> nn.Module:
    """The net, after trial forecasts. Raises StepError if it cannot be built or does not fit."""
    net_class = class_of(config.name)
    with _as_step_error(
        f"net {config.name} cannot be built", cure="compare net.options with what the class takes"
    ):
        net = net_class(shape, **dict(config.options))
    _refuse_untrainable(config.name, net)
    for batch in BATCHES:
        _try(config.name, net, shape, batch)
    return net


def class_of(name: str) -> type[nn.Module]:
    """The class of a net by `module:Class` or by the name of an entry point."""
    module, _, attribute = offered().get(name, name).partition(":")
    cure = "install it where workers run, or put its folder on PYTHONPATH"
    with _as_step_error(f"module '{module}' of net {name} cannot be imported", cure=cure):
        imported = import_module(module)
    if not hasattr(imported, attribute):
        cure = nearest(attribute, [name for name in vars(imported) if not name.startswith("_")])
        raise StepError(f"module '{module}' has no class '{attribute}'", cure=cure)
    net_class = getattr(imported, attribute)
    if not (isinstance(net_class, type) and issubclass(net_class, nn.Module)):
        raise StepError(
            f"net {name} is no torch module", cure="derive its class from torch.nn.Module"
        )
    return net_class


def _refuse_untrainable(name: str, net: nn.Module) -> None:
    if not any(weights.requires_grad for weights in net.parameters()):
        raise StepError(
            f"net {name} has nothing to train", cure="keep its layers as attributes of the module"
        )


def _try(name: str, net: nn.Module, shape: Shape, batch: int) -> None:
    """Forecast from zeros. Raises StepError if that fails or has another shape than promised."""
    expected = (batch, shape.targets, shape.horizon)
    cure = "its forward has to map (batch, channels, lookback) to (batch, targets, horizon)"
    net.eval()
    with torch.no_grad(), _as_step_error(f"net {name} cannot forecast", cure=cure):
        forecast = net(torch.zeros(batch, shape.channels, shape.lookback))
    net.train()
    returned = tuple(getattr(forecast, "shape", ()))
    if returned != expected:
        wanted = f"(batch, targets, horizon) = {expected}"
        raise StepError(f"net {name} returned shape {returned}, expected {wanted}", cure=cure)


@contextmanager
def _as_step_error(what: str, *, cure: str) -> Iterator[None]:
    """Turn whatever foreign code raises into a StepError that says what failed."""
    try:
        yield
    except Exception as error:
        raise StepError(f"{what}: {type(error).__name__}: {error}", cure=cure) from error
