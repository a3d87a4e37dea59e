"""Nets of one's own: from `module:Class` to a torch module that keeps the contract of all nets."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import torch
from torch import nn

from pyheta.errors import StepError, nearest
from pyheta.nets.configs.own import OwnNetConfig, offered
from pyheta.pipeline.windows import Shape

BATCHES = (2, 3)  # windows of the trials


def build_own(config: OwnNetConfig, shape: Shape) -> nn.Module:
    """The net, after a trial forecast. Raises StepError where it cannot be had or does not fit."""
    made = class_of(config.name)
    with _blamed(
        f"net {config.name} cannot be built", cure="compare net.options with what the class takes"
    ):
        net = made(shape, **dict(config.options))
    _refuse_untrainable(config.name, net)
    for batch in BATCHES:
        _try(config.name, net, shape, batch)
    return net


def class_of(name: str) -> type[nn.Module]:
    """The class of a net by `module:Class` or by the name of an entry point."""
    module, _, attribute = offered().get(name, name).partition(":")
    cure = "install it where workers run, or put its folder on PYTHONPATH"
    with _blamed(f"module '{module}' of net {name} cannot be imported", cure=cure):
        found = import_module(module)
    if not hasattr(found, attribute):
        cure = nearest(attribute, [known for known in vars(found) if not known.startswith("_")])
        raise StepError(f"module '{module}' has no class '{attribute}'", cure=cure)
    made = getattr(found, attribute)
    if not (isinstance(made, type) and issubclass(made, nn.Module)):
        raise StepError(
            f"net {name} is no torch module", cure="derive its class from torch.nn.Module"
        )
    return made


def _refuse_untrainable(name: str, net: nn.Module) -> None:
    if not any(weights.requires_grad for weights in net.parameters()):
        raise StepError(
            f"net {name} has nothing to train", cure="keep its layers as attributes of the module"
        )


def _try(name: str, net: nn.Module, shape: Shape, batch: int) -> None:
    """One forecast of zeros, whose shape has to be the contract's."""
    expected = (batch, shape.targets, shape.horizon)
    cure = "its forward has to map (batch, channels, lookback) to (batch, targets, horizon)"
    net.eval()
    with torch.no_grad(), _blamed(f"net {name} cannot forecast", cure=cure):
        forecast = net(torch.zeros(batch, shape.channels, shape.lookback))
    net.train()
    found = tuple(getattr(forecast, "shape", ()))
    if found != expected:
        what = f"net {name} returned shape {found}, expected (batch, targets, horizon) = {expected}"
        raise StepError(what, cure=cure)


@contextmanager
def _blamed(what: str, *, cure: str) -> Iterator[None]:
    """Whatever another's code raises, as a StepError that says what was asked of it."""
    try:
        yield
    except Exception as error:
        raise StepError(f"{what}: {type(error).__name__}: {error}", cure=cure) from error
