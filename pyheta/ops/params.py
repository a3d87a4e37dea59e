"""The parameters of each operation: a plan puts them on steps, the operation reads them.

They are hashed into the step's key, so a parameter that is None is absent from the step. Plans and
supervisors import this: it loads neither numpy nor what the operations compute with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypedDict, TypeVar

from pyheta.errors import StepError
from pyheta.pipeline.leakage import fills_from_later, looks_ahead
from pyheta.pipeline.splits import Rows, Split
from pyheta.pipeline.transforms import CHANGES

if TYPE_CHECKING:
    from pyheta.pipeline.channels import SourceParams
    from pyheta.pipeline.scaling import Method
    from pyheta.pipeline.transforms import Method as TransformMethod

T = TypeVar("T")

Mode = Literal["causal", "full", "parts"]
SplitParams = Mapping[str, Sequence[int]]  # the rows of each part: see `Split.of`


class FitOn(StrEnum):
    """What a step may learn from: which rows can change what it says about a row t.

    `plan/probe.py` checks that the operations keep to it.
    """

    NONE = "none"  # row t alone
    # Training rows; validation rows tell when to stop, and what a column is worth to a net. A net
    # that forecasts the test part may learn from both.
    TRAIN = "train"
    CAUSAL = "causal"  # rows up to t, and training rows
    WHOLE = "whole"  # every row, later ones too: only where a sweep allows leakage


@dataclass(frozen=True, kw_only=True)
class Params:
    """What the parameters of all operations share.

    A class with a field `options` hands on, under their own names, what is left of the step's
    parameters: `OPTIONS` are those of them that the operation itself reads.
    """

    FIT_ON: ClassVar[FitOn]
    OPTIONS: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Self:
        """The parameters of a step. Raises StepError where one is missing or unknown."""
        own = {field.name: field.default is MISSING for field in fields(cls)}
        given = {name: value for name, value in params.items() if name in own}
        others = {name: value for name, value in params.items() if name not in own}
        if "options" in own:
            given, others = given | {"options": others}, {}
        required = [name for name in own if own[name] and name not in given]
        if missing := [*required, *(name for name in cls.OPTIONS if name not in params)]:
            raise StepError(f"a step without the parameters {', '.join(missing)}")
        if others:
            raise StepError(f"a step with unknown parameters: {', '.join(others)}")
        return cls(**given)

    def as_params(self) -> dict[str, Any]:
        """Plain data, as it stands on the step."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        options: Mapping[str, Any] = values.pop("options", {})
        return {**{name: value for name, value in values.items() if value is not None}, **options}

    @classmethod
    def fit_on(cls, _params: Mapping[str, Any]) -> FitOn:
        """What a step with these parameters, be it of an older version, may learn from."""
        return cls.FIT_ON

    @property
    def border(self) -> int | None:
        """How many rows of a series the step may see, from the first one on; None for all."""
        return None

    @property
    def beginning(self) -> int:
        """The first row of a table's columns that it may see."""
        return 0


def needed(value: T | None, name: str) -> T:
    """A parameter that only some steps have. Raises StepError where this one lacks it."""
    if value is None:
        raise StepError(f"a step without the parameter {name}")
    return value


@dataclass(frozen=True, kw_only=True)
class LoadParams(Params):
    """A source: see `pipeline.data.sources`. `options` are those of `pipeline.data.options`.

    What is made of missing values and of other columns comes from rows up to its own.
    """

    FIT_ON = FitOn.CAUSAL

    options: Mapping[str, Any]
    synthetic: Mapping[str, Any] | None = None  # what the generator is told: rows, seed, …

    @classmethod
    def fit_on(cls, params: Mapping[str, Any]) -> FitOn:
        return FitOn.WHOLE if fills_from_later(params) else cls.FIT_ON


class LookingAheadParams(Params):
    """Of operations that a sweep may tell to look at the whole series."""

    FIT_ON = FitOn.CAUSAL

    @classmethod
    def fit_on(cls, params: Mapping[str, Any]) -> FitOn:
        return FitOn.WHOLE if looks_ahead(params) else cls.FIT_ON


@dataclass(frozen=True, kw_only=True)
class DecomposeParams(LookingAheadParams):
    """`options` are those of a `decompose` section: see `pipeline.decomposition.methods`."""

    OPTIONS = ("method", "mode")

    column: str
    options: Mapping[str, Any]
    rows: int  # that are decomposed, from the first one on
    keep: int | None = None  # causal: how many rows of a window are kept as its tail
    split: SplitParams | None = None  # parts: where they begin

    @property
    def mode(self) -> Mode:
        mode: Mode = self.options["mode"]
        return mode

    @property
    def border(self) -> int:
        return self.rows


@dataclass(frozen=True, kw_only=True)
class ShapeParams(LookingAheadParams):
    """`options` are those of a `shaping` section: see `pipeline.relevance.shaping.Shaper`."""

    OPTIONS = ("relevance",)

    target: str
    column: str
    component: str  # of both, as `relevance` compares them too
    options: Mapping[str, Any]
    rows: int  # that are shaped, from the first one on
    train: Sequence[int] | None = None  # training rows, where not the whole series is seen

    @property
    def border(self) -> int:
        return self.rows


@dataclass(frozen=True, kw_only=True)
class RelevanceParams(Params):
    """`decompose` and `dataset` are for those who read the result: what made the series."""

    FIT_ON = FitOn.TRAIN

    target: str
    column: str
    component: str
    decompose: Mapping[str, Any]
    train: Sequence[int]  # the training rows
    measures: Sequence[str]
    max_lag: int
    draws: int
    seed: int
    dataset: Mapping[str, Any] | None = None  # where it lets nets see the future

    @property
    def border(self) -> int:
        return self.train[1]


class Window(TypedDict):
    """In rows."""

    input: int
    horizon: int


@dataclass(frozen=True, kw_only=True)
class FitParams(Params):
    """`scale`, `transform`, `train` and `seed` are absent where they cannot matter to the net.

    `split` has the training and the validation rows: a fit cannot be told of test rows. `final`:
    the net is trained once more, on both; it is true or absent.
    """

    FIT_ON = FitOn.TRAIN

    component: str
    sources: "Sequence[SourceParams]"  # the targets come first
    targets: int  # how many sources are targets
    split: SplitParams
    window: Window
    net: Mapping[str, Any]  # its configuration: see `nets.configs`
    scale: "Method | None" = None
    transform: "TransformMethod | None" = None  # of the targets; None for none
    train: Mapping[str, Any] | None = None  # see `nets.training.options`
    seed: int | None = None
    final: bool | None = None

    @property
    def learning(self) -> Split:
        """The rows that it learns from. Raises StepError for a split that has a test part."""
        split = Split.of(self.split)
        if split.test:
            raise StepError("a fit that is told of test rows")
        return split

    @property
    def rows_seen(self) -> Rows:
        """The rows of undecomposed columns: from those of the first window on.

        A change, as some transforms make it, starts from a row earlier.
        """
        reach = self.window["input"] + (self.transform in CHANGES)
        return max(0, self.learning.train[0] - reach), self.learning.stop

    @property
    def border(self) -> int:
        return self.rows_seen[1]

    @property
    def beginning(self) -> int:
        return self.rows_seen[0]


@dataclass(frozen=True, kw_only=True)
class ForecastParams(Params):
    """`components` name the fits whose forecasts are added up.

    `stride`: rows from one forecast to the next; absent where it is 1.
    """

    FIT_ON = FitOn.CAUSAL

    targets: Sequence[str]
    components: Sequence[str]
    split: SplitParams
    stride: int | None = None

    @property
    def border(self) -> int:
        return Split.of(self.split).stop


@dataclass(frozen=True, kw_only=True)
class ScoreParams(Params):
    """Forecasts of these folds are measured together: one, or all of a rolling origin.

    `masks` tell of targets which column says where their values are carried on. `stride` is that of
    the forecasts, which are made here where they are not kept.
    """

    FIT_ON = FitOn.CAUSAL

    targets: Sequence[str]
    components: Sequence[str]
    folds: Sequence[SplitParams]
    scale: "Method"
    season: int | None = None  # rows of one season, where the data have one: the lag of MASE
    counted: bool | None = None  # rows are counted: they have no times
    masks: Mapping[str, str] | None = None
    stride: int | None = None
    quantile: float | None = None  # what its nets are trained for, where that is their loss
    metrics: Sequence[Mapping[str, Any]] | None = None  # one's own: see `pipeline.own_metrics`

    @property
    def splits(self) -> list[Split]:
        return [Split.of(fold) for fold in self.folds]

    @property
    def border(self) -> int:
        return max(split.stop for split in self.splits)


@dataclass(frozen=True, kw_only=True)
class ImportanceParams(Params):
    """The operation reads targets, split, permutations and seed.

    The others are for those who read the result: what net it is, and how its series were treated,
    which decides whether it saw the future (`pipeline.leakage.DECISIVE`).
    """

    FIT_ON = FitOn.TRAIN

    component: str
    net: Mapping[str, Any]
    targets: Sequence[str]
    horizon: int
    decompose: Mapping[str, Any]
    shaping: Mapping[str, Any]
    exog: Sequence[str]
    exog_form: str
    split: SplitParams  # without a test part
    permutations: int
    seed: int
    dataset: Mapping[str, Any] | None = None  # where it lets nets see the future

    @property
    def border(self) -> int:
        return Split.of(self.split).stop


#: Dotted names of the parameters that decide how long a step takes: its net, or how it decomposes.
TIMED_BY = ("net.name", "method", "mode")


def timed_as(params: Mapping[str, Any]) -> tuple[str | None, ...]:
    """What `TIMED_BY` names, of any operation; None for what a step does not have."""
    return tuple(_at(params, name.split(".")) for name in TIMED_BY)


def _at(value: Any, path: Sequence[str]) -> str | None:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return None if value is None else str(value)
