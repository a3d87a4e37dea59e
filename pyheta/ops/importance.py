"""The `importance` step: permutation importance of columns (Breiman 2001, section 10).

A column's windows are shuffled, so that each is as likely as before but belongs to another moment.
How much the error rises tells how much the net relies on the column; it does not tell how well
another net could do without it. The error is that of the validation part, since people choose
columns by it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from pyheta.ops.fitted import Fitted
from pyheta.ops.params import ImportanceParams
from pyheta.pipeline.seen import Seen
from pyheta.pipeline.splits import Split
from pyheta.pipeline.windows import Windows
from pyheta.task import Result, Task


def importance(task: Task) -> Result:
    """No product; the summary has the net's `rmse_scaled` and each exogenous series' rise of it.

    `rise` is (rmse with the series permuted - rmse) / rmse, the mean over the permutations, and
    `std` their deviation, with errors in scaled units. The targets' own past is never permuted; all
    that a net sees of a series that is known ahead is permuted together.
    """
    params = ImportanceParams.of(task.params)
    net = Fitted.read(task.inputs["fit"]["weights"], Seen.of(params, task.inputs))
    windows = net.windows("val", Split.of(params.split))
    rmse = _rmse(net, windows)
    columns: dict[str, dict[str, float]] = {}
    if not rmse:  # nothing can rise in proportion to it
        return Result(products={}, summary={"rmse_scaled": rmse, "columns": columns})
    for label, channels in _exogenous(net, params).items():
        errors = [_rmse(net, shuffled) for shuffled in _shuffled(net, windows, channels, params)]
        rises = np.array(errors) / rmse - 1
        columns[label] = {"rise": float(rises.mean()), "std": float(rises.std())}
    return Result(products={}, summary={"rmse_scaled": rmse, "columns": columns})


def _exogenous(net: Fitted, params: ImportanceParams) -> Mapping[str, list[int]]:
    """The channels of each exogenous series, by its label: of how many rows ahead none speaks."""
    channels: dict[str, list[int]] = {}
    for channel, source in enumerate(net.checkpoint.sources):
        if source.column not in params.targets:
            channels.setdefault(replace(source, ahead=0).label, []).append(channel)
    return channels


def _shuffled(
    net: Fitted, windows: Windows, channels: Sequence[int], params: ImportanceParams
) -> Iterator[Windows]:
    """The windows again and again, each time with those of some channels in another order."""
    random = np.random.default_rng([params.seed, channels[0]])
    for _ in range(params.permutations):
        yield net.permuted(channels, windows, random.permutation(len(windows)))


def _rmse(net: Fitted, windows: Windows) -> float:
    """Over all windows, targets and steps, in scaled units."""
    return float(np.sqrt(np.square(net.net.predict(windows) - windows.targets).mean()))
