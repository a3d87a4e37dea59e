"""Where torch computes: on the CPU, or on a GPU if the worker said so."""

import errno
import os

import torch

from pyheta.device import VARIABLE, Device


def torch_device() -> torch.device:
    """The device that the worker has told its children to use.

    A GPU sums in a fixed order where torch can make it. Raises OSError if the device is not there:
    another process may hold it, so the step is not to blame.
    """
    name = os.environ.get(VARIABLE, Device.CPU)
    if name != Device.CPU and not torch.cuda.is_available():
        raise OSError(errno.ENODEV, "torch finds no GPU; start the worker with --device cpu")
    if name != Device.CPU:
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
    return torch.device(name)
