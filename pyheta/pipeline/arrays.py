"""The kinds of numpy arrays that the house speaks of. Shapes stand where an array is used."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Series, losses and statistics, as they are computed.
Floats = NDArray[np.float64]

#: Windows and channels: float32 where a net is trained by gradient, else float64.
Array = NDArray[np.floating[Any]]

#: What compiled nets work on: windows, weights, gradients and forecasts.
Float32s = NDArray[np.float32]

#: Numbers of rows, windows or cells.
Rows = NDArray[np.int64]
