"""One run's configuration: its sections, their ranges and defaults, and what of it can matter."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Annotated, Any, Literal, Self, get_origin, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    TypeAdapter,
    ValidationError,
)

from pyheta.nets.configs.base import as_tuple
from pyheta.nets.configs.union import CONFIGS, NETS, Net
from pyheta.nets.training.options import Train
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.options.columns import Columns
from pyheta.pipeline.data.options.named import Column, Named, mapping
from pyheta.pipeline.data.options.sparse import Sparse
from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.pipeline.decomposition.methods import component_names
from pyheta.pipeline.own_metrics import OwnMetrics
from pyheta.pipeline.scaling import Method as ScaleMethod
from pyheta.pipeline.transforms import Method as TransformMethod
from pyheta.section import Section
from pyheta.steps import canonical
from pyheta.sweep.components import Components, UnfitChange, changes_for
from pyheta.sweep.preprocessing import Decompose, Shaping
from pyheta.sweep.problems import shown
from pyheta.sweep.selection import AllBut, long_form
from pyheta.sweep.split import Split


class SyntheticData(Columns):
    """Made hourly data with a known answer."""

    ALWAYS = frozenset({"name", "rows", "seed"})

    name: Literal["synthetic"] = "synthetic"
    rows: int = Field(default=4000, ge=200, le=10_000_000, description="Hours to make.")
    seed: int = Field(default=0, ge=0, lt=1 << 32, description="Seed of the noise in the data.")
    promo: bool = Field(default=False, description="Whether a column `promo` moves the load.")


class CatalogueData(DataOptions):
    """A well-known data set by its name."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=64)


class FileData(DataOptions):
    """A file; a relative path starts at the sweep file's folder."""

    path: str = Field(min_length=1, max_length=4096)


class SourceData(DataOptions):
    """Bytes that are got once and kept: of a URL, a query, a service."""

    source: Annotated[
        Named[str | int | float | bool | tuple[str, ...]], BeforeValidator(mapping)
    ] = Field(description="What to get and its options, as in {url: https://…}.")


def _kind_of_data(value: Any) -> str:
    fields = value if isinstance(value, Mapping) else getattr(value, "__dict__", {})
    if "path" in fields:
        return "file"
    if "source" in fields:
        return "source"
    return "synthetic" if fields.get("name") == "synthetic" else "catalogue"


Dataset = Annotated[
    Annotated[SyntheticData, Tag("synthetic")]
    | Annotated[CatalogueData, Tag("catalogue")]
    | Annotated[FileData, Tag("file")]
    | Annotated[SourceData, Tag("source")],
    Discriminator(_kind_of_data),
]


class Window(Sparse):
    """How many rows a net sees, how many it forecasts, and how often."""

    ALWAYS = frozenset({"input", "horizon"})

    input: int = Field(ge=1, le=1_000_000, description="Rows before the forecast that a net sees.")
    horizon: int = Field(default=1, ge=1, le=100_000, description="Rows that are forecast at once.")
    stride: int = Field(
        default=1,
        ge=1,
        le=1_000_000,
        description="Rows from one forecast to the next; nets learn from all windows.",
    )

    @property
    def thinned(self) -> int | None:
        """The stride; None where every window is forecast."""
        return None if self.stride == 1 else self.stride


def _distinct(columns: tuple[str, ...]) -> tuple[str, ...]:
    if twice := sorted({column for column in columns if columns.count(column) > 1}):
        raise ValueError(f"column '{twice[0]}' is listed twice")
    return columns


def _one_or_list(columns: tuple[str, ...]) -> str | list[str]:
    return columns[0] if len(columns) == 1 else list(columns)


def _not_empty(columns: tuple[str, ...]) -> tuple[str, ...]:
    if not columns:
        raise ValueError("expected at least one column")
    return columns


def _listed(columns: object) -> object:
    """A single name is no list of them: it could as well be a value of an axis. ValueError."""
    columns = long_form(columns)
    if isinstance(columns, str):
        what = f"expected a list of columns, as [{columns}], or all, got {shown(columns)}"
        raise ValueError(what)  # noqa: TRY004 (pydantic's way)
    return columns


def _one_or_several(columns: object) -> object:
    return as_tuple(long_form(columns))


Exog = Annotated[
    tuple[Column, ...],
    Field(strict=False),
    AfterValidator(_distinct),
    BeforeValidator(_listed, json_schema_input_type=list[Column] | Literal["all"] | AllBut),
]
Targets = Annotated[
    tuple[Column, ...],
    BeforeValidator(_one_or_several, json_schema_input_type=Column | list[Column] | AllBut),
    AfterValidator(_distinct),
    AfterValidator(_not_empty),
    PlainSerializer(_one_or_list),
]


class RunConfig(Section):
    """One run, fully resolved. Runs share their sections, so a hundred thousand stay small."""

    dataset: Dataset = Field(description="A name, a path, or a mapping with 'path' and 'time'.")
    target: Targets = Field(
        description="The column to forecast, or several that one net forecasts together: a list "
        "of names and patterns (T_*), or all."
    )
    exog: Exog = Field(
        default=(),
        description="Columns that nets see beside the targets, in any order: a list of names and "
        "patterns (T_*), all, or {all_but: [...]}.",
    )
    exog_form: Literal["original", "shaped", "both"] = Field(
        default="shaped", description="How nets see exogenous columns where the sweep shapes them."
    )
    split: Split = Split()
    window: Window
    scale: ScaleMethod = Field(
        default="standard", description="Scaling of every column, fitted on the training rows."
    )
    transform: TransformMethod = Field(
        default="none",
        description="What nets are given of the targets, and forecast; undone before any metric.",
    )
    net: Net = Field(description="A name, or a mapping with 'name' and the net's own options.")
    train: Train = Train()
    decompose: Decompose = Decompose()
    shaping: Shaping = Shaping()
    components: Components = Field(default=(), description="What is different for some components.")
    keep: Literal["forecasts", "metrics"] = Field(
        default="forecasts",
        description="What stays of a score: its metrics alone, or its forecasts too.",
    )
    metrics: OwnMetrics = Field(
        default=(),
        description="Metrics of your own beside PyHeta's: a list of module:function, or of "
        "mappings with 'name' and 'version'.",
    )

    def as_json(self) -> dict[str, Any]:
        """Nested plain data, defaults filled in; runs without metrics of one's own say nothing."""
        return self.model_dump(mode="json", exclude=None if self.metrics else {"metrics"})

    @property
    def quantile(self) -> float | None:
        """What the nets are trained for and judged by, where their loss is that of a quantile."""
        return self.train.quantile if self.train.loss == "quantile" else None

    @property
    def series(self) -> str:
        """Which series of a panel it is about; empty where the data set has one."""
        return getattr(self.dataset, "pick", None) or ""

    def dataset_key(self) -> str:
        """The canonical text of the `dataset` section: runs on the same data have the same."""
        return canonical(self.dataset.model_dump(mode="json"))

    def reduced(self) -> Self:
        """The same run with every option that cannot matter to its nets at a fixed value."""
        decompose = self.decompose.reduced()
        several = decompose.method != "none" and decompose.nets == "each"
        components = self.components if several else ()
        run = self.model_copy(
            update={
                "decompose": decompose,
                "components": components,
                "shaping": self.shaping.reduced(),
            }
        )
        if components:  # the options of one net may matter to another: see `nets`
            return run
        if self.net.additive or (decompose.nets == "one" and not self.net.uses_exog):
            run = run.model_copy(update={"decompose": Decompose()})
        return run.reduced_to_net()

    def reduced_to_net(self) -> Self:
        """The same configuration, of one net, with what cannot matter to it at a fixed value."""
        net, shaping, split = self.net, self.shaping, self.split
        exog = self.exog if net.uses_exog else ()
        shapes = bool(exog) and shaping.method != "none" and self.exog_form != "original"
        update = {
            # What learns nothing has nothing to learn once more
            "split": split.model_copy(update={"final": "train"}) if net.in_own_units else split,
            "window": self.window.model_copy(update={"input": net.lookback(self.window.input)}),
            "exog": exog,
            "exog_form": self.exog_form if shapes else "original",
            "shaping": shaping if shapes else Shaping(),
            "train": self.train.reduced() if net.trained_by_gradient else self._judged_by(),
            "transform": "none" if net.in_own_units else self.transform,
        }
        return self.model_copy(update=update)

    def _judged_by(self) -> Train:
        """What matters of `train` to a net that it does not train: the quantile of the others."""
        if self.quantile is None:
            return Train()
        return Train(loss="quantile", quantile=self.quantile)

    def nets(self) -> dict[str, Self]:
        """Component -> the reduced configuration of the net that forecasts it."""
        run = self.reduced()
        names = run.component_names() if run.decompose.nets == "each" else (WHOLE,)
        return {name: run.for_component(name).reduced_to_net() for name in names}

    def component_names(self) -> tuple[str, ...]:
        """The components of every column, in their order."""
        return component_names(self.decompose.model_dump())

    def for_component(self, name: str) -> Self:
        """The same run as the net of one component sees it.

        Raises UnfitChange where a change does not fit.
        """
        by_section: dict[str, dict[str, Any]] = {}
        for key, value in changes_for(self.components, name).items():
            section, _, field = key.partition(".")
            by_section.setdefault(section, {})[field] = value
        update = {section: self._changed(section, fields) for section, fields in by_section.items()}
        return self.model_copy(update={"components": (), **update})

    def _changed(self, section: str, fields: Mapping[str, Any]) -> Any:
        """A section with some fields set anew; another net begins with its own defaults."""
        try:
            return SECTIONS[section].validate_python(self._written(section, fields))
        except ValidationError as error:
            raise UnfitChange(section, error) from error

    def _written(self, section: str, fields: Mapping[str, Any]) -> Any:
        if "" in fields:  # the section is a value
            return fields[""]
        before: dict[str, Any] = getattr(self, section).model_dump()
        another = fields.get("name", before.get("name")) != before.get("name")
        return {**fields} if another else {**before, **fields}


SECTIONS: Mapping[str, TypeAdapter[Any]] = {
    name: TypeAdapter(hint)
    for name, hint in get_type_hints(RunConfig, include_extras=True).items()
    if name in RunConfig.model_fields
}

# Which models may stand in a section. A section that is not here holds a single value.
MODELS: Mapping[str, tuple[type[BaseModel], ...]] = {
    "dataset": (SyntheticData, CatalogueData, FileData, SourceData),
    "split": (Split,),
    "window": (Window,),
    "net": CONFIGS,
    "train": (Train,),
    "decompose": (Decompose,),
    "shaping": (Shaping,),
}

# Dotted keys of everything that can be written: the sections, then their fields.
KEYS: tuple[str, ...] = (
    *SECTIONS,
    *dict.fromkeys(
        f"{section}.{info.alias or field}"
        for section, models in MODELS.items()
        for model in models
        for field, info in model.model_fields.items()
    ),
)

# Those of them that hold one value, not a section.
LEAVES = tuple(key for key in KEYS if key not in MODELS)


def _list_keys(prefix: str, model: type[BaseModel]) -> Iterator[str]:
    """The dotted keys of a model's fields that hold several values."""
    for name, field in model.model_fields.items():
        if get_origin(field.annotation) is tuple:
            yield f"{prefix}{name}"


# Keys whose value may be a list. For all others a list in a pattern means "one of these".
LISTS = frozenset(
    chain(
        _list_keys("", RunConfig),
        *(_list_keys(f"{section}.", model) for section in MODELS for model in MODELS[section]),
    )
)


def default_of(key: str, net: object) -> Any:
    """The default of a dotted key, for runs of the net named `net`; None where there is none."""
    section, _, field = key.partition(".")
    if not field:
        return _default(RunConfig, section)
    named = NETS.get(str(net)) if section == "net" else None
    models = (named,) if named else MODELS[section]
    return next((_default(model, field) for model in models if field in model.model_fields), None)


def _default(model: type[BaseModel], field: str) -> Any:
    info = model.model_fields[field]
    return None if info.is_required() else info.default
