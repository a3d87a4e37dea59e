"""Metrics of one's own: from `module:function` to a number."""

from collections.abc import Callable
from importlib import import_module
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np

from pyheta.errors import StepError, nearest
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.own_metrics import OwnMetric

MOST_WORDS = 200  # characters of a reason: it stands in a small summary

#: Truth and forecast (windows, steps), the last known value before each window (windows, 1), and
#: the mean |y(t) - y(t-m)| of the training rows, of which m make a season: a float, or (windows, 1)
#: where windows of several folds are measured together. All of one target, in its own units.
Function = Callable[[Floats, Floats, Floats, float | Floats], Any]


class NoValue(Exception):
    """Why a function gave no number."""


def function_of(metric: OwnMetric) -> Function:
    """The function of a metric by `module:function`.

    Raises StepError where it is not to be had on this machine, so that the step can be tried again.
    """
    module, _, name = metric.name.partition(":")
    try:
        imported = import_module(module)
    except Exception as error:
        what = f"module '{module}' of metric {metric.name} cannot be imported"
        raise StepError(
            f"{what}: {type(error).__name__}: {error}",
            cure="install it where workers run, or put its folder on PYTHONPATH",
        ) from error
    if not hasattr(imported, name):
        cure = nearest(name, [each for each in vars(imported) if not each.startswith("_")])
        raise StepError(f"module '{module}' has no function '{name}'", cure=cure)
    function: Function = getattr(imported, name)
    if not callable(function):
        raise StepError(f"metric {metric.name} is no function", cure="name one that can be called")
    return function


def own_value(
    function: Function, truth: Floats, forecast: Floats, last: Floats, scale: float | Floats
) -> float:
    """What the function says. Raises NoValue where it raises or gives no finite number."""
    try:
        value = function(_read_only(truth), _read_only(forecast), _read_only(last), scale)
    except Exception as error:
        raise NoValue(f"it raised {type(error).__name__}: {error}"[:MOST_WORDS]) from error
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise NoValue(f"it gave no number, but {value!r}"[:MOST_WORDS])
    if not isfinite(value):
        raise NoValue(f"it gave {float(value)}")
    return float(value)


def _read_only(array: Floats) -> Floats:
    """The same memory, which a function cannot change for those that come after it."""
    view = array.view()
    view.flags.writeable = False
    return view
