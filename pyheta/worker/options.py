"""What a worker is told when it starts."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyheta.device import Device
from pyheta.steps import Kind


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """Which steps a worker takes, and with what it computes them."""

    kinds: Sequence[Kind]
    procs: int  # child processes
    lanes: int = 16  # the most steps that one child computes together
    device: Device = Device.CPU  # where nets are trained
    sweep: str | None = None  # take the steps of this sweep only
    until_idle: bool = False  # stop when no step is left
