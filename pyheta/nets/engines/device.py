"""Where torch computes: on the processor, or on a graphics processor if the worker said so."""

import errno
import os

import torch

from pyheta.device import VARIABLE, Device


def torch_device() -> torch.device:
    """Raises OSError if it is not there, as something else may have it: the step is not to blame.

    A graphics processor is told to add up in one order, if it can.
    """
    name = os.environ.get(VARIABLE, Device.CPU)
    if name != Device.CPU and not torch.cuda.is_available():
        raise OSError(
            errno.ENODEV, "torch finds no graphics processor; start the worker with --device cpu"
        )
    if name != Device.CPU:
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
    return torch.device(name)
