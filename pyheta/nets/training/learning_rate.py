"""A learning rate that suits a net: one epoch with each of some, and what validation says of it.

A range test (Smith 2017) looks at the training loss while the rate rises; here each rate begins
with the same weights and is judged by windows that were not trained on.
"""

from collections.abc import Callable
from math import inf, isfinite

import numpy as np

from pyheta.errors import Diverged
from pyheta.nets.training.loop import Learner, TrainingRun
from pyheta.nets.training.options import Train
from pyheta.task import Progress

Begin = Callable[[Train], Learner]

RATES = tuple(float(rate) for rate in np.geomspace(1e-5, 1e-1, 9))


def found(
    options: Train, run: Callable[[Train], TrainingRun], learner: Begin, progress: Progress
) -> Train:
    """The options with the best of RATES, each tried at that very rate, whatever the schedule.

    `learner` makes a new one with the first weights each time, `run` what it goes through.
    Raises Diverged if the loss is finite with none of the rates.
    """
    losses: dict[float, float] = {}
    for rate in RATES:
        trial = options.model_copy(update={"lr": rate, "schedule": "constant"})
        losses[rate] = _loss(run(trial), learner(trial))
        progress({"stage": f"tries a rate of {rate:.2g}"})
    best = min(losses, key=losses.__getitem__)
    if losses[best] == inf:
        what = f"the loss is not finite with any learning rate from {RATES[0]:g} on"
        raise Diverged(what, cure="check the scale")
    return options.model_copy(update={"lr": best})


def _loss(run: TrainingRun, learner: Learner) -> float:
    """On validation after one epoch."""
    trained = learner.epoch(run.order(), run.rates())
    loss = learner.validate()
    return loss if isfinite(trained + loss) else inf
