"""Where torch computes: on the processor, or on a graphics processor if the worker said so."""

import os

import torch

from pyheta.device import VARIABLE, Device
from pyheta.errors import StepError


def device() -> torch.device:
    """Raises StepError if it is not there. A graphics processor is told to add up in one order, if it can."""
    name = os.environ.get(VARIABLE, Device.CPU)
    if name != Device.CPU and not torch.cuda.is_available():
        raise StepError("torch finds no graphics processor", cure="start the worker with --device cpu")
    if name != Device.CPU:
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
    return torch.device(name)
