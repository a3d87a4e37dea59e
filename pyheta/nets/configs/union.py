"""What each net can be told: names, ranges, defaults, and which other options matter to it.

No torch here: sweeps are read and checked on machines that never train.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BeforeValidator, Discriminator, Field, Tag

from pyheta.nets.configs.base import (
    Dropout,
    GradientConfig,
    Layers,
    NetConfig,
    Period,
    Width,
    Widths,
    as_tuple,
)
from pyheta.nets.configs.deep import (
    ITransformerConfig,
    NHiTSConfig,
    PatchTSTConfig,
    TiDEConfig,
    TSMixerConfig,
)
from pyheta.nets.configs.linear import (
    CycleNetConfig,
    DLinearConfig,
    NLinearConfig,
    RLinearConfig,
    SparseTSFConfig,
)
from pyheta.nets.configs.own import OwnNetConfig, is_own

OWN = "module:Class"  # what a net of one's own is called among the known ones


class RecurrentConfig(GradientConfig):
    """What nets share that read a window row by row."""

    paddable: ClassVar[bool] = True

    hidden: Width = Field(default=64, description="Cells of each recurrent layer.")
    layers: Layers = Field(default=1, description="Recurrent layers, one on top of the other.")
    dropout: Dropout = Field(default=0.0, description="Share of cells left out while training.")


class LSTMConfig(RecurrentConfig):
    """Long short-term memory: `layers` recurrent layers of `hidden` cells, then a linear one."""

    name: Literal["lstm"] = "lstm"


class GRUConfig(RecurrentConfig):
    """Gated recurrent units: `layers` recurrent layers of `hidden` cells, then a linear one."""

    name: Literal["gru"] = "gru"


class TCNConfig(GradientConfig):
    """Temporal convolutions: each level sees twice as far back as the one below (Bai et al.
    2018).
    """

    name: Literal["tcn"] = "tcn"
    channels: Width = Field(default=64, description="Channels of each convolution.")
    levels: Layers = Field(default=4, description="Residual blocks; each doubles the dilation.")
    kernel: int = Field(default=3, ge=2, le=1024, description="Taps of each convolution.")
    dropout: Dropout = Field(default=0.0, description="Share of channels left out while training.")


class MLPConfig(GradientConfig):
    """Multilayer perceptron on the flattened window."""

    paddable: ClassVar[bool] = True

    name: Literal["mlp"] = "mlp"
    hidden: Widths = Field(
        default=(64,), description="Widths of the hidden layers; one number is one layer."
    )
    dropout: Dropout = Field(default=0.0, description="Share of cells left out while training.")


Alpha = Annotated[float, Field(ge=0.0, le=1e12)]


class RidgeConfig(NetConfig):
    """Linear regression on the flattened window with an L2 penalty, solved in closed form."""

    name: Literal["ridge"] = "ridge"
    alpha: Annotated[
        tuple[Alpha, ...],
        Field(min_length=1, max_length=1000),
        BeforeValidator(as_tuple, json_schema_input_type=Alpha | list[Alpha]),
    ] = Field(
        default=(1e-3,), description="Weight of the penalty; of a list, validation chooses one."
    )
    per_channel: bool = Field(
        default=False, description="Whether all targets share one regression on their own past."
    )
    instance_norm: bool = Field(
        default=False,
        description="Whether each window is forecast free of its own mean; no intercept.",
    )
    window_std: bool = Field(
        default=False,
        description="Whether the standard deviation of each window is a regressor too.",
    )

    @property
    def uses_exog(self) -> bool:  # type: ignore[override]
        return not self.per_channel


class LastConfig(NetConfig):
    """The last known value, for every step ahead."""

    uses_exog: ClassVar[bool] = False

    name: Literal["last"] = "last"

    def lookback(self, window_input: int) -> int:  # noqa: ARG002 (same question to every net)
        return 1


class SeasonalConfig(NetConfig):
    """The value one season earlier; beyond one season ahead, that of the last known season."""

    uses_exog: ClassVar[bool] = False

    name: Literal["seasonal"] = "seasonal"
    period: Period = Field(default=24, description="Rows of one season.")

    def lookback(self, window_input: int) -> int:  # noqa: ARG002 (same question to every net)
        return self.period


def _kind_of_net(value: Any) -> str | None:
    """The tag of a net's configuration; an unknown name is its own tag, which no configuration
    has.
    """
    name = value.get("name") if isinstance(value, Mapping) else getattr(value, "name", value)
    if name is None:
        return None
    return str(name) if str(name) in NETS or not is_own(str(name)) else OWN


Net = Annotated[
    Annotated[LSTMConfig, Tag("lstm")]
    | Annotated[GRUConfig, Tag("gru")]
    | Annotated[TCNConfig, Tag("tcn")]
    | Annotated[MLPConfig, Tag("mlp")]
    | Annotated[NHiTSConfig, Tag("nhits")]
    | Annotated[DLinearConfig, Tag("dlinear")]
    | Annotated[NLinearConfig, Tag("nlinear")]
    | Annotated[RLinearConfig, Tag("rlinear")]
    | Annotated[SparseTSFConfig, Tag("sparsetsf")]
    | Annotated[CycleNetConfig, Tag("cyclenet")]
    | Annotated[TSMixerConfig, Tag("tsmixer")]
    | Annotated[TiDEConfig, Tag("tide")]
    | Annotated[PatchTSTConfig, Tag("patchtst")]
    | Annotated[ITransformerConfig, Tag("itransformer")]
    | Annotated[RidgeConfig, Tag("ridge")]
    | Annotated[LastConfig, Tag("last")]
    | Annotated[SeasonalConfig, Tag("seasonal")]
    | Annotated[OwnNetConfig, Tag(OWN)],
    Discriminator(_kind_of_net),
]

# The nets that have a name here; all others are own nets.
NETS: Mapping[str, type[NetConfig]] = {
    tag.tag: net for net, tag in map(get_args, get_args(get_args(Net)[0])) if tag.tag != OWN
}


def config_of(net: Mapping[str, Any]) -> NetConfig:
    """The configuration that was dumped as {"name": "lstm", "hidden": 64, …}."""
    return NETS.get(net["name"], OwnNetConfig)(**net)
