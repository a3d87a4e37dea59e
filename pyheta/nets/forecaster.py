"""What the steps `fit` and `score` know of a net, be it trained, solved or a plain rule."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pyheta.nets.training.history import History
from pyheta.nets.training.options import Train
from pyheta.nets.training.resume import EarlierFit
from pyheta.nets.training.trainer_state import State
from pyheta.pipeline.windows import Windows
from pyheta.task import Progress


class Forecaster(ABC):
    """A net in scaled units, or in its targets' own: see `NetConfig.in_own_units`.

    It begins untrained; `fit` or `restore` makes it ready to predict. `dtype` is the type of its
    windows.
    """

    dtype: ClassVar[type[np.floating[Any]]] = np.float64

    def fit(
        self,
        train: Windows,  # noqa: ARG002 (the default is for nets that have nothing to learn)
        val: Windows,  # noqa: ARG002
        options: Train,  # noqa: ARG002
        progress: Progress,  # noqa: ARG002
        earlier: EarlierFit | None = None,  # noqa: ARG002
    ) -> History | None:
        """Learn from `train`, decide by `val`. `earlier` is a fit that can be resumed.

        Returns a history if it trains in epochs. Raises Diverged.
        """
        return None

    def decided(self) -> Mapping[str, Any]:
        """The net's options as validation has chosen them, for one that is to learn without it."""
        return {}

    @abstractmethod
    def predict(self, windows: Windows) -> NDArray[np.float64]:
        """Forecasts (n, targets, horizon)."""

    def state(self) -> State:
        """All that was learned."""
        return {}

    def restore(self, state: State) -> None:  # noqa: B027 (nothing learned, nothing to restore)
        """Take a state that `state` has returned."""
