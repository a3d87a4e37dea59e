"""From a grid to runs. The order is fixed: zip, parameters, when, exclude, seeds, baselines."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any, Literal

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pyheta.errors import SweepError
from pyheta.nets.configs.union import OWN
from pyheta.pipeline.leakage import DECISIVE, leaks
from pyheta.steps import canonical
from pyheta.sweep.axes import Choice, Setting
from pyheta.sweep.config import KEYS, SECTIONS, RunConfig
from pyheta.sweep.file import SweepFile
from pyheta.sweep.grid import Grid, Pattern
from pyheta.sweep.preprocessing import Decompose, Shaping
from pyheta.sweep.problems import UNKNOWN, Problems, describe, findings
from pyheta.sweep.syntax import Document

# Sections that are one of several models: pydantic puts the model's tag before the field.
UNIONS = ("dataset", "net")

# What a baseline does to the series: nothing. So a sweep that decomposes is compared with one that
# does not.
AS_IT_IS = {"decompose": Decompose(), "shaping": Shaping(), "components": ()}

# The fixed values of a sweep, then what each axis adds for one run; later ones win.
Written = tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One fully resolved configuration with one seed. Ordinals count from 0, baselines come
    last.
    """

    ordinal: int
    config: RunConfig
    seed: int
    role: Literal["net", "baseline"]
    written: Written = field(repr=False, compare=False)

    def where(self, key: str) -> str:
        """Where the value of a dotted key, or of a key below it, is written; "" for a default."""
        for choice in reversed(self.written):
            for name, setting in choice.items():
                if name == key or name.startswith(f"{key}."):
                    return setting.where
        return ""


def expand(grid: Grid, file: SweepFile, document: Document, problems: Problems) -> tuple[Run, ...]:
    """All runs of a grid. What is wrong with one is noted, and the run left out."""
    size = prod(len(axis.choices) for axis in grid.axes) * len(file.seeds)
    if size > file.run_cap:
        problems.note(_too_many(f"{size:,}", file, document))
        return ()
    runs: list[Run] = []
    with problems.collect():
        runs += _net_runs(grid, file, document, problems)
    if file.leakage == "forbid":
        _forbid_leaks(runs, problems)
    if not runs and not problems:
        problems.add("'exclude' leaves no run", where=document.where_key(("exclude",)))
    if problems:
        return ()
    return (*runs, *_baselines(runs, file, document))


def _forbid_leaks(runs: Iterable[Run], problems: Problems) -> None:
    first: dict[tuple[Any, ...], Run] = {}
    for run in runs:
        first.setdefault(_decisive(run.config), run)
    for run in first.values():
        for reason in leaks(run.config.as_json()):
            key = "shaping.relevance" if "shaping" in reason else "decompose.mode"
            cure = "write `leakage: allow` if you want such runs, marked in every table"
            problems.add(f"{reason} lets nets see the future", where=run.where(key), cure=cure)


def _decisive(config: RunConfig) -> tuple[Any, ...]:
    """All that decides whether a run leaks."""
    sections = {key: getattr(config, key) for key in DECISIVE}
    return tuple({**sections, "exog": bool(config.exog)}.values())


def _net_runs(grid: Grid, file: SweepFile, document: Document, problems: Problems) -> Iterator[Run]:
    resolver = _Resolver(problems, document.where_key(("config",)))
    ordinal = 0
    for count, written in enumerate(_points(grid), 1):
        if count * len(file.seeds) > file.run_cap:
            raise _too_many(f"more than {file.run_cap:,}", file, document)
        if problems.full:
            return
        if config := resolver.resolve(written, grid.excluded):
            for seed in file.seeds:
                yield Run(ordinal, config, seed, "net", written)
                ordinal += 1


def _too_many(size: str, file: SweepFile, document: Document) -> SweepError:
    return SweepError(
        f"the sweep has {size} runs; run_cap is {file.run_cap:,}",
        where=document.where_key(("parameters",)),
        cure="take values away or raise run_cap",
    )


def _points(grid: Grid) -> Iterator[Written]:
    """What is written for each configuration, before anything is excluded."""
    for row in product(*(axis.choices for axis in grid.axes)):
        written = (grid.base, *row)
        for more in product(*_conditional(grid, written)):
            yield (*written, *more)


def _conditional(grid: Grid, written: Written) -> list[tuple[Choice, ...]]:
    """The choices of the axes that exist for this point; none where no condition holds."""
    if not grid.blocks:
        return []
    point = _merged(written)
    axes = [axis for block in grid.blocks if block.pattern.matches(point) for axis in block.axes]
    first: dict[str, str] = {}
    for axis in axes:
        for key in axis.all_keys():
            if key in first:
                raise SweepError(
                    f"'{key}' gets an axis from two 'when' blocks at once (also at {first[key]})",
                    where=axis.where,
                    cure="make their conditions exclude each other",
                )
            first[key] = axis.where
    return [axis.choices for axis in axes]


def _merged(written: Written) -> dict[str, Setting]:
    point: dict[str, Setting] = {}
    for choice in written:
        point.update(choice)
    return point


class _Resolver:
    """Checks each section once for each way in which it is written, however many runs share it."""

    def __init__(self, problems: Problems, where: str) -> None:
        self.problems = problems
        self.where = where  # the place of what is missing
        self.complete = not problems  # else what is missing may be there, but misspelt
        self.checked: dict[tuple[str, tuple[Setting, ...]], Any] = {}
        self.sections: dict[tuple[str, Any], Any] = {}

    def resolve(self, written: Written, excluded: Iterable[Pattern]) -> RunConfig | None:
        """The configuration of one point; None when it is excluded or wrong."""
        point = _merged(written)
        if any(pattern.matches(point) for pattern in excluded):
            return None
        by_section: dict[str, list[Setting]] = {name: [] for name in SECTIONS}
        for setting in point.values():
            by_section[setting.section].append(setting)
        sections = {name: self._section(name, tuple(by_section[name])) for name in SECTIONS}
        if None in sections.values():
            return None
        return RunConfig.model_construct(**sections)

    def _section(self, name: str, written: tuple[Setting, ...]) -> Any:
        key = (name, written)
        if key not in self.checked:
            section = self._check(name, written) if written else self._default(name)
            self.checked[key] = self.sections.setdefault((name, section), section)
        return self.checked[key]

    def _default(self, name: str) -> Any:
        field = RunConfig.model_fields[name]
        if field.is_required():
            self._missing(name, self.where)
            return None
        return field.default

    def _check(self, name: str, written: tuple[Setting, ...]) -> Any:
        """The section as its model, or None with what is wrong noted."""
        if written[0].key == name:
            value = written[0].value
        else:
            value = {setting.key.removeprefix(f"{name}."): setting.value for setting in written}
        try:
            return SECTIONS[name].validate_python(value)
        except ValidationError as error:
            for found in findings(error):
                self._note(name, written, found)
        return None

    def _note(self, name: str, written: tuple[Setting, ...], found: ErrorDetails) -> None:
        loc = found["loc"][1:] if name in UNIONS else found["loc"]
        key = ".".join((name, *(part for part in loc if isinstance(part, str))))
        places = {setting.key: setting.where for setting in written}
        where = places.get(key) or places.get(f"{name}.name") or written[0].where
        if found["type"] == "missing":
            self._missing(key, where)
        elif found["type"] in UNKNOWN:
            if key in KEYS:  # else it has been noted as unknown to all
                what = f"{name} '{found['loc'][0]}' has no key '{loc[0]}'"
                own = found["loc"][0] == OWN
                cure = (
                    "put it under net.options"
                    if own
                    else "set it under 'when' for those that have it"
                )
                self.problems.add(what, where=where, cure=cure)
        else:
            what, cure = describe(found, key, ())
            self.problems.add(what, where=where, cure=cure)

    def _missing(self, key: str, where: str) -> None:
        if self.complete:
            self.problems.add(f"missing key '{key}' in config", where=where)


def _baselines(runs: Sequence[Run], file: SweepFile, document: Document) -> Iterator[Run]:
    """Each baseline once for each question that the runs ask, unless a run is that baseline
    already.
    """
    names = {net.name for net in file.baselines}
    asked = {_essence(run.config) for run in runs if run.config.net.name in names}
    ordinal = len(runs)
    for run, (index, net) in product(_questions(runs), enumerate(file.baselines)):
        config = run.config.model_copy(update={"net": net, **AS_IT_IS}).reduced()
        if (essence := _essence(config)) not in asked:
            asked.add(essence)
            setting = Setting("net.name", net.name, document.where(("baselines", index)))
            yield Run(
                ordinal, config, file.seeds[0], "baseline", (*run.written, {"net.name": setting})
            )
            ordinal += 1


def _questions(runs: Sequence[Run]) -> Iterable[Run]:
    """The first run of each combination of everything but the net and its training."""
    first: dict[tuple[Any, ...], Run] = {}
    for run in runs:
        config = run.config
        first.setdefault(
            (config.dataset, config.target, config.exog, config.split, config.window, config.scale),
            run,
        )
    return first.values()


def _essence(config: RunConfig) -> str:
    return canonical(config.reduced().as_json())
