"""Metrics of one's own: how they are written in a sweep, and what reports know of them.

`pipeline.own_scoring` calls their functions.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from pyheta.pipeline.metrics import METRICS
from pyheta.section import Section

NAME = r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$"


def _two_names(name: str) -> str:
    if not re.fullmatch(NAME, name):
        raise ValueError(f"expected module:function, as mine:asymmetric, got '{name}'")
    return name


class OwnMetric(Section):
    """A function of truth, forecast, last value and training scale: see `own_scoring`."""

    # What `MetricDefinition` says of others: it is computed in the target's own units
    unscaled: ClassVar[str] = ""
    of_quantiles: ClassVar[bool] = False
    is_share: ClassVar[bool] = False  # nobody knows its best

    name: Annotated[str, AfterValidator(_two_names)] = Field(
        max_length=200, json_schema_extra={"pattern": NAME}, description="module:function."
    )
    version: int = Field(
        default=1,
        ge=1,
        description="To be raised when the function changes: what it computed before is kept.",
    )
    higher_is_better: bool = Field(default=False, description="What reports mark as the best.")

    @property
    def title(self) -> str:
        """What it is called in results: the function's name."""
        return self.name.partition(":")[2]

    @property
    def unit(self) -> str:
        """As reports say it."""
        return f"{self.name}, {'higher' if self.higher_is_better else 'lower'} is better"

    def loss(self, value: float) -> float:
        """A value, turned so that less is better."""
        return -value if self.higher_is_better else value


def _long_forms(value: object) -> object:
    """`mine:asymmetric` is `{name: mine:asymmetric}`. Raises ValueError for what is no list."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"expected a list of module:function, got '{value}'")  # noqa: TRY004
    return tuple({"name": item} if isinstance(item, str) else item for item in value)


def _distinct(metrics: tuple[OwnMetric, ...]) -> tuple[OwnMetric, ...]:
    titles = Counter(metric.title for metric in metrics)
    if taken := [metric for metric in metrics if metric.title in METRICS]:
        title = taken[0].title
        raise ValueError(f"'{title}' is a metric of PyHeta; give the function another name")
    if twice := [title for title, times in titles.items() if times > 1]:
        raise ValueError(f"two functions are called '{twice[0]}'; give one another name")
    return metrics


OwnMetrics = Annotated[
    tuple[OwnMetric, ...],
    BeforeValidator(_long_forms, json_schema_input_type=list[str | OwnMetric]),
    AfterValidator(_distinct),
]


def as_params(metrics: Iterable[OwnMetric]) -> list[dict[str, Any]]:
    """What a score is told of them: what can change a value, whatever their order."""
    ordered = sorted(metrics, key=lambda metric: metric.title)
    return [{"name": metric.name, "version": metric.version} for metric in ordered]


def titles(written: object) -> Iterator[str]:
    """The names in results of metrics as they are written, be they right or wrong."""
    for item in written if isinstance(written, list | tuple) else ():
        name = item.get("name") if isinstance(item, Mapping) else item
        yield str(name).rpartition(":")[2]


def own_metric(title: str, configs: Iterable[Mapping[str, Any]]) -> OwnMetric | None:
    """The metric of this name that some run's configuration asks for."""
    asked = (OwnMetric.model_validate(each) for config in configs for each in asked_for(config))
    return next((metric for metric in asked if metric.title == title), None)


def asked_for(config: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The metrics of one's own in a run's configuration as it is recorded."""
    metrics: Sequence[Mapping[str, Any]] = config.get("metrics", ())
    return metrics
