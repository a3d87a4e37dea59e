"""Linear decompositions of every window of a series, as one matrix that is built once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.decomposition.method import Options, Out
from pyheta.task import Progress

BLOCK = 512  # windows that are copied at a time

Rows = Callable[[Floats], Floats]  # (n,) to (components, n)


@dataclass(frozen=True, slots=True)
class Linear:
    """A method whose components are linear in the values: a `Computation`.

    rows: from values (n,) and options to components (components, n) that add up to them.
    """

    rows: Callable[[Floats, Options], Floats]

    def whole(self, values: Floats, options: Options, _progress: Progress) -> Floats:
        return self.rows(values, options)

    def roll(
        self, values: Floats, options: Options, first: int, out: Out, progress: Progress
    ) -> None:
        def rows(window: Floats) -> Floats:
            return self.rows(window, options)

        if options["grow"]:
            roll_growing(values, rows, first, out, progress=progress)
        else:
            roll_linear(values, rows, options["window"], first, out, progress=progress)


def roll_linear(
    values: Floats, rows: Rows, window: int, first: int, out: Out, *, progress: Progress
) -> None:
    """Fill out[0] (components, n) and out[1] (components, n, keep) from row `first` on.

    The ends of the components of a window are linear in its values, so decomposing every unit
    vector gives the matrix for all windows.
    """
    keep = out[1].shape[2]
    # (window, components, keep), before transposing: what one unit at each place does to the ends
    units = np.stack([rows(unit)[:, -keep:] for unit in np.eye(window)])
    matrix = units.reshape(window, -1)
    windows = sliding_window_view(values, window)
    ends = sliding_window_view(values, keep)[window - keep :]
    # Always as many rows, and each in the same place, since a product's last bits may depend on
    # both: so the block of the first row is computed as a whole.
    batch = np.zeros((BLOCK, window))
    begin = (first - window + 1) // BLOCK * BLOCK
    for start in range(begin, len(windows), BLOCK):
        block = slice(start, min(start + BLOCK, len(windows)))
        count = block.stop - start
        batch[:count] = windows[block]
        parts = (batch @ matrix)[:count].reshape(-1, *units.shape[1:])
        # Rounding goes into the last component, so that all still add up.
        parts[:, -1] = ends[block] - parts[:, :-1].sum(axis=1)
        _keep(parts, block.start + window - 1, out)
        progress({"done": block.stop - begin, "of": len(windows) - begin})


def roll_growing(values: Floats, rows: Rows, first: int, out: Out, *, progress: Progress) -> None:
    """The same for windows from row 0 to each row, decomposed one by one."""
    keep = out[1].shape[2]
    for t in range(first, len(values)):
        _keep(rows(values[: t + 1])[np.newaxis, :, -keep:], t, out)
        if (t - first) % BLOCK == 0 or t == len(values) - 1:
            progress({"done": t + 1 - first, "of": len(values) - first})


def _keep(parts: Floats, row: int, out: Out) -> None:
    """parts: (windows, components, keep), of windows that end in `row` and the rows after it."""
    stop = row + len(parts)
    out[0][:, row:stop] = parts[:, :, -1].T
    out[1][:, row:stop] = (parts - parts[:, :, -1:]).swapaxes(0, 1)
