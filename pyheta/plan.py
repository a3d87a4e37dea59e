"""Runs to steps: what has to be computed, each distinct piece once.

A step's parameters hold what can change its outcome and nothing else. So two runs that differ in
an option that cannot matter to their net, as the seed of a ridge regression, share their steps.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyheta.errors import nearest
from pyheta.ops import OPS
from pyheta.pipeline.facts import DatasetFacts
from pyheta.pipeline.splits import Part, Split
from pyheta.steps import Key, Step
from pyheta.sweep import Run
from pyheta.sweep.config import Section
from pyheta.sweep.problems import Problems

Facts = Mapping[Section, DatasetFacts]

COMPONENT = "target"  # the undecomposed series


@dataclass(frozen=True, slots=True)
class Plan:
    """`steps` come after all that they need; `scores` has one key for each run, in the runs' order.

    `asked` counts the steps of each operation as if every run had its own, `distinct` those there are.
    """

    steps: Mapping[Key, Step]
    scores: Sequence[Key]
    asked: Counter[str]
    distinct: Counter[str]


def compile_plan(runs: Sequence[Run], datasets: Mapping[str, DatasetFacts]) -> Plan:
    """Check all runs against their data sets and compile them.

    `datasets` has the facts of each data set under its `RunConfig.dataset_key()`. Raises SweepError
    or SweepErrors where a run does not fit its data.
    """
    facts = _facts_by_section(runs, datasets)
    _check(runs, facts)
    loads = {section: _step("load", known.source, {}, known.files) for section, known in facts.items()}
    steps: dict[Key, Step] = {}
    scores: list[Key] = []
    asked: Counter[str] = Counter()
    for run in runs:
        chain = _steps(run, loads[run.config.dataset])
        steps.update((step.key, step) for step in chain)
        asked.update(step.op for step in chain)
        scores.append(chain[-1].key)
    return Plan(steps, scores, asked, Counter(step.op for step in steps.values()))


def _facts_by_section(runs: Sequence[Run], datasets: Mapping[str, DatasetFacts]) -> Facts:
    """The facts under the `dataset` sections themselves: quicker to find than under their texts."""
    first = {run.config.dataset: run.config for run in runs}
    return {section: datasets[config.dataset_key()] for section, config in first.items()}


def _steps(run: Run, load: Step) -> tuple[Step, ...]:
    """The steps of one run, each after those that it needs; the last one is its score."""
    question, training = _params(run)
    fit = _step("fit", question | training, {"load": load.key})
    score = _step("score", question, {"load": load.key, f"fit/{COMPONENT}": fit.key})
    return load, fit, score


def _params(run: Run) -> tuple[dict[str, Any], dict[str, Any]]:
    """What both `fit` and `score` have to know, and what `fit` alone has to; nothing inert in either."""
    question = run.config.reduced().as_json()
    del question["dataset"]  # the `load` step's key stands for it
    training = {"component": COMPONENT, "train": question.pop("train"), "seed": run.seed}
    if not run.config.net.trained_by_gradient:
        del training["train"]
    if not run.config.net.stochastic:
        del training["seed"]
    return question, training


def _step(
    op: str,
    params: Mapping[str, Any],
    needs: Mapping[str, Key],
    files: Mapping[str, str] | None = None,
) -> Step:
    return Step(op, OPS[op].version, OPS[op].kind, params, needs, files or {})


def _check(runs: Sequence[Run], facts: Facts) -> None:
    """Whether columns are there and every part of the split has room for a window."""
    problems = Problems()
    seen: set[tuple[Any, ...]] = set()
    for run in runs:
        config = run.config
        key = (config.dataset, config.target, config.exog, config.split, config.window, config.net)
        if key not in seen:
            seen.add(key)
            _check_columns(run, facts[config.dataset], problems)
            _check_room(run, facts[config.dataset], problems)
    problems.raise_any()


def _check_columns(run: Run, facts: DatasetFacts, problems: Problems) -> None:
    target, exog = run.config.target, run.config.exog
    for column, key in ((target, "target"), *((column, "exog") for column in exog)):
        if column not in facts.columns:
            problems.add(
                f"the data set has no column '{column}'",
                where=run.where(key),
                cure=nearest(column, facts.columns),
            )
    if target in exog:
        problems.add(
            f"'{target}' is the target and an exogenous column too",
            where=run.where("exog"),
            cure="its past is seen anyway: take it out of exog",
        )


def _check_room(run: Run, facts: DatasetFacts, problems: Problems) -> None:
    """Training windows lie wholly in their part; later ones may reach back over the border."""
    config = run.config
    split = Split.of(config.split.model_dump(), facts.rows)
    lookback, horizon = config.net.lookback(config.window.input), config.window.horizon
    needed: Mapping[Part, int] = {"train": lookback + horizon, "val": horizon, "test": horizon}
    for part, rows in needed.items():
        start, stop = split.targets(part)
        if stop - start < rows:
            problems.add(
                f"{config.net.name}: the {part} part has {stop - start:,} of {facts.rows:,} rows, "
                f"a window of {lookback:,} and a horizon of {horizon:,} need {rows:,}",
                where=run.where("net.period") or run.where("window") or run.where("split"),
                cure="shorten the window or give the part a larger share",
            )
