"""Configurations of deep nets for long horizons; defaults as in their papers for hourly ETT."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from pyheta.nets.configs.base import (
    INSTANCE_NORM,
    Dropout,
    InstanceNormConfig,
    LayerCount,
    Misfit,
    Width,
    Widths,
)


class NHiTSConfig(InstanceNormConfig):
    """Stacks of perceptrons, each for one scale of time (Challu et al. 2023)."""

    built_by: ClassVar[str] = "pyheta.nets.zoo.nhits:NHiTS"

    name: Literal["nhits"] = "nhits"
    pooling: Widths = Field(
        default=(8, 4, 1),
        description="For each stack, the rows of the window that are pooled into one.",
    )
    spacing: Widths = Field(
        default=(24, 12, 1),
        description="For each stack, the rows between the points of its forecast.",
    )
    blocks: LayerCount = Field(default=1, description="Blocks of each stack.")
    layers: LayerCount = Field(default=2, description="Hidden layers of each block.")
    hidden: Width = Field(default=512, description="Width of each hidden layer.")
    dropout: Dropout = Field(default=0.0, description="Share of cells left out while training.")

    @model_validator(mode="after")
    def _paired(self) -> Self:
        if len(self.pooling) != len(self.spacing):
            stacks = f"{len(self.pooling)} and {len(self.spacing)}"
            raise ValueError(f"pooling and spacing need one number for each stack, got {stacks}")
        return self


class TSMixerConfig(InstanceNormConfig):
    """Perceptrons along time and across channels by turns (Chen et al. 2023)."""

    built_by: ClassVar[str] = "pyheta.nets.zoo.tsmixer:TSMixer"

    name: Literal["tsmixer"] = "tsmixer"
    layers: LayerCount = Field(default=2, description="Mixing layers, one after the other.")
    hidden: Width = Field(default=64, description="Hidden width of the mixing across channels.")
    dropout: Dropout = Field(default=0.9, description="Share of cells left out while training.")


class TiDEConfig(InstanceNormConfig):
    """A dense encoder and decoder with residuals, and a linear skip over both (Das et al. 2023)."""

    built_by: ClassVar[str] = "pyheta.nets.zoo.tide:TiDE"

    name: Literal["tide"] = "tide"
    hidden: Width = Field(default=256, description="Width of the encoder and the decoder.")
    encoder_layers: LayerCount = Field(default=2, description="Residual blocks of the encoder.")
    decoder_layers: LayerCount = Field(default=2, description="Residual blocks of the decoder.")
    decoder_output: Width = Field(
        default=8, description="Numbers that are decoded for each step ahead."
    )
    temporal_hidden: Width = Field(
        default=128, description="Hidden width from those to the forecast."
    )
    dropout: Dropout = Field(default=0.3, description="Share of cells left out while training.")


class AttentionConfig(InstanceNormConfig):
    """What nets of attention layers share."""

    layers: LayerCount
    width: Width
    heads: int
    feed_forward: Width
    dropout: Dropout

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"a width of {self.width} cannot be shared by {self.heads} heads")
        return self


class PatchTSTConfig(AttentionConfig):
    """Attention between patches of the window, each target alone (Nie et al. 2023)."""

    built_by: ClassVar[str] = "pyheta.nets.zoo.patchtst:PatchTST"
    uses_exog: ClassVar[bool] = False

    name: Literal["patchtst"] = "patchtst"
    patch: Width = Field(default=16, description="Rows of one patch; no more than the window has.")
    stride: Width = Field(default=8, description="Rows from one patch to the next.")
    layers: LayerCount = Field(default=3, description="Attention layers.")
    width: Width = Field(default=16, description="Width of a token: a multiple of the heads.")
    heads: int = Field(default=4, ge=1, le=64, description="Heads of the attention.")
    feed_forward: Width = Field(
        default=128, description="Hidden width of the perceptron of each layer."
    )
    dropout: Dropout = Field(default=0.3, description="Share of cells left out while training.")
    instance_norm: bool = Field(default=True, description=INSTANCE_NORM)

    def misfit(self, lookback: int) -> Misfit | None:
        """A patch that is longer than the window: at least one has to fit."""
        if self.patch <= lookback:
            return None
        what = f"net.patch is {self.patch:,} rows, more than the {lookback:,} of a window"
        return Misfit(what, option="patch", cure="use a longer window or a shorter patch")


class ITransformerConfig(AttentionConfig):
    """Attention between channels, each of which is one token (Liu et al. 2024)."""

    built_by: ClassVar[str] = "pyheta.nets.zoo.itransformer:ITransformer"

    name: Literal["itransformer"] = "itransformer"
    layers: LayerCount = Field(default=2, description="Attention layers.")
    width: Width = Field(default=256, description="Width of a token: a multiple of the heads.")
    heads: int = Field(default=8, ge=1, le=64, description="Heads of the attention.")
    feed_forward: Width = Field(
        default=256, description="Hidden width of the perceptron of each layer."
    )
    dropout: Dropout = Field(default=0.1, description="Share of cells left out while training.")
    instance_norm: bool = Field(default=True, description=INSTANCE_NORM)
