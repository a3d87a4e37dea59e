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
from pyheta.pipeline.leakage import DECISIVE, FILLED, leaks
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

# Baselines forecast the series as it is: a decomposition has to beat a net that needs none.
AS_IT_IS = {
    "decompose": Decompose(),
    "shaping": Shaping(),
    "components": (),
    "transform": "none",
}

# The fixed values of a sweep, then what each axis adds for one run; later ones win.
Written = tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One fully resolved configuration with one seed and, of a rolling origin, one fold of it.

    Ordinals count from 0; baselines are last. Folds of one configuration and seed follow each other
    from 0 on, the earliest first.
    """

    ordinal: int
    config: RunConfig
    seed: int
    role: Literal["net", "baseline"]
    written: Written = field(repr=False, compare=False)
    fold: int | None = None

    def where(self, key: str) -> str:
        """Where the value of a dotted key, or of a key below it, is written; "" for a default."""
        for choice in reversed(self.written):
            for name, setting in choice.items():
                if name == key or name.startswith(f"{key}."):
                    return setting.where
        return ""


def expand(grid: Grid, file: SweepFile, document: Document, problems: Problems) -> tuple[Run, ...]:
    """All runs of a grid. A run that is wrong is left out, and its problems are noted."""
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
            key = _deciding_key(reason)
            cure = "write `leakage: allow` if you want such runs, marked in every table"
            problems.add(f"{reason} lets nets see the future", where=run.where(key), cure=cure)


def _deciding_key(reason: str) -> str:
    if reason == FILLED:
        return "dataset.missing"
    return "shaping.relevance" if "shaping" in reason else "decompose.mode"


def _decisive(config: RunConfig) -> tuple[Any, ...]:
    """All that decides whether a run leaks."""
    sections = {key: getattr(config, key) for key in DECISIVE}
    return tuple({**sections, "exog": bool(config.exog)}.values())


def _net_runs(grid: Grid, file: SweepFile, document: Document, problems: Problems) -> Iterator[Run]:
    resolver = _Resolver(problems, document.where_key(("config",)))
    ordinal = count = 0
    for written in _points(grid):
        config = resolver.resolve(written, grid.excluded)
        folds = config.split.fold_numbers if config else (None,)
        count += len(file.seeds) * len(folds)
        if count > file.run_cap:
            raise _too_many(f"more than {file.run_cap:,}", file, document)
        if problems.full:
            return
        if config:
            for seed, fold in product(file.seeds, folds):
                yield Run(ordinal, config, seed, "net", written, fold)
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
    """Checks each section once for each way in which it is written, in however many runs."""

    def __init__(self, problems: Problems, where: str) -> None:
        self.problems = problems
        self.where = where  # for problems of keys that are missing
        self.complete = not problems  # else a key may be misspelt, not missing
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
            for detail in findings(error):
                self._note(name, written, detail)
        return None

    def _note(self, name: str, written: tuple[Setting, ...], detail: ErrorDetails) -> None:
        loc = detail["loc"][1:] if name in UNIONS else detail["loc"]
        key = ".".join((name, *(part for part in loc if isinstance(part, str))))
        places = {setting.key: setting.where for setting in written}
        where = places.get(key) or places.get(f"{name}.name") or written[0].where
        if detail["type"] == "missing":
            self._missing(key, where)
        elif detail["type"] in UNKNOWN:
            if key in KEYS:  # other keys have been noted as unknown already
                self._foreign(name, str(detail["loc"][0]), loc[0], where)
        else:
            what, cure = describe(detail, key, ())
            self.problems.add(what, where=where, cure=cure)

    def _foreign(self, section: str, model: str, key: int | str, where: str) -> None:
        """Note a key that another net or data set has, but not this one."""
        cure = "set it under 'when' for those that have it"
        if model == OWN:
            cure = "put it under net.options"
        self.problems.add(f"{section} '{model}' has no key '{key}'", where=where, cure=cure)

    def _missing(self, key: str, where: str) -> None:
        if self.complete:
            self.problems.add(f"missing key '{key}' in config", where=where)


def _baselines(runs: Sequence[Run], file: SweepFile, document: Document) -> Iterator[Run]:
    """Each baseline once for each question of the runs, unless a run is that baseline already."""
    names = {net.name for net in file.baselines}
    present = {_identity(run.config) for run in runs if run.config.net.name in names}
    ordinal = len(runs)
    for run, (index, net) in product(_questions(runs), enumerate(file.baselines)):
        config = run.config.model_copy(update={"net": net, **AS_IT_IS}).reduced()
        if (identity := _identity(config)) not in present:
            present.add(identity)
            setting = Setting("net.name", net.name, document.where(("baselines", index)))
            written = (*run.written, {"net.name": setting})
            for fold in config.split.fold_numbers:
                yield Run(ordinal, config, file.seeds[0], "baseline", written, fold)
                ordinal += 1


def is_as_it_is(config: RunConfig) -> bool:
    """Whether a run forecasts the series as it is, as baselines do."""
    reduced = config.reduced()
    return all(getattr(reduced, key) == value for key, value in AS_IT_IS.items())


def _questions(runs: Sequence[Run]) -> Iterable[Run]:
    """The first run of each combination of all that a baseline shares with a run."""
    first: dict[tuple[Any, ...], Run] = {}
    for run in runs:
        config = run.config
        asked = (config.dataset, config.target, config.exog, config.split, config.window)
        first.setdefault((*asked, config.scale, config.quantile, config.metrics), run)
    return first.values()


def _identity(config: RunConfig) -> str:
    """Equal for configurations that differ in nothing that can matter."""
    return canonical(config.reduced().as_json())
