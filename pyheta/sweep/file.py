"""The top level of a sweep file: its keys, their ranges and defaults."""

import unicodedata
from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from pyheta.nets.configs.union import BASELINES, Net
from pyheta.pipeline.metrics import METRICS
from pyheta.pipeline.relevance.measures import MEASURES
from pyheta.section import Section
from pyheta.sweep.longform import LONG_FORM
from pyheta.sweep.names import NameOf
from pyheta.sweep.problems import shown

MAX_SEEDS = 100_000
MAX_NAME = 64

Seed = Annotated[int, Field(ge=0, lt=1 << 31)]

MeasureName = Annotated[str, NameOf(MEASURES)]
MetricName = Annotated[str, NameOf(METRICS, or_own=True)]


def _counted(value: object) -> object:
    """`seeds: 3` is `seeds: [0, 1, 2]`."""
    if isinstance(value, list):
        return tuple(value)
    if type(value) is not int or not 1 <= value <= MAX_SEEDS:
        raise ValueError(f"expected 1 to {MAX_SEEDS:,} or a list of seeds, got {shown(value)}")
    return tuple(range(value))


def _sweep_name(name: str) -> str:
    """The name in its composed form, so that it is found however it is typed. ValueError."""
    name = unicodedata.normalize("NFC", name)
    for place, letter in enumerate(name, 1):
        if not (unicodedata.category(letter)[0] in "LMN" or letter in "._-"):
            words = unicodedata.name(letter, "without a name").lower()
            raise ValueError(
                f"character {place}, '{letter}' ({words}), cannot stand in a name: letters and "
                "digits of any script, '.', '_' and '-' can"
            )
    if not name[0].isalnum() or name.endswith("."):
        raise ValueError("a name begins with a letter or a digit, and does not end with a point")
    return name


def _distinct(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if twice := [seed for seed, times in Counter(seeds).items() if times > 1]:
        raise ValueError(f"seed {twice[0]} is listed twice")
    return seeds


def _nets(value: object) -> object:
    """`baselines: last` is `baselines: [{name: last}]`."""
    items = value if isinstance(value, list) else [value]
    return tuple(LONG_FORM["net"](item) for item in items)


class When(Section):
    """Axes that exist only where a condition holds."""

    condition: dict[str, Any] = Field(alias="if", description="Dotted keys and their values.")
    parameters: dict[str, Any] = Field(description="Axes, as in 'parameters'.")


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid", strict=False))
class Report:
    """What the table of a sweep shows: dotted keys as rows and columns, and which metric."""

    rows: tuple[str, ...] = ()
    cols: tuple[str, ...] = ()
    #: The name of a metric, which may be one's own: `sweep` looks. None stands for rmse, for
    #: rmse_scaled of several targets, and for pinball of nets that are trained for a quantile.
    metric: MetricName | None = None


class Explain(Section):
    """What is computed beside the runs, to understand them; `pyheta report --about` shows it."""

    relevance: tuple[MeasureName, ...] = Field(
        default=(),
        strict=False,
        description="Measures of each exogenous column's relevance to the target, on training "
        "rows.",
    )
    max_lag: int = Field(
        default=24, ge=0, le=10_000, description="Rows by which a column may lead."
    )
    draws: int = Field(
        default=19, ge=2, le=10_000, description="Shifted copies for the level of chance."
    )
    permutations: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="Permutations for each column's importance to each net.",
    )


class SweepFile(Section):
    """A PyHeta sweep: which runs there are, and how they are shown."""

    version: Literal[1] = Field(default=1, description="Version of this format.")
    name: Annotated[str, AfterValidator(_sweep_name)] = Field(
        min_length=1,
        max_length=MAX_NAME,
        description="Up to 64 letters and digits of any script, '.', '_' and '-'.",
    )
    extends: list[str] = Field(
        default=[], description="Files to build on, relative to this one; later words win."
    )
    seeds: Annotated[
        tuple[Seed, ...],
        Field(min_length=1),
        AfterValidator(_distinct),
        BeforeValidator(_counted, json_schema_input_type=int | list[int]),
    ] = Field(default=(0,), description="How many repetitions (0, 1, …), or a list of seeds.")
    leakage: Literal["forbid", "allow"] = Field(
        default="forbid", description="Whether steps may see what lies in a forecast's future."
    )
    config: dict[str, Any] = Field(default={}, description="One value each, for all runs.")
    parameters: dict[str, Any] = Field(
        default={}, description="Each key is an axis; the sweep is the product of all axes."
    )
    zip: dict[str, dict[str, list[Any]]] = Field(
        default={}, description="Named axes whose keys advance together."
    )
    when: list[When] = Field(default=[], description="Axes under a condition.")
    exclude: list[dict[str, Any]] = Field(
        default=[], description="Partial configurations; runs that match one are left out."
    )
    baselines: Annotated[
        tuple[Net, ...],
        BeforeValidator(_nets, json_schema_input_type=list[Any]),
    ] = Field(
        default=BASELINES,
        description="Nets that run beside the sweep once per question; [] for none.",
    )
    run_cap: int = Field(
        default=20_000, ge=1, le=10_000_000, description="The most runs, before 'exclude'."
    )
    priority: int = Field(default=0, ge=-1000, le=1000, description="Higher runs first.")
    explain: Explain = Field(
        default=Explain(), description="What is computed to understand the runs."
    )
    report: Report = Field(default=Report(), description="The table that 'pyheta report' shows.")
