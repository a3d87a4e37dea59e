"""What is done to the series before a net sees them: decomposition into components, shaping by
relevance.

The options of a section can matter only together with others. `reduced` sets those that do not to
their defaults, so that they never make a distinct step.
"""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from pyheta.sweep.section import Section

#: The options that each method reads; `mode`, `window`, `grow` and `nets` belong to all of them.
READS = {
    "none": (),
    "emd": ("max_imf",),
    "eemd": ("max_imf", "trials", "noise", "seed"),
    "ceemdan": ("max_imf", "trials", "noise", "seed"),
    "wavelet": ("max_imf", "wavelet"),
    "stl": ("period",),
}

#: The strength of the added noise where the sweep says nothing, in deviations of the series.
NOISE = {"eemd": 0.05, "ceemdan": 0.005}


class Decompose(Section):
    """The decomposition of every column into components, which are forecast one by one and added
    up.
    """

    method: Literal["none", "emd", "eemd", "ceemdan", "wavelet", "stl"] = "none"
    mode: Literal["causal", "full", "parts"] = Field(
        default="causal",
        description="causal: at each row only the rows up to it. full: the whole series at "
        "once; parts: "
        "training, validation and test apart. The last two see the future and need `leakage: "
        "allow`.",
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
    trials: int = Field(default=20, ge=1, le=100_000, description="Noisy copies (eemd, ceemdan).")
    noise: float | None = Field(
        default=None,
        gt=0,
        le=10,
        description="Strength of the noise; 0.05 for eemd, 0.005 for ceemdan.",
    )
    seed: int = Field(default=0, ge=0, lt=1 << 32, description="Seed of the noise (eemd, ceemdan).")
    wavelet: str = Field(
        default="db4", pattern=r"^[a-z]{2,8}[0-9.]{0,4}$", description="Its name (wavelet)."
    )
    period: int = Field(default=24, ge=2, le=1_000_000, description="Rows of one season (stl).")
    nets: Literal["each", "one"] = Field(
        default="each",
        description="each: a net for each component, forecasts added up. one: a single net "
        "reads all "
        "components and forecasts the series.",
    )

    def reduced(self) -> Self:
        """The same with every option that cannot matter at its default."""
        if self.method == "none":
            return type(self)()
        kept = {
            name: getattr(self, name) for name in ("method", "mode", "nets", *READS[self.method])
        }
        if self.mode == "causal":
            kept |= {"window": self.window, "grow": self.grow}
        if "noise" in kept and self.noise is None:
            kept["noise"] = NOISE[self.method]
        return type(self)(**kept)

    def as_params(self) -> dict[str, Any]:
        """What a decomposition depends on, as plain data; `self` is reduced."""
        names = ["method", "mode", *READS[self.method]]
        names += ["window", "grow"] if self.mode == "causal" and self.method != "none" else []
        return {name: getattr(self, name) for name in names}


class Shaping(Section):
    """Exogenous columns multiplied by their local relevance to the target (FARM)."""

    method: Literal["none", "farm"] = "none"
    relevance: Literal["trailing", "end_spot", "centred"] = Field(
        default="trailing",
        description="trailing: from the last `window` rows; end_spot: the same, the newest "
        "rows weighing "
        "most; centred: as published, from rows on both sides, which needs `leakage: allow`.",
    )
    window: int = Field(
        default=5, ge=3, le=100_001, description="Rows of the local correlation; odd."
    )
    factor: Literal["continuous", "binary", "soft"] = Field(
        default="continuous",
        description="continuous: the relevance; binary: 1 from the threshold on, else 0; "
        "soft: the relevance from the threshold on, else 0.",
    )
    threshold: float = Field(default=0.5, ge=0, le=1, description="Least relevance (binary, soft).")
    fuzzy: bool = Field(default=True, description="Smooth the relevance over neighbouring rows.")
    align: bool = Field(
        default=False, description="Delay leading columns onto the target first (centred)."
    )

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.window % 2 == 0:
            raise ValueError(f"window has to be odd, got {self.window}")
        if self.align and self.relevance != "centred":
            raise ValueError("align looks ahead: it needs relevance: centred")
        return self

    def reduced(self) -> Self:
        """The same with every option that cannot matter at its default."""
        if self.method == "none":
            return type(self)()
        return self.model_copy(update={"threshold": 0.5}) if self.factor == "continuous" else self

    def as_params(self) -> dict[str, Any]:
        """What shaped values depend on, as plain data."""
        return self.model_dump(exclude={"method"})
