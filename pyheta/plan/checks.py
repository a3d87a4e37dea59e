"""Whether runs fit their data: columns, room for windows, what can be decomposed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pyheta.errors import StepError, nearest
from pyheta.nets.configs.base import Misfit
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.pipeline.decomposition.methods import METHODS
from pyheta.pipeline.relevance.chance import has_room
from pyheta.pipeline.splits import PARTS, Part, Split
from pyheta.pipeline.transforms import CHANGES, INSTEAD, NEEDS, first_unfit
from pyheta.pipeline.windows import Shape
from pyheta.plan.columns import check_categories, check_columns, row_in_words
from pyheta.plan.graph import sources_of
from pyheta.section import Section
from pyheta.sweep import Explain, Run
from pyheta.sweep.components import UnfitChange, matches
from pyheta.sweep.config import RunConfig
from pyheta.sweep.problems import Problems, describe, findings


def check_runs(
    runs: Sequence[Run], facts: Mapping[Section, DatasetFacts], explain: Explain | None = None
) -> None:
    """Raises SweepError or SweepErrors with all that is wrong, before anything is computed."""
    problems = Problems()
    _check_patterns(runs, problems)
    seen: set[tuple[Any, ...]] = set()
    for run in runs:
        key = _what_matters(run.config)
        if key not in seen:
            seen.add(key)
            with problems.about(run.config.series):
                _check_run(run, facts[run.config.dataset], explain, problems)
    problems.raise_any()


def _check_run(run: Run, facts: DatasetFacts, explain: Explain | None, problems: Problems) -> None:
    _check(run, facts, problems)
    if explain and explain.relevance and run.role == "net":
        _check_lags(run, explain, facts, problems)


def _what_matters(config: RunConfig) -> tuple[Any, ...]:
    data = (config.dataset, config.target, config.exog, config.split, config.window)
    nets = (config.net, config.decompose, config.shaping, config.components, config.transform)
    return (*data, *nets)


def _check(run: Run, facts: DatasetFacts, problems: Problems) -> None:
    nets = _nets(run, problems)
    if not nets:
        return
    columns = list(_columns(run, nets))
    check_columns(run, columns, facts, problems)
    _check_split(run, facts, problems)
    if problems:
        return
    _check_transform(run, nets.values(), facts, problems)
    for net in {(net.net, net.window): net for net in nets.values()}.values():
        _check_tail(run, net, problems)
        _check_window(run, net, problems)
        _check_room(run, net, facts, problems)
        if not problems:
            _check_stride(run, net, facts, problems)
    for component, net in nets.items():
        _check_size(run, component, net, facts, problems)
    _check_span(run, facts, problems)
    if any(net.shaping.method != "none" for net in nets.values()):
        _check_shaping(run, facts, problems)
    _check_series(run, columns, facts, problems)
    check_categories(run, columns, _folds(run, facts)[0].train[1], facts, problems)


def _nets(run: Run, problems: Problems) -> Mapping[str, RunConfig]:
    """The configurations of the run's nets; none, and problems, if `components` does not fit."""
    names = run.config.component_names() if run.config.components else ()
    unfit = [error for name in names if (error := _unfit(run, name))]
    for error in unfit:
        for detail in findings(error.error):
            # The first part of a net's place is its name
            loc = detail["loc"][1:] if error.section == "net" else detail["loc"]
            what, cure = describe(detail, ".".join((error.section, *map(str, loc))), ())
            problems.add(f"components: {what}", where=run.where("components"), cure=cure)
    return {} if unfit else run.config.nets()


def _unfit(run: Run, component: str) -> UnfitChange | None:
    try:
        run.config.reduced().for_component(component)
    except UnfitChange as error:
        return error
    return None


def _columns(run: Run, nets: Mapping[str, RunConfig]) -> Iterator[tuple[str, str]]:
    """Every column that the run reads, with the key that asks for it."""
    yield from ((column, "target") for column in run.config.target)
    exog = dict.fromkeys(column for net in nets.values() for column in net.exog)
    for column in exog:
        yield column, "exog" if column in run.config.exog else "components"


def _check_split(run: Run, facts: DatasetFacts, problems: Problems) -> None:
    """Whether the data set has such rows."""
    try:
        folds = _folds(run, facts)
    except StepError as error:
        where = run.where(error.where) or run.where("split")
        problems.add(error.what, where=where, cure=error.cure)
        return
    if (rows := folds[0].stop) > facts.rows:
        what = (
            f"train, val and test are {rows:,} rows together, and the data set has {facts.rows:,}"
        )
        problems.add(what, where=run.where("split"), cure="take fewer")


def _folds(run: Run, facts: DatasetFacts) -> Sequence[Split]:
    """The splits of a run and of those that differ from it in the fold alone, the earliest first.

    The first fold has the fewest rows to learn from, and what is known late is known last to it.
    """
    return run.config.split.splits(facts)


def _shortest(part: Part, folds: Iterable[Split]) -> tuple[int, int]:
    """The rows of a part in the fold where it is shortest: months are not equally long."""
    return min((fold.targets(part) for fold in folds), key=lambda rows: rows[1] - rows[0])


def _check_transform(
    run: Run, nets: Iterable[RunConfig], facts: DatasetFacts, problems: Problems
) -> None:
    """Whether the targets are not decomposed too, and have such a transform in all rows in use."""
    config = next((net for net in nets if net.transform != "none"), None)
    if config is None:
        return
    method, split = config.transform, config.decompose.method
    where = run.where("transform")
    if split != "none":
        what = f"transform: {method} changes what decompose: {split} splits, and a run does one"
        either = f"exclude: [{{transform: {method}, decompose.method: {split}}}]"
        cure = f"leave one out, or of two axes this: {either}"
        problems.add(what, where=where or run.where("decompose"), cure=cure)
        return
    stop = max(fold.stop for fold in _folds(run, facts))
    for column in config.target:
        values = facts.content.columns[column][:stop]
        if (row := first_unfit(method, values)) is not None:
            place = row_in_words(row, facts)
            what = f"column '{column}' is {values[row]:g} in {place}, and {method} needs"
            problems.add(f"{what} {NEEDS[method]}", where=where, cure=INSTEAD)


def _check_room(run: Run, config: RunConfig, facts: DatasetFacts, problems: Problems) -> None:
    """Windows may reach back over the border of their part, but not to before the first row.

    No window begins before all that it shows is known.
    """
    folds = _folds(run, facts)
    lookback, horizon = _lookback(config), config.window.horizon
    unknown, column = _known_last(config, facts)
    changed = config.transform != "none" and column in config.target
    of = f"the {config.transform} of " if changed else ""
    if unknown >= folds[0].train[1]:
        what = f"{of}column '{column}' has its first value in {row_in_words(unknown, facts)}"
        where = run.where("target" if column in config.target else "exog") or run.where("split")
        cure = "leave it out or train on more rows"
        problems.add(f"{what}, after training", where=where, cure=cure)
        return
    for part in PARTS:
        start, stop = _shortest(part, folds)
        missing = max(0, unknown - start) if part == "train" else 0
        reach = max(0, lookback + unknown - start - missing) if part == "train" else 0
        if stop - start < horizon + reach + missing:
            late = f" ({missing:,} of them before {of}'{column}' is known)" if missing else ""
            problems.add(
                f"{config.net.name}: the {part} part has {stop - start:,} of {facts.rows:,} rows"
                f"{late}, a window of {lookback:,} and a horizon of {horizon:,} need "
                f"{horizon + reach:,}",
                where=_where_of_lookback(run, config) or run.where("split"),
                cure="shorten the window or give the part a larger share",
            )


def _check_stride(run: Run, config: RunConfig, facts: DatasetFacts, problems: Problems) -> None:
    """Whether training has a window that is forecast: later parts have one in their first row."""
    stride, (start, stop) = config.window.stride, _shortest("train", _folds(run, facts))
    first = max(start, _lookback(config) + _known_last(config, facts)[0])
    if first + (start - first) % stride > stop - config.window.horizon:
        what = f"a forecast every {stride:,} rows leaves none in the train part"
        problems.add(
            f"{what}, which ends in row {stop:,}",
            where=run.where("window.stride") or run.where("window"),
            cure="use a smaller stride",
        )


def _known_last(config: RunConfig, facts: DatasetFacts) -> tuple[int, str]:
    """The row from which all that a net reads is known, and the column that is known last."""
    firsts = {
        name: facts.by_column[name].first
        for name in (*config.target, *config.exog)
        if name in facts.by_column
    }
    for name in firsts.keys() & set(config.target):
        firsts[name] += config.transform in CHANGES
    return max(((row, name) for name, row in firsts.items()), default=(0, ""))


def _check_tail(run: Run, config: RunConfig, problems: Problems) -> None:
    """A net cannot see more rows than were decomposed."""
    window, lookback = config.decompose.window, config.net.lookback(config.window.input)
    if _is_causal(config) and window < lookback:
        what = (
            f"decompose.window is {window:,} rows, fewer than the {lookback:,} that "
            f"{config.net.name} sees"
        )
        where = run.where("decompose.window") or run.where("window")
        problems.add(what, where=where, cure="decompose a longer window")


def _is_causal(config: RunConfig) -> bool:
    return config.decompose.method != "none" and config.decompose.mode == "causal"


def _lookback(config: RunConfig) -> int:
    """Rows before the first forecast: a causal decomposition needs its own window first."""
    lookback = config.net.lookback(config.window.input)
    if not _is_causal(config):
        return lookback
    if (
        config.shaping.method != "none"
    ):  # what is shaped from the first decomposition on has no tails
        return config.decompose.window - 1 + lookback
    return max(lookback, config.decompose.window)


def _where_of_lookback(run: Run, config: RunConfig) -> str:
    """A net with a `lookback_option` reads as many rows as that says, whatever the window."""
    option = config.net.lookback_option
    return (run.where(f"net.{option}") if option else "") or _where_of_window(run)


def _check_window(run: Run, config: RunConfig, problems: Problems) -> None:
    """Whether the net can read windows of this length."""
    _refuse(run, config.net.misfit(config.window.input), problems)


def _check_size(
    run: Run, component: str, config: RunConfig, facts: DatasetFacts, problems: Problems
) -> None:
    """Whether the net can be trained on so many columns and windows."""
    sources = sources_of(config, component, facts.meaning)
    window = config.window
    shape = Shape(len(sources), window.input, window.horizon, len(config.target))
    learned: Part = "train" if config.split.final == "train" else "val"
    first = _lookback(config) + _known_last(config, facts)[0]
    spans = ((fold.train[0], fold.targets(learned)[1]) for fold in _folds(run, facts))
    windows = max(stop - max(start, first) - window.horizon + 1 for start, stop in spans)
    _refuse(run, config.net.excess(shape, windows), problems)


def _refuse(run: Run, misfit: Misfit | None, problems: Problems) -> None:
    if misfit:
        where = run.where(f"net.{misfit.option}") or run.where("net")
        problems.add(misfit.what, where=where, cure=misfit.cure)


def _where_of_window(run: Run) -> str:
    key = "decompose.window" if _is_causal(run.config) else "window"
    return run.where(key) or run.where("decompose") or run.where("net")


def _check_series(
    run: Run, columns: Iterable[tuple[str, str]], facts: DatasetFacts, problems: Problems
) -> None:
    """Whether the columns can be decomposed and shaped."""
    config = run.config.reduced()
    for column, key in columns:
        series = facts.by_column.get(column)
        if series is None:
            continue
        if series.constant and (
            config.decompose.method != "none" or config.shaping.method != "none"
        ):
            what = f"column '{column}' is constant: it has no components and no relevance"
            problems.add(what, where=run.where(key), cure="leave it out")
        elif series.extrema < METHODS[config.decompose.method].least_extrema:
            what = (
                f"column '{column}' turns {series.extrema} times, too rarely for "
                f"{config.decompose.method}"
            )
            problems.add(what, where=run.where(key), cure=f"use decompose: {_for_few_turns()}")


def _for_few_turns() -> str:
    *others, last = sorted(name for name, method in METHODS.items() if not method.least_extrema)
    return f"{', '.join(others)} or {last} for it"


def _check_span(run: Run, facts: DatasetFacts, problems: Problems) -> None:
    """Whether the options of the decomposition fit the rows that are decomposed at a time."""
    config, folds = run.config.reduced(), _folds(run, facts)
    decompose = config.decompose
    if decompose.mode == "parts" and any(fold.val[1] != fold.targets("test")[0] for fold in folds):
        what = "decompose.mode parts makes nothing of the rows between validation and test"
        cure = "leave out split.gap and split.refit, or decompose causally"
        problems.add(what, where=run.where("decompose.mode"), cure=cure)
    parts = [stop - start for start, stop in (_shortest(part, folds) for part in PARTS)]
    rows = {"causal": decompose.window, "full": facts.rows, "parts": min(parts)}[decompose.mode]
    try:
        METHODS[decompose.method].refuse_unfit(rows, decompose.as_params())
    except StepError as error:
        where = run.where(error.where) or run.where("decompose")
        problems.add(error.what, where=where, cure=error.cure)


def _check_shaping(run: Run, facts: DatasetFacts, problems: Problems) -> None:
    """Whether there is one target to shape for, and rows enough to scale a correlation."""
    config = run.config.reduced()
    if len(config.target) > 1:
        what = f"shaping goes by the relevance to one target, and there are {len(config.target)}"
        problems.add(
            what, where=run.where("shaping"), cure="forecast them one by one, or do without shaping"
        )
    rows = _folds(run, facts)[0].train[1] if config.shaping.causal else facts.rows
    rows_known = rows - _unknown(config)
    if config.shaping.window > rows_known:
        what = (
            f"shaping.window is {config.shaping.window:,} rows, and {rows_known:,} are known to it"
        )
        problems.add(
            what, where=run.where("shaping.window") or run.where("shaping"), cure="shorten it"
        )


def _check_lags(run: Run, explain: Explain, facts: DatasetFacts, problems: Problems) -> None:
    config = run.config.reduced()
    start, stop = _folds(run, facts)[0].train
    rows = stop - max(start, _unknown(config))
    if config.exog and not has_room(rows, explain.max_lag, explain.draws):
        what = (
            f"explain: {rows:,} training rows have no room for {explain.draws:,} shifts "
            f"beyond a lag of {explain.max_lag:,}"
        )
        problems.add(what, where=run.where("split"), cure="lower explain.draws or explain.max_lag")


def _unknown(config: RunConfig) -> int:
    """Rows before a decomposition's first window."""
    return config.decompose.window - 1 if _is_causal(config) else 0


def _check_patterns(runs: Sequence[Run], problems: Problems) -> None:
    """A component pattern has to match something in at least one run."""
    names = _known_names(runs)
    written = {pattern: run for run in runs for pattern, _ in run.config.components}
    for pattern, run in written.items():
        if not any(matches(pattern, name) for name in names):
            what = f"components: '{pattern}' matches no component"
            cure = nearest(pattern, names) if names else "nothing is decomposed"
            problems.add(what, where=run.where("components"), cure=cure)


def _known_names(runs: Sequence[Run]) -> list[str]:
    each = {run.config.decompose: run.config.component_names() for run in runs}
    return list(dict.fromkeys(name for names in each.values() for name in names if name != WHOLE))
