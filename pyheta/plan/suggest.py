"""What a first sweep of a data set could be: numbers that fit its rows and train in seconds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pyheta.errors import DataError
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.guess import Guess, changing, guess_among, labels_a_row
from pyheta.pipeline.splits import PARTS, Split
from pyheta.sweep.written import can_be_written

MANY_ROWS = 1000  # from here on a tenth of the rows is enough to validate
LONGEST_SEASON = 168  # rows of a season that a first window follows
INSTEAD = 24  # rows that are forecast where a season is longer
LEAST_INPUT = 16  # rows of a window where there is room
ORIGINS = 4  # forecasts of a part, at least where there is room
WINDOWS = 8  # of training, likewise
COMPANIONS = 4  # columns beside the target

#: From so many training rows on: windows of one batch, epochs.
TRAINING = {50_000: (1024, 5), 5_000: (256, 15), 0: (32, 30)}


@dataclass(frozen=True, slots=True)
class FirstSweep:
    """Numbers of rows, and columns. `season` is None where the training part holds none."""

    target: Guess
    exog: tuple[str, ...]
    split: dict[str, float]
    input: int
    horizon: int
    season: int | None
    batch_size: int
    epochs: int


def suggest(facts: DatasetFacts) -> FirstSweep:
    """A season ahead from two seasons back, or as much of that as there is room for.

    Raises DataError where there is nothing to forecast, or where rows are too few for three parts.
    """
    target = guess_among([name for name in changing(facts) if can_be_written(name)])
    split = {"train": 0.6, "val": 0.1, "test": 0.3}
    if facts.rows < MANY_ROWS:
        split = {"train": 0.6, "val": 0.2, "test": 0.2}
    train, judged = _room(facts, split, target.column)
    season = facts.cadence.season or 1
    unit = season if season <= LONGEST_SEASON else INSTEAD
    horizon = _largest(_halves(unit), lambda rows: rows + ORIGINS - 1 <= judged)
    rows = _largest(_inputs(unit), lambda rows: rows + horizon + WINDOWS - 1 <= train)
    batch_size, epochs = next(told for least, told in TRAINING.items() if train >= least)
    return FirstSweep(
        target=target,
        exog=_companions(facts, target.column),
        split=split,
        input=rows,
        horizon=horizon,
        season=season if 1 < season <= train - horizon else None,
        batch_size=batch_size,
        epochs=epochs,
    )


def _room(facts: DatasetFacts, split: dict[str, float], target: str) -> tuple[int, int]:
    """The rows to train on, and those of the smaller part to judge by."""
    borders = Split.by_shares(split, facts.rows)
    train, *judges = [stop - start for start, stop in map(borders.targets, PARTS)]
    train, judged = train - facts.by_column[target].first, min(judges)
    if train < 2 or judged < 1:  # noqa: PLR2004 (one row to see, one to forecast)
        what = f"{facts.rows} rows are too few to train on some, validate on some and test on some"
        raise DataError(what, cure="a first sweep needs five rows at least")
    return train, judged


def _largest(candidates: Iterator[int], fits: Callable[[int], bool]) -> int:
    """The first of falling numbers that fits, 1 if none does."""
    return next((number for number in candidates if fits(number)), 1)


def _inputs(unit: int) -> Iterator[int]:
    """Whole seasons, from two of them and LEAST_INPUT on down, then parts of one."""
    most = max(2, -(-LEAST_INPUT // unit))
    yield from (unit * count for count in range(most, 1, -1))
    yield from _halves(unit)


def _halves(number: int) -> Iterator[int]:
    while number:
        yield number
        number //= 2


def _companions(facts: DatasetFacts, target: str) -> tuple[str, ...]:
    """The first columns that may tell something about the target, those known ahead first."""
    digests = {facts.by_column[target].digest}
    named = [name for name in facts.columns if name in facts.meaning.known]
    named += [name for name in changing(facts) if not labels_a_row(name)]
    kept: list[str] = []
    for name in named:
        column = facts.by_column[name]
        if column.digest not in digests and not column.first and can_be_written(name):
            digests.add(column.digest)
            kept.append(name)
    return tuple(kept[:COMPANIONS])
