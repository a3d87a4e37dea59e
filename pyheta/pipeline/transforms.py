"""What a net is given of its targets in place of their values, and the way back from its forecasts.

    method     what stands in row t       y(T+h) from y(T), the last known value, and forecasts f
    diff       y(t) - y(t-1)              y(T) + f(1) + … + f(h)
    log        ln y(t)                    exp f(h)
    log_diff   ln y(t) - ln y(t-1)        y(T) exp(f(1) + … + f(h))
    returns    y(t) / y(t-1) - 1          y(T) (1 + f(1)) … (1 + f(h))

(Differences and logarithms: Hyndman & Athanasopoulos 2021, sections 3.1 and 9.1.) Row t is made of
rows up to t. Row 0 of a change is unknown: NaN. Where a value is carried on, changes are 0, and the
next observed row holds the change since the last observed one.

The exponential of a mean is not the mean: what is forecast by way of a logarithm is nearer to the
median of the target than to its mean.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, assert_never

from pyheta.errors import StepError

if TYPE_CHECKING:  # numpy takes longer to import than most commands that only look
    from collections.abc import Mapping, Sequence

    from pyheta.pipeline.arrays import Array, Floats
    from pyheta.pipeline.channels import Channel

#: How targets can be transformed; sweeps read this too.
Method = Literal["none", "diff", "log", "log_diff", "returns"]

#: Those that leave nothing of a series' level. One row is lost to them: the first.
CHANGES: frozenset[Method] = frozenset({"diff", "log_diff", "returns"})

#: What all values of a target have to be for these.
NEEDS: Mapping[Method, str] = {
    "log": "values above 0",
    "log_diff": "values above 0",
    "returns": "values other than 0",
}

INSTEAD = "use transform: diff, or rows without such values (`from` and `to` under dataset)"


def first_unfit(method: Method, values: Array) -> int | None:
    """The first row that has no such transform; None where all have one. NaN is no such row."""
    match method:
        case "none" | "diff":
            return None
        case "log" | "log_diff":
            unfit = values <= 0
        case "returns":
            unfit = values == 0
        case _:
            assert_never(method)
    return int(unfit.argmax()) if unfit.any() else None


def transform(method: Method, values: Array) -> Array:
    """The transformed series (rows,), NaN where it is unknown; for `none` the very same array.

    Raises StepError where a value has no such transform.
    """
    import numpy as np

    if (row := first_unfit(method, values)) is not None:
        what = f"row {row + 1:,} is {values[row]:g}, and {method} needs {NEEDS[method]}"
        raise StepError(what, cure=INSTEAD)
    match method:
        case "none":
            return values
        case "diff":
            return np.diff(values.astype(float), prepend=np.nan)
        case "log":
            return np.asarray(np.log(values.astype(float)))
        case "log_diff":
            return np.diff(np.log(values.astype(float)), prepend=np.nan)
        case "returns":
            known = values.astype(float)
            return np.diff(known, prepend=np.nan) / np.concatenate(([np.nan], known[:-1]))
        case _:
            assert_never(method)


def invert(method: Method, forecast: Floats, last: Floats) -> Floats:
    """Forecasts in the target's units from those of its transform, (n, horizon), in float64.

    `last` (n,) holds the target's value in the row before each first forecast. What is too large
    becomes infinite.
    """
    import numpy as np

    known = last[:, np.newaxis]
    with np.errstate(over="ignore", invalid="ignore"):  # a net that has diverged
        match method:
            case "none":
                return forecast
            case "diff":
                return known + np.cumsum(forecast, axis=1)
            case "log":
                return np.asarray(np.exp(forecast))
            case "log_diff":
                return known * np.exp(np.cumsum(forecast, axis=1))
            case "returns":
                return known * np.cumprod(1 + forecast, axis=1)
            case _:
                assert_never(method)


def transformed(channels: Sequence[Channel], targets: int, method: Method) -> list[Channel]:
    """The same channels, the first `targets` of which are transformed: they are what is forecast.

    Raises StepError where a value has no such transform.
    """
    first = (replace(it, values=transform(method, it.values)) for it in channels[:targets])
    return [*first, *channels[targets:]]
