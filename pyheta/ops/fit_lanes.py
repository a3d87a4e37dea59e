"""Fits of one bundle as lanes: one after the other on a CPU, as a stack on a GPU."""

import os
from collections.abc import Sequence

from pyheta.device import VARIABLE, Device
from pyheta.ops.fit import fit
from pyheta.task import Outcomes, Task, one_by_one


def fit_lanes(tasks: Sequence[Task]) -> Outcomes:
    """Train the nets of several steps. The outcome of one does not depend on the others."""
    if os.environ.get(VARIABLE, Device.CPU) == Device.CPU:
        return one_by_one(fit, tasks)
    from pyheta.ops.fit_stacked import fit_stacked

    return fit_stacked(tasks)
