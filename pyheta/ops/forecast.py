"""The `forecast` step: a run's forecasts of training, validation and test, added up.

With `score` it is the only step that may see the test part: nothing is learned here.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pyheta.errors import Diverged
from pyheta.ops.fitted import Fitted
from pyheta.ops.params import ForecastParams
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.pipeline.forecasts import Forecasts, name_of
from pyheta.pipeline.recompose import Forecast, recompose, refuse_gap
from pyheta.pipeline.scaling import is_high
from pyheta.pipeline.seen import Inputs, Seen
from pyheta.pipeline.splits import PARTS, Part, Split
from pyheta.pipeline.windows import Windows
from pyheta.task import Result, Task

Arrays = dict[str, NDArray[Any]]


def forecast(task: Task) -> Result:
    """Product `forecast`: see `pipeline.forecasts.Forecasts`.

    Raises Diverged if a forecast is not finite, StepError if the components do not add up to the
    target.
    """
    made = predicted(ForecastParams.of(task.params), task.inputs)
    path = task.out / "forecast.safetensors"
    made.write(path)
    return Result(products={"forecast": path}, summary={"forecasts": len(made.time("test"))})


def predicted(params: ForecastParams, inputs: Inputs, parts: Sequence[Part] = PARTS) -> Forecasts:
    """The forecasts of a run's nets, whose weights are in inputs["fit/COMPONENT"]. Raises so.

    Where a net was trained once more, on training and validation, the product `final` has it: it
    forecasts the test part, and no other, since it has seen the truth of them.
    """
    seen = Seen.of(params, inputs)
    fits = {name: inputs[f"fit/{name}"] for name in params.components}
    nets = {name: Fitted.read(products["weights"], seen) for name, products in fits.items()}
    table = seen.table().select(params.targets)
    split, stride = Split.of(params.split), params.stride or 1
    final = {name: _final(net, fits[name]) for name, net in nets.items()}
    arrays: Arrays = {}
    for part in parts:
        made = [
            Prediction.of(name, net, net.windows(part, split, stride), table.time)
            for name, net in (final if part == "test" else nets).items()
        ]
        arrays |= _of_part(part, _together(made), list(table.columns.values()), table.time)
    first, *others = nets.values()
    return Forecasts(arrays, exact=first.exact and not others)  # a sum is rounded too


def _final(net: Fitted, products: Mapping[str, Path]) -> Fitted:
    return net.retrained(products["final"]) if "final" in products else net


class Prediction(NamedTuple):
    """A net's forecasts of one part, from `time` (n,) on."""

    component: str
    net: Fitted
    time: NDArray[np.int64]
    values: Floats  # (n, targets, horizon)

    @classmethod
    def of(
        cls, component: str, net: Fitted, windows: Windows, time: NDArray[np.int64]
    ) -> "Prediction":
        return cls(component, net, time[windows.rows], net.predict(windows))

    def of_target(self, number: int, time: NDArray[np.int64]) -> Forecast:
        """The n-th target's, beside the truth that this net had to forecast."""
        values = self.values[:, number]
        return Forecast(
            self.time, truth_at(self.net.target(number), self.time, values.shape[1], time), values
        )


def _together(made: Sequence[Prediction]) -> list[Prediction]:
    """The same from the time on at which all nets have a window: longer ones begin later."""
    start = max(each.time[0] for each in made)
    starts = [int(np.searchsorted(each.time, start)) for each in made]
    return [
        each._replace(time=each.time[skipped:], values=each.values[skipped:])
        for each, skipped in zip(made, starts, strict=True)
    ]


def truth_at(
    series: Floats, first: NDArray[np.int64], steps: int, time: NDArray[np.int64]
) -> Floats:
    """(n, steps): the values from the times `first` (n,) on of a series (rows,) at `time`."""
    truth: Floats = sliding_window_view(series, steps)[np.searchsorted(time, first)]
    return truth


def _of_part(
    part: Part,
    made: Sequence[Prediction],
    targets: Sequence[Floats],
    time: NDArray[np.int64],
) -> Arrays:
    """The arrays of all targets, which have the same times, side by side."""
    each = [_of_target(part, number, made, series, time) for number, series in enumerate(targets)]
    first = each[0]
    if len(each) == 1:
        stacked = first
    else:
        stacked = {name: np.stack([arrays[name] for arrays in each], axis=1) for name in first}
    return {f"{part}/time": made[0].time, **stacked}


def _of_target(
    part: Part,
    number: int,
    made: Sequence[Prediction],
    series: Floats,
    time: NDArray[np.int64],
) -> Arrays:
    """The n-th target: its components' forecasts and their sum."""
    components = {each.component: each.of_target(number, time) for each in made}
    summed = recompose(components)
    truth = truth_at(series, summed.time, summed.values.shape[1], time)
    refuse_gap(summed, truth)
    if not np.isfinite(summed.values).all():
        raise Diverged(
            "a forecast is not finite", cure="lower the learning rate or check the scale"
        )
    exact = len(made) == 1 and made[0].net.exact
    return dict(_stored(part, components | {WHOLE: summed}, exact=exact))


def _stored(
    part: Part, forecasts: Mapping[str, Forecast], *, exact: bool
) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, forecast in forecasts.items():
        wide = exact or is_high(forecast.truth[:, 0])
        yield name_of(part, name), forecast.values.astype(np.float64 if wide else np.float32)
