"""Find a learning rate that suits a net: train one epoch with each of RATES, compare on validation.

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

RATES = tuple(float(rate) for rate in np.geomspace(1e-5, 1e-1, 9))


def find_learning_rate(
    options: Train, begin: Callable[[Train], tuple[Learner, TrainingRun]], progress: Progress
) -> Train:
    """The options with the best of RATES, each tried as it is, whatever the schedule.

    `begin` makes a learner with the first weights, and its run. Raises Diverged if the loss is
    finite with none of the rates.
    """
    losses: dict[float, float] = {}
    for rate in RATES:
        trial = options.model_copy(update={"lr": rate, "schedule": "constant"})
        losses[rate] = _loss(*begin(trial))
        progress({"stage": f"tries a rate of {rate:.2g}"})
    best = min(losses, key=losses.__getitem__)
    if losses[best] == inf:
        what = f"the loss is not finite with any learning rate from {RATES[0]:g} on"
        raise Diverged(what, cure="check the scale")
    return options.model_copy(update={"lr": best})


def _loss(learner: Learner, run: TrainingRun) -> float:
    """On validation after one epoch; infinite where training diverges."""
    train_loss = learner.epoch(run.order(), run.rates())
    loss = learner.validate()
    return loss if isfinite(train_loss + loss) else inf
