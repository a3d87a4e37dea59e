"""Where torch computes: on the processor, or on a graphics processor if the worker said so."""

import os

import torch

from pyheta.device import VARIABLE, Device
from pyheta.errors import StepError


def device() -> torch.device:
    """Raises StepError if it is not there."""
    name = os.environ.get(VARIABLE, Device.CPU)
    if name != Device.CPU and not torch.cuda.is_available():
        raise StepError("torch finds no graphics processor", cure="start the worker with --device cpu")
    return torch.device(name)
