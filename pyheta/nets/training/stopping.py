"""Early stopping: when training ends, and the weights of which epoch are kept."""

from math import inf
from typing import Self

from pyheta.nets.training.options import Train


class EarlyStopping:
    """Keeps the epoch with the best loss; done after `patience` epochs without a better one.

    With `weights: last` every epoch counts as an improvement, so patience never stops training.
    """

    def __init__(self, epochs: int, patience: int, min_delta: float, *, last: bool = False) -> None:
        self.epochs = epochs
        self.patience = patience
        self.min_delta = min_delta
        self.last = last
        self.kept_loss = inf
        self.kept_epoch = 0
        self.epoch = 0

    @classmethod
    def of(cls, options: Train) -> Self:
        last = options.weights == "last"
        return cls(options.epochs, options.patience, options.min_delta, last=last)

    def keeps(self, loss: float) -> bool:
        """Count an epoch; whether it is kept because its loss is better by more than min_delta."""
        self.epoch += 1
        kept = self.last or self.kept_loss - loss > self.min_delta
        if kept:
            self.kept_loss, self.kept_epoch = loss, self.epoch
        return kept

    @property
    def exhausted(self) -> bool:
        return self.epoch - self.kept_epoch >= self.patience

    @property
    def done(self) -> bool:
        return self.epoch == self.epochs or self.exhausted
