"""What is done to series before a net sees them: decomposition, and shaping by relevance.

The options of a section can matter only together with others. `reduced` sets those that do not to
their defaults, so that they never make a distinct step.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from pyheta.pipeline.decomposition.methods import METHODS
from pyheta.pipeline.relevance.shaping_methods import (
    FACTORS,
    RELEVANCES,
    VALUES,
    Factor,
    LocalRelevance,
    Values,
)
from pyheta.section import Section
from pyheta.sweep.names import NameOf

#: The least relevance that passes, where the sweep says nothing.
THRESHOLD = 0.5


def _readers(option: str) -> str:
    """The methods that read an option."""
    return ", ".join(name for name, method in METHODS.items() if option in method.options)


def _own_defaults(option: str) -> str:
    """What an option is by default, method by method."""
    return ", ".join(
        f"{method.defaults[option]:g} for {name}"
        for name, method in METHODS.items()
        if option in method.defaults
    )


class Decompose(Section):
    """Every column's decomposition into components, which are forecast one by one and added up."""

    method: Annotated[str, NameOf(METHODS)] = "none"
    mode: Literal["causal", "full", "parts"] = Field(
        default="causal",
        description="causal: at each row only the rows up to it. full: the whole series at once; "
        "parts: training, validation and test apart. The last two see the future and need "
        "`leakage: allow`.",
    )
    window: int = Field(
        default=1000,
        ge=16,
        le=10_000_000,
        description="Rows that are decomposed at each row (causal).",
    )
    grow: bool = Field(
        default=False, description="All rows so far instead of the last `window` (causal)."
    )
    max_imf: int = Field(
        default=4, ge=1, le=20, description="IMFs (or wavelet levels) beside the residue."
    )
    trials: int = Field(
        default=20, ge=1, le=100_000, description=f"Noisy copies ({_readers('trials')})."
    )
    noise: float | None = Field(
        default=None,
        gt=0,
        le=10,
        description=f"Strength of the noise; {_own_defaults('noise')}.",
    )
    seed: int = Field(
        default=0, ge=0, lt=1 << 32, description=f"Seed of the noise ({_readers('seed')})."
    )
    wavelet: str = Field(
        default="db4",
        pattern=r"^[a-z]{2,8}[0-9.]{0,4}$",
        description=f"Its name ({_readers('wavelet')}).",
    )
    period: int | None = Field(
        default=None,
        ge=2,
        le=1_000_000,
        description="Rows of one season; that of the data set where it is absent "
        f"({_readers('period')}).",
    )
    nets: Literal["each", "one"] = Field(
        default="each",
        description="each: a net for each component, forecasts added up. one: a single net reads "
        "all components and forecasts the series.",
    )

    def reduced(self) -> Self:
        """The same with every option that cannot matter at its default."""
        if self.method == "none":
            return type(self)()
        method = METHODS[self.method]
        kept = {name: getattr(self, name) for name in ("method", "mode", "nets", *method.options)}
        if self.mode == "causal":
            kept |= {"window": self.window, "grow": self.grow}
        own = {name: value for name, value in method.defaults.items() if kept.get(name) is None}
        return type(self)(**kept | own)

    @property
    def lacks_season(self) -> bool:
        """Whether the method goes by a season, and nobody has said which."""
        return "period" in METHODS[self.method].options and self.period is None

    def as_params(self) -> dict[str, Any]:
        """What a decomposition depends on, as plain data; `self` is reduced."""
        names = ["method", "mode", *METHODS[self.method].options]
        names += ["window", "grow"] if self.mode == "causal" and self.method != "none" else []
        return {name: getattr(self, name) for name in names}


def _explained(ways: Iterable[LocalRelevance | Factor | Values]) -> str:
    return "; ".join(f"{way.name}: {way.what}" for way in ways) + "."


def _threshold_users() -> str:
    return ", ".join(factor.name for factor in FACTORS.values() if factor.uses_threshold)


class Shaping(Section):
    """Exogenous columns multiplied by their local relevance to the target (FARM)."""

    method: Literal["none", "farm"] = "none"
    relevance: Annotated[str, NameOf(RELEVANCES)] = Field(
        default="trailing", description=_explained(RELEVANCES.values())
    )
    window: int = Field(
        default=5, ge=3, le=100_001, description="Rows of the local correlation; odd."
    )
    factor: Annotated[str, NameOf(FACTORS)] = Field(
        default="continuous", description=_explained(FACTORS.values())
    )
    threshold: float = Field(
        default=THRESHOLD, ge=0, le=1, description=f"Least relevance ({_threshold_users()})."
    )
    fuzzy: bool = Field(default=True, description="Smooth the relevance over neighbouring rows.")
    align: bool = Field(
        default=False, description="Delay leading columns onto the target first (centred)."
    )
    values: Annotated[str, NameOf(VALUES)] = Field(
        default="standardised", description=f"What is multiplied. {_explained(VALUES.values())}"
    )

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.window % 2 == 0:
            raise ValueError(f"window has to be odd, got {self.window}")
        if self.align and self.causal:
            looking_ahead = ", ".join(name for name, way in RELEVANCES.items() if not way.causal)
            raise ValueError(f"align looks ahead: it needs relevance: {looking_ahead}")
        return self

    @property
    def causal(self) -> bool:
        """Whether no row after the one that is shaped has a say."""
        return RELEVANCES[self.relevance].causal

    def reduced(self) -> Self:
        """The same with every option that cannot matter at its default."""
        if self.method == "none":
            return type(self)()
        if FACTORS[self.factor].uses_threshold:
            return self
        return self.model_copy(update={"threshold": THRESHOLD})

    def as_params(self) -> dict[str, Any]:
        """What shaped values depend on, as plain data; raw values are not written down."""
        raw = {"values"} if self.values == "raw" else set()
        return self.model_dump(exclude={"method", *raw})
