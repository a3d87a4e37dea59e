"""A learning rate that suits a net: one epoch with each of some, and what validation says of it.

A range test (Smith 2017) looks at the training loss while the rate rises; here each rate begins with the same
weights and is judged by windows that were not trained on.
"""

from collections.abc import Callable
from dataclasses import replace
from math import inf, isfinite
from typing import Any

import numpy as np

from pyheta.errors import Diverged
from pyheta.nets.course import Course, Learner
from pyheta.nets.options import Options

RATES = tuple(float(rate) for rate in np.geomspace(1e-5, 1e-1, 9))


def found(options: Options, windows: int, seed: int, learner: Callable[[Options], Learner[Any]]) -> Options:
    """The options with the best of RATES; `learner` makes a new one with the first weights each time.

    Raises Diverged if the loss is finite with none of them.
    """
    losses = {rate: _loss(replace(options, lr=rate), windows, seed, learner) for rate in RATES}
    best = min(losses, key=losses.__getitem__)
    if losses[best] == inf:
        what = f"the loss is not finite with any learning rate from {RATES[0]:g} on"
        raise Diverged(what, cure="check the scale")
    return replace(options, lr=best)


def _loss(options: Options, windows: int, seed: int, learner: Callable[[Options], Learner[Any]]) -> float:
    """On validation after one epoch."""
    trial = learner(options)
    course = Course(options, windows, seed, None)
    trained = trial.epoch(course.order(), course.rates())
    loss = trial.validate()
    return loss if isfinite(trained + loss) else inf
