"""What each exogenous column adds, over all subsets of the others (Shapley 1953).

With v(S) the mean result over seeds of the runs that read the columns S, and n columns in all,
column i gets

    φ(i) = sum over S without i of |S|! (n - |S| - 1)! / n! · (v(S with i) - v(S)),

turned so that more is better. The values of all columns add up to v(all) - v(none).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, combinations
from math import factorial
from statistics import fmean
from typing import Any

from pyheta.errors import InputError
from pyheta.pipeline.leakage import leaks
from pyheta.report.grid import Grid, GridRow, Word
from pyheta.report.labels import keys_of, label
from pyheta.report.metrics import Meaning, definition_of
from pyheta.report.table import check_metrics
from pyheta.report.wording import LEAKY, leak_notes, unit_notes
from pyheta.steps import canonical
from pyheta.store.seam import RunRow, SweepRow

#: Of more columns than these the subsets are too many to be written out as a number.
MOST_COUNTED = 20

Subset = frozenset[str]
Worth = Mapping[Subset, float]


def shapley(worth: Worth) -> Mapping[str, float]:
    """Each column's share, by `worth`, which has a value for every subset of the columns."""
    columns = sorted(frozenset().union(*worth))
    return {column: _share(column, columns, worth) for column in columns}


def _share(column: str, columns: Sequence[str], worth: Worth) -> float:
    others, n = [other for other in columns if other != column], len(columns)
    return sum(
        factorial(len(subset))
        * factorial(n - len(subset) - 1)
        / factorial(n)
        * (worth[subset | {column}] - worth[subset])
        for subset in subsets(others)
    )


def subsets(columns: Sequence[str]) -> Iterable[Subset]:
    """All of them, small ones first."""
    sizes = range(len(columns) + 1)
    return map(frozenset, chain.from_iterable(combinations(columns, size) for size in sizes))


def shapley_grid(sweep: SweepRow, runs: Sequence[RunRow], metric: str, split: str) -> Grid:
    """A row for each configuration apart from its columns.

    Raises InputError where no run reads columns, and for a metric that no run has.
    """
    check_metrics([metric], runs)
    nets = [run for run in runs if run.role == "net"]
    columns = sorted({column for run in nets for column in run.config["exog"]})
    if not columns:
        cure = "add an axis such as `exog: {subsets: [a, b]}`"
        raise InputError("no run of this sweep reads exogenous columns", cure=cure)
    keys = [key for key in keys_of(("net.name", *sweep.axes), nets) if key != "exog"]
    groups, meaning = _groups(nets), definition_of(metric, runs)
    return Grid(
        title=f"{sweep.title}: what each column adds to {metric}, {split} split",
        keys=tuple(keys),
        columns=("none", *columns, "all"),
        rows=tuple(
            _row(group, keys, columns, meaning, _results(group, metric, split))
            for group in groups.values()
        ),
        notes=tuple(_notes(groups.values(), metric, meaning, sweep.leakage)),
    )


def _groups(runs: Iterable[RunRow]) -> Mapping[str, Sequence[RunRow]]:
    """The runs of one configuration, whatever their columns and seeds."""
    groups: defaultdict[str, list[RunRow]] = defaultdict(list)
    for run in runs:
        groups[
            canonical({key: value for key, value in run.config.items() if key != "exog"})
        ].append(run)
    return groups


def _row(
    runs: Sequence[RunRow],
    keys: Sequence[str],
    columns: Sequence[str],
    meaning: Meaning,
    results: Worth,
) -> GridRow:
    labels = tuple(label(runs[0], key) for key in keys)
    if lacking := 2 ** len(columns) - len(results):
        words = (Word(_lacking(columns, results), "yellow"), *[Word()] * (len(columns) + 1))
        return GridRow(labels, words, {"missing": lacking})
    shares = shapley({subset: -meaning.loss(value) for subset, value in results.items()})
    none, full = results[frozenset()], results[frozenset(columns)]
    mark = LEAKY if any(leaks(run.config) for run in runs) else ""
    honest = not any(leaks(run.config) for run in runs if not run.config["exog"])
    first = _plain(none, "" if honest else mark)
    words = (first, *(_gain(shares[column], mark) for column in columns), _plain(full, mark))
    return GridRow(labels, words, {"none": none, **shares, "all": full, "leaks": bool(mark)})


def _lacking(columns: Sequence[str], results: Worth) -> str:
    """How many subsets have no result, and one of the smallest.

    It is found in no more looks than there are results.
    """
    there, n = len(results), len(columns)
    count = f"{2**n - there} of {2**n}" if n <= MOST_COUNTED else f"all but {there} of 2^{n}"
    first = next(subset for subset in subsets(columns) if subset not in results)
    return f"{count} subsets lack, such as {' '.join(sorted(first)) or 'none'}"


def _results(runs: Sequence[RunRow], metric: str, split: str) -> Worth:
    """The mean of each subset of columns that has a result, over the seeds that all have."""
    values: defaultdict[Subset, dict[int, float]] = defaultdict(dict)
    for run in runs:
        if (value := run.metrics.get((split, metric, 0))) is not None:
            values[frozenset(run.config["exog"])][run.seed] = value
    if not values:
        return {}
    common = set.intersection(*(set(by_seed) for by_seed in values.values()))
    kept = {subset: [by_seed[seed] for seed in common] for subset, by_seed in values.items()}
    return {subset: fmean(each) for subset, each in kept.items() if each}


def _plain(value: float, mark: str) -> Word:
    return Word(f"{value:.4g}{mark}", "magenta" if mark else "")


def _gain(value: float, mark: str) -> Word:
    style = "magenta" if mark else "green" if value > 0 else "yellow"
    return Word(f"{value:+.2g}{mark}", style)


def _notes(
    groups: Iterable[Sequence[RunRow]], metric: str, meaning: Meaning, leakage: str
) -> Iterable[str]:
    better = "raises" if meaning.higher_is_better else "lowers"
    yield (
        f"Shapley values over all subsets of the columns, from means over seeds: + {better} "
        f"{metric}."
    )
    yield (
        "They add up to the difference between `none` and `all`, the results without and "
        "with all columns."
    )
    yield from unit_notes({metric: meaning})
    configs: Iterable[Mapping[str, Any]] = (run.config for runs in groups for run in runs)
    yield from leak_notes([leaks(config) for config in configs], leakage)
