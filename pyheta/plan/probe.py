"""The probe for leakage: replace the future by noise, compute again, and see what changes.

The noise stands in the cells of the file, before anything is made of them: what is done about
missing values, what columns are and which are made of others is computed again. Columns that the
user declares as known ahead keep their future: whether they are known is not to be seen in numbers.

A step that learns from training rows must give the same result whatever comes after them; a causal
one must give the same for all rows before the noise (see `ops.params.FitOn`). A step that may see
the whole series may change, and so may those that need it: the sweep asked for it.
"""

import tempfile
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors.numpy import load_file

from pyheta.nets.checkpoint import Checkpoint
from pyheta.ops.params import FitOn
from pyheta.ops.registry import compute, fit_on
from pyheta.pipeline.data.draft import TIME, Draft
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.options.missing import Missing
from pyheta.pipeline.data.sources import table
from pyheta.pipeline.decomposition.methods import METHODS
from pyheta.pipeline.leakage import DECISIVE
from pyheta.pipeline.splits import PARTS, Split
from pyheta.plan.graph import Fold, RunGraph, load_step
from pyheta.plan.noise import moments, with_noise, without_holes
from pyheta.steps import Key, Step, canonical
from pyheta.sweep import Explain, Run, RunConfig
from pyheta.sweep.split import Split as SplitSection
from pyheta.task import Result, Task

#: A step that reads what it must not does so in small too: with few rows, trials and epochs.
ROWS = 1600
WINDOW = 200
TRIALS = 3
EPOCHS = 2

#: Runs that agree in these are probed as one, however many columns they read.
PROBED_APART = {*DECISIVE, "scale", "transform", "window"} - {"exog"}

#: The rows before the noise.
TRAINING, VALIDATION, SOME_OF_TEST = "training", "validation", "some of test"

Results = Mapping[Key, Result]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The probe's answer for one step."""

    step: Step
    fit_on: FitOn
    allowed: bool  # it, or something that it needs, may see the whole series
    changed: bool

    @property
    def leaks(self) -> bool:
        """Whether the future reached it although nothing allows that."""
        return self.changed and not self.allowed


@dataclass(frozen=True, slots=True)
class SmallRun:
    """One run's steps with few trials and epochs, and the table of few rows that they read.

    `whole`: the table of all rows.
    `noisy`: the table again, of a file whose cells are noise from a time on; `full`: so are those
    that are missing. `moments`: times at which something is done about cells or rows, or was just
    before. `masks`: columns that are there only where something is missing.
    """

    steps: Sequence[Step]
    frame: pl.DataFrame
    split: Split
    whole: pl.DataFrame
    noisy: Callable[[datetime], pl.DataFrame]
    full: Callable[[datetime], pl.DataFrame]
    moments: Sequence[datetime] = ()
    masks: Collection[str] = ()


# From a result, the first row of noise and the run: what the noise must not change.
Kept = Callable[[Result, int, SmallRun], object]


def probe(small: SmallRun) -> list[Verdict]:
    """Compute the steps on the series as it is, and with noise from each of three rows on."""
    with tempfile.TemporaryDirectory(prefix="pyheta-probe-") as folder:
        plain = execute(small.steps, small.frame, Path(folder) / "plain")
        noisy: dict[int, Results] = {}
        for start in sorted(set(_starts(small.split).values())):
            noisy[start] = execute(
                small.steps, _noisy(small, start), Path(folder) / f"from-{start}"
            )
        return list(_verdicts(small, plain, noisy))


def _noisy(small: SmallRun, start: int) -> pl.DataFrame:
    """The table of few rows where row `start` and all after it are noise."""
    return small.noisy(small.frame[TIME][start])[: small.frame.height]


def _starts(split: Split) -> Mapping[str, int]:
    """The first rows of noise, by what lies before them."""
    return {
        TRAINING: split.train[1],
        VALIDATION: split.val[1],
        SOME_OF_TEST: sum(split.targets("test")) // 2,
    }


def execute(steps: Sequence[Step], frame: pl.DataFrame, folder: Path) -> Results:
    """All steps on this table, one after the other, in this process."""
    done: dict[Key, Result] = {}
    for number, step in enumerate(steps):
        out = folder / str(number)
        out.mkdir(parents=True)
        if step.op == "load":
            path = out / "table.parquet"
            frame.write_parquet(path)
            done[step.key] = Result({"table": path})
        else:
            inputs = {role: done[key].products for role, key in step.needs.items()}
            done[step.key] = compute(step.op, Task(step.params, inputs, out))
    return done


def _verdicts(small: SmallRun, plain: Results, noisy: Mapping[int, Results]) -> Iterator[Verdict]:
    allowed: set[Key] = set()
    for step in small.steps:
        sees = fit_on(step.op, step.params)
        if sees is FitOn.WHOLE or allowed.intersection(step.needs.values()):
            allowed.add(step.key)
        if step.op == "load":
            yield Verdict(step, sees, step.key in allowed, changed=_table_changed(small))
        elif kept := COMPARED.get(step.op):
            changed = _changed(kept, step.key, small, plain, noisy)
            yield Verdict(step, sees, step.key in allowed, changed=changed)


def _table_changed(small: SmallRun) -> bool:
    """Whether rows of the table change before the noise.

    It also begins where something is done about cells or rows: what is made there of later ones
    shows nowhere else.
    """
    borders = (small.frame[TIME][row] for row in _starts(small.split).values())
    return any(_differs(small, start) for start in sorted({*borders, *small.moments}))


def _differs(small: SmallRun, start: datetime) -> bool:
    """Whether rows before a time change with what comes after. A mask that is gone was 0."""
    plain, spoilt = (each.filter(pl.col(TIME) < start) for each in (small.whole, small.full(start)))
    gone = [name for name in plain.columns if name not in spoilt.columns]
    if not set(gone) <= set(small.masks):
        return True
    spoilt = spoilt.with_columns(pl.lit(0.0).alias(name) for name in gone)
    return not spoilt.select(plain.columns).equals(plain)


def _changed(
    kept: Mapping[str, Kept],
    key: Key,
    small: SmallRun,
    plain: Results,
    noisy: Mapping[int, Results],
) -> bool:
    """Whether the noise changes what it must not change."""
    for before, take in kept.items():
        start = _starts(small.split)[before]
        if take(plain[key], start, small) != take(noisy[start][key], start, small):
            return True
    return False


def _of_rows(result: Result, start: int, _small: SmallRun) -> object:
    """What was computed for the rows before the noise."""
    return [_bytes(load_file(path), start) for path in result.products.values()]


def _of_weights(result: Result, _start: int, _small: SmallRun) -> object:
    return [path.read_bytes() for path in result.products.values()]


def _of_training(result: Result, _start: int, _small: SmallRun) -> object:
    """What training rows alone decide: scalers, and weights that are not chosen by validation."""
    checkpoint = Checkpoint.read(result.products["weights"])
    if "curves" in result.products:  # validation chooses the epoch, not the first training loss
        return checkpoint.scalers, load_file(result.products["curves"])["train_loss"][:1].tobytes()
    if "alpha" in checkpoint.state:  # validation chooses it, and the weights follow from it
        return checkpoint.scalers
    return checkpoint.scalers, [array.tobytes() for array in checkpoint.state.values()]


def _of_summary(result: Result, _start: int, _small: SmallRun) -> object:
    return canonical(result.summary)


def _of_forecasts(result: Result, start: int, small: SmallRun) -> object:
    """The forecasts that were made before the noise began, those of all parts."""
    arrays = load_file(result.products["forecast"])
    first_noise = small.frame["time"].to_physical()[start]
    before = {str(part): arrays[f"{part}/time"] <= first_noise for part in PARTS}
    return [
        arrays[name][before[name.partition("/")[0]]].tobytes()
        for name in sorted(arrays)
        if name.endswith("forecast")
    ]


def _bytes(arrays: Mapping[str, NDArray[Any]], rows: int) -> Mapping[str, bytes]:
    return {name: np.ascontiguousarray(array[:rows]).tobytes() for name, array in arrays.items()}


# What noise must not change, by operation and by the rows before the noise.
COMPARED: Mapping[str, Mapping[str, Kept]] = {
    "decompose": dict.fromkeys((TRAINING, VALIDATION, SOME_OF_TEST), _of_rows),
    "shape": dict.fromkeys((TRAINING, VALIDATION, SOME_OF_TEST), _of_rows),
    "relevance": {TRAINING: _of_summary},
    "fit": {TRAINING: _of_training, VALIDATION: _of_weights},
    "forecast": {SOME_OF_TEST: _of_forecasts},
}


def small_runs(
    runs: Sequence[Run], datasets: Mapping[str, DatasetFacts], files: Mapping[str, Path]
) -> Iterator[tuple[Run, SmallRun]]:
    """For each way in which a sweep's runs treat their series one run in small.

    Of runs that differ in columns, training, seeds or folds alone it is the one with the most
    columns; of a rolling origin the first fold.
    """
    for run in _representatives(runs):
        facts = datasets[run.config.dataset_key()]
        frame, draft = _read(facts, path := files.get(facts.files.get("raw", "")))
        config = _in_small(run.config, facts)
        small = frame[: _rows(config)]
        of_small = _of_rows_alone(facts, small.height)
        explain = Explain(relevance=("farm", "pearson"), draws=2)
        graph = RunGraph(
            config.reduced(), config.nets(), load_step(facts), of_small, explain, small.height
        )
        (split,) = config.split.splits(of_small)
        graph.score([Fold(graph, split, run.seed)])
        yield (
            run,
            SmallRun(
                steps=list(graph.steps.values()),
                frame=small,
                split=split,
                whole=frame,
                noisy=partial(_noisy_table, facts, path),
                full=partial(_full_table, facts, path, frame[TIME]),
                moments=_moments(draft, frame[TIME], facts),
                masks=facts.meaning.masks.values(),
            ),
        )


def _read(facts: DatasetFacts, path: Path | None) -> tuple[pl.DataFrame, Draft]:
    """The table of a data set, and the cells that it is made of."""
    cells: list[Draft] = []

    def keep(draft: Draft) -> Draft:
        cells.append(draft)
        return draft

    return table(facts.source, path, keep).frame, cells[0]


def _noisy_table(facts: DatasetFacts, path: Path | None, start: datetime) -> pl.DataFrame:
    known = facts.meaning.declared
    return table(facts.source, path, lambda draft: with_noise(draft, start, known)).frame


def _full_table(
    facts: DatasetFacts, path: Path | None, times: pl.Series, start: datetime
) -> pl.DataFrame:
    """The same without missing cells and rows. Intervals without any row stay so."""
    known, rows = facts.meaning.declared, times.clear() if _resamples(facts) else times
    return table(facts.source, path, lambda it: without_holes(it, start, rows, known)).frame


def _resamples(facts: DatasetFacts) -> bool:
    return bool(facts.source.get("resample"))


def _moments(draft: Draft, times: pl.Series, facts: DatasetFacts) -> list[datetime]:
    """Where noise is tried; an interval that is made of rows is noise from its start on."""
    if "synthetic" in facts.source:
        return []  # nothing is missing there
    found = moments(draft, times, DataOptions.of(facts.source).missing or Missing())
    if not _resamples(facts):
        return found
    starts = times.to_list()
    return sorted({starts[bisect_right(starts, moment) - 1] for moment in found})


def _representatives(runs: Sequence[Run]) -> Sequence[Run]:
    chosen: dict[str, Run] = {}
    for run in runs:
        config = run.config.reduced()
        compared = config.model_dump(mode="json", include=PROBED_APART)
        kind = canonical([run.config.dataset_key(), config.net.name, config.split.final, compared])
        if kind not in chosen or len(chosen[kind].config.exog) < len(run.config.exog):
            chosen[kind] = run
    return list(chosen.values())


def _in_small(config: RunConfig, facts: DatasetFacts) -> RunConfig:
    decompose, train = config.decompose, config.train
    smaller = {
        "window": min(decompose.window, _least_window(config)),
        "trials": min(decompose.trials, TRIALS),
    }
    return config.model_copy(
        update={
            "decompose": decompose.model_copy(update=smaller),
            "split": _in_fractions(config, facts),
            "window": config.window.model_copy(update={"stride": 1}),
            # Validation chooses a learning rate that is found: no leak, but a change
            "train": train.model_copy(
                update={"epochs": min(train.epochs, EPOCHS), "find_lr": False}
            ),
            "keep": "forecasts",  # they are what is compared
        }
    )


def _of_rows_alone(facts: DatasetFacts, rows: int) -> DatasetFacts:
    """The facts of the first rows of a data set."""
    return replace(facts, rows=rows, times=None if facts.times is None else facts.times[:rows])


def _in_fractions(config: RunConfig, facts: DatasetFacts) -> SplitSection:
    """The proportions of the first fold on however many rows, with some of its gap."""
    split, *_ = config.split.splits(facts)
    lengths = [stop - start for start, stop in map(split.targets, PARTS)]
    train, val, test = (rows / sum(lengths) for rows in lengths)
    gap = min(config.split.gap, config.window.horizon)
    return SplitSection(train=train, val=val, test=test, gap=gap, final=config.split.final)


def _least_window(config: RunConfig) -> int:
    """Rows that a decomposition needs for its options and for the nets' windows."""
    options = config.decompose.model_dump()
    needed = METHODS[config.decompose.method].least_rows(options)
    return max(WINDOW, needed, *(2 * net.window.input for net in config.nets().values()))


def _rows(config: RunConfig) -> int:
    """Enough for every part to hold some windows."""
    longest = max(net.net.lookback(net.window.input) for net in config.nets().values())
    longest += config.decompose.window if config.decompose.method != "none" else 0
    longest += config.shaping.window if config.shaping.method != "none" else 0
    room = longest + 10 * config.window.horizon
    train, val, test = config.split.model_dump(include={str(part) for part in PARTS}).values()
    return max(ROWS, int(2 * room / min(train, 4 * val, 4 * test)))
