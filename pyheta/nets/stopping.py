"""When a training ends, and which of its epochs it keeps."""

from math import inf


class EarlyStopping:
    """Keeps the best loss seen, and says when it has not improved for `patience` epochs."""

    def __init__(self, epochs: int, patience: int, min_delta: float) -> None:
        self.epochs = epochs
        self.patience = patience
        self.min_delta = min_delta
        self.best_loss = inf
        self.best_epoch = 0
        self.epoch = 0

    def improves(self, loss: float) -> bool:
        """Take the next epoch's loss; whether it is better than the best by more than min_delta."""
        self.epoch += 1
        better = self.best_loss - loss > self.min_delta
        if better:
            self.best_loss, self.best_epoch = loss, self.epoch
        return better

    @property
    def exhausted(self) -> bool:
        return self.epoch - self.best_epoch >= self.patience

    @property
    def done(self) -> bool:
        return self.epoch == self.epochs or self.exhausted
