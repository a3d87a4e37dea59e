"""A fitted net's forecasts of one part of the data, in the units of its targets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyheta.nets.checkpoint import Checkpoint
from pyheta.nets.configs.union import config_of
from pyheta.nets.forecaster import Forecaster
from pyheta.nets.registry import build
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.channels import Channel, read_channels
from pyheta.pipeline.scaling import Scaler
from pyheta.pipeline.seen import Seen
from pyheta.pipeline.splits import Part, Split
from pyheta.pipeline.transforms import invert, transformed
from pyheta.pipeline.windows import Windows, cut


@dataclass(frozen=True, slots=True)
class Fitted:
    """A net that is ready to predict, and its channels in their own units, none transformed."""

    checkpoint: Checkpoint
    net: Forecaster
    channels: Sequence[Channel]

    @classmethod
    def read(cls, weights: Path, seen: Seen) -> "Fitted":
        checkpoint = Checkpoint.read(weights)
        channels = read_channels(checkpoint.sources, seen, checkpoint.shape.lookback)
        return cls(checkpoint, _restored(checkpoint), channels)

    def retrained(self, weights: Path) -> "Fitted":
        """The same net, reading the same channels, with what it has learned in another training."""
        checkpoint = Checkpoint.read(weights)
        return Fitted(checkpoint, _restored(checkpoint), self.channels)

    @property
    def scalers(self) -> Sequence[Scaler]:
        """The scalers of the targets."""
        return self.checkpoint.scalers[: self.checkpoint.shape.targets]

    @property
    def exact(self) -> bool:
        """Whether no rounding comes between what the net reads and what it forecasts."""
        return config_of(self.checkpoint.net).in_own_units

    def target(self, number: int) -> Floats:
        """(rows,): the true values of the net's n-th target, NaN where they are unknown."""
        return self.channels[number].values.astype(np.float64)

    def windows(self, part: Part, split: Split, stride: int = 1) -> Windows:
        """The windows of a part, one every `stride` rows: targets transformed, all scaled."""
        made = self.checkpoint
        channels = transformed(self.channels, made.shape.targets, made.transform)
        pairs = zip(channels, made.scalers, strict=True)
        series = [channel.scaled(scaler, self.net.dtype) for channel, scaler in pairs]
        return cut(series, split.targets(part), made.shape, stride)

    def predict(self, windows: Windows) -> Floats:
        """(n, targets, horizon), each de-scaled with its own scaler, then transformed back."""
        forecast = self.net.predict(windows)
        for number, scaler in enumerate(self.scalers):  # in place: it can be large
            last = self.target(number)[windows.rows - 1]
            changes = scaler.invert(forecast[:, number])
            forecast[:, number] = invert(self.checkpoint.transform, changes, last)
        return forecast

    def permuted(
        self, channels: Sequence[int], windows: Windows, order: NDArray[np.intp]
    ) -> Windows:
        """The same windows with some channels shuffled among them, so that they say nothing."""
        inputs = np.array(windows.inputs)
        for channel in channels:
            inputs[:, channel] = inputs[order, channel]
        return replace(windows, inputs=inputs)


def _restored(checkpoint: Checkpoint) -> Forecaster:
    net = build(checkpoint.net, checkpoint.shape)
    net.restore(checkpoint.state)
    return net
